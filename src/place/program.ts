import { lstatSync, realpathSync, statSync } from 'node:fs'
import { basename, delimiter, dirname, join, relative, resolve, sep } from 'node:path'
import { folders } from '../nouns/run/verdict/command-list.ts'
import { temporaryFolders } from '../system/places.ts'
import { fileNames, findProgram, isProgram, variableOf } from '../system/programs.ts'
import type { Env } from './folders.ts'
import { foreignText } from './foreign.ts'

/** The program `conduct` on the PATH, and what is wrong if it is not ours. Other packages have one of that name. */
export function conductOnPath(env: Env): { path?: string; other?: string } {
  const path = findProgram('conduct', env)
  if (path === undefined) return {}
  const text = scriptAt(path)
  if (isOurs(realpathSync(path)) || /conduct-ledger[\\/]/.test(text) || startsOurs(text)) return { path }
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

/** The text of a program, if it is a script, also one of Windows. */
function scriptAt(path: string): string {
  try {
    const text = foreignText(path) ?? ''
    return text.startsWith('#!') || path.toLowerCase().endsWith('.cmd') ? text : ''
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

/** A command, and where it runs. */
interface Ran {
  words: readonly string[]
  cwd: string
  env: Env
  /** The top of the project. */
  root: string
  /** When the session began, in milliseconds since 1970; undefined if there is none. */
  since?: number | undefined
}

/** How many words may be launchers or the program that they start. */
const mostWords = 4

/**
 * What a reader should know about the programs of a command, who trusts its check: that the PATH finds one inside the
 * project or in a folder for temporary files, or that one changed in the session. One sentence each.
 */
export function programRemarks({ words, ...place }: Ran): string[] {
  const end = words.findIndex((word) => word.startsWith('-'))
  const names = words.slice(0, end < 0 ? mostWords : Math.min(end, mostWords)).filter((word) => !word.includes('='))
  return names.flatMap((name) => remarkOn(name, place) ?? [])
}

function remarkOn(name: string, { cwd, env, root, since }: Omit<Ran, 'words'>): string | undefined {
  const path = pathOf(name, cwd, env)
  if (path === undefined) return undefined
  const real = realpathSync(path)
  const shown = isIn(root, path) ? relative(root, path) : path
  const where = isInstalled(path) ? undefined : (placeOf(path, root) ?? placeOf(real, root))
  if (where !== undefined) return `On the PATH, ${name} is ${shown}, ${where}.`
  // Nobody sets this time, unlike that of the last change of the content.
  const changedAt = Math.max(lstatSync(path).ctimeMs, statSync(real).ctimeMs)
  return since !== undefined && changedAt >= since ? `The program ${shown} changed since the session began.` : undefined
}

/** Variables by which test runners, interpreters and shells get options, or load programs, that no command line names. */
const deciding = new RegExp(
  `^(?:${[
    'NODE_OPTIONS|NODE_PATH|PYTEST_ADDOPTS|PYTEST_PLUGINS|PYTHONPATH|RUBYOPT|RUBYLIB|PERL5OPT|PERL5LIB|GOFLAGS',
    'JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS|MAVEN_ARGS|MAVEN_OPTS|GRADLE_OPTS|RUSTC_WRAPPER|RUSTFLAGS',
    'MAKEFLAGS|GNUMAKEFLAGS|MAKEFILES|BASH_ENV|ENV|LD_PRELOAD|DYLD_INSERT_LIBRARIES',
    'npm_config_(?:script_shell|ignore_scripts|if_present|workspaces?)',
  ].join('|')})$`,
  'i',
)

/** What a reader should know about the environment of a command, who trusts its check, without the values. */
export function variableRemarks(env: Env): string[] {
  const names = Object.keys(env).filter((name) => env[name] && deciding.test(name))
  return names.length === 0 ? [] : [`The environment sets ${names.sort().join(', ')}.`]
}

/** The program that a word names; undefined for a path of the work, which is in its tree. */
function pathOf(name: string, cwd: string, env: Env): string | undefined {
  if (name.includes('/')) return [resolve(cwd, name)].find((path) => folders.test(name) && isProgram(path))
  const names = fileNames(name, env)
  return (variableOf(env, 'PATH') ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((one) => resolve(cwd, folder, one)))
    .find(isProgram)
}

const placeOf = (path: string, root: string): string | undefined => {
  if (isIn(root, path)) return 'inside the project'
  return temporaryFolders().some((folder) => isIn(folder, path)) ? 'in a folder for temporary files' : undefined
}

const isIn = (folder: string, path: string) => path.startsWith(folder + sep)

/** Whether a package manager installs programs into the folder: that of npm, or of a virtual environment of Python. */
function isInstalled(path: string): boolean {
  const folder = dirname(path)
  if (folder.endsWith(join('node_modules', '.bin'))) return true
  return basename(folder) === 'bin' && statSync(join(folder, '../pyvenv.cfg'), { throwIfNoEntry: false }) !== undefined
}
