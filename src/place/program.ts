import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import type { Env } from './folders.ts'
import { foreignText } from './foreign.ts'

/** The path of the program that a shell would run; undefined if the PATH has none. */
export function onPath(program: string, { PATH = '' }: Env): string | undefined {
  const paths = PATH.split(delimiter).filter(isAbsolute)
  return paths.map((folder) => join(folder, program)).find(isProgram)
}

/** Whether a file can be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The program `conduct` on the PATH, and what is wrong if it is not ours. Other packages have one of that name. */
export function conductOnPath(env: Env): { path?: string; other?: string } {
  const path = onPath('conduct', env)
  if (path === undefined) return {}
  const text = scriptAt(path)
  if (isOurs(realpathSync(path)) || text.includes(`${ours}/`) || startsOurs(text)) return { path }
  const owner = ownerOf(realpathSync(path), text)
  const whose = owner === undefined ? 'is another program of that name' : `belongs to ${owner}`
  return {
    path,
    other: `${path} ${whose}, so hooks and MCP servers start that one: put the folder of this one before it on the PATH`,
  }
}

/** The name of our package. */
const ours = 'conduct-ledger'

/** Whether a path without links is the program of our package, in this or another place or version. */
const isOurs = (path: string) => path.endsWith(join('bin', 'conduct.cjs')) && nameIn(dirname(dirname(path))) === ours

/** Whether a launcher, such as the one that `conduct init` writes, starts our program. */
const startsOurs = (text: string) =>
  text.split(/['"\n]/).some((words) => {
    const end = words.indexOf(started)
    return end >= 0 && isOurs(words.slice(words.indexOf('/'), end + started.length))
  })

const started = '/bin/conduct.cjs'

/** The text of a program, if it is a script. */
function scriptAt(path: string): string {
  try {
    const text = foreignText(path) ?? ''
    return text.startsWith('#!') ? text : ''
  } catch {
    // A larger file is no launcher.
    return ''
  }
}

/** The name in the package.json of a folder. */
function nameIn(folder: string): string | undefined {
  try {
    return (JSON.parse(foreignText(join(folder, 'package.json')) ?? '{}') as { name?: string }).name
  } catch {
    return undefined
  }
}

function ownerOf(real: string, text: string): string | undefined {
  const [first = '', ...lines] = text.split('\n')
  const imports = first.includes('python') ? lines.find((line) => line.startsWith('from ')) : undefined
  const [, module] = /^from ([\w.]+) import /.exec(imports ?? '') ?? []
  if (module !== undefined) return `the Python package ${module.split('.')[0]}`
  const above = [dirname(real), dirname(dirname(real)), dirname(dirname(dirname(real)))]
  const name = above.map(nameIn).find((one) => one !== undefined && one !== ours)
  return name === undefined ? undefined : `the npm package ${name}`
}
