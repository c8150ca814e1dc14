import { accessSync, constants, statSync } from 'node:fs'
import { here, pathsOf, type System } from './system.ts'

type Env = NodeJS.ProcessEnv

/** The value of a variable. Windows does not tell `Path` from `PATH`, but a copy of its environment does. */
export function variableOf(env: Env, name: string, system: System = here): string | undefined {
  if (system === 'posix') return env[name]
  const key = Object.keys(env).find((one) => one.toUpperCase() === name)
  return key && env[key]
}

/** The absolute folders of the PATH. A relative one would be that of the folder in which a program runs. */
function programFolders(env: Env, system: System = here): string[] {
  const { delimiter, isAbsolute } = pathsOf(system)
  return (variableOf(env, 'PATH', system) ?? '').split(delimiter).filter(isAbsolute)
}

/** A copy of an environment whose PATH has no relative folders. */
export function withAbsolutePath({ ...env }: Env, system: System = here): Env {
  if (variableOf(env, 'PATH', system) === undefined) return env
  const path = programFolders(env, system).join(pathsOf(system).delimiter)
  for (const name of Object.keys(env)) if (system === 'windows' && name.toUpperCase() === 'PATH') delete env[name]
  return { ...env, PATH: path }
}

/** The names that the file of a program may have: on Windows, one of several endings makes it a program. */
export function fileNames(program: string, env: Env, system: System = here): string[] {
  if (system === 'posix') return [program]
  const endings = (variableOf(env, 'PATHEXT', system) || '.COM;.EXE;.BAT;.CMD').toLowerCase().split(';')
  const names = endings.filter(Boolean).map((ending) => program + ending)
  return endings.includes(pathsOf(system).extname(program).toLowerCase()) ? [program, ...names] : names
}

/**
 * The path of the program that a shell would run; undefined if there is none. Unlike Windows itself, this never looks in
 * the current folder, which may come from anybody.
 */
export function findProgram(program: string, env: Env, system: System = here, isThere = isProgram): string | undefined {
  const names = fileNames(program, env, system)
  const { join } = pathsOf(system)
  return programFolders(env, system)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(isThere)
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

/** How to start a program with arguments. */
interface Start {
  file: string
  args: string[]
  options: { windowsVerbatimArguments?: boolean }
}

/**
 * How to start the command that these words name. On Windows, npm, npx and what npm installs are batch files, which only
 * cmd.exe can run. Throws an Error for an argument that it cannot pass.
 */
export function startOf(
  [command = '', ...args]: string[],
  env: Env,
  system: System = here,
  isThere = isProgram,
): Start {
  if (system === 'posix') return { file: command, args, options: {} }
  const isPath = /[\\/]/.test(command)
  const found = isPath ? fileNames(command, env, system).find(isThere) : findProgram(command, env, system, isThere)
  // Windows would look for it in the current folder.
  if (found === undefined && !isPath) throw Object.assign(new Error('there is no such program'), { code: 'ENOENT' })
  const file = pathsOf(system).resolve(found ?? command)
  if (!/\.(?:cmd|bat)$/i.test(file)) return { file, args, options: {} }
  const line = [escaped(file), ...args.map(batchArgument)].join(' ')
  return {
    file: variableOf(env, 'COMSPEC', system) ?? 'cmd.exe',
    args: ['/d', '/s', '/c', `"${line}"`],
    options: { windowsVerbatimArguments: true },
  }
}

/** Takes the meaning from what cmd.exe would not pass on as it is. */
const escaped = (text: string) => text.replace(/[()\][%!^"`<>&|;, *?]/g, '^$&')

/**
 * An argument of a batch file that passes it on with `%*`, as those of npm do: cmd.exe reads it twice, then the program
 * splits its command line by the rules of Microsoft's C runtime.
 */
function batchArgument(text: string): string {
  if (/[\0\r\n]/.test(text)) throw new Error('cmd.exe cannot pass on an argument with a line break')
  if (/^[\w./\\:@+-]+$/.test(text)) return text
  const quoted = `"${text.replace(/(?<!\\)(\\*)"/g, '$1$1\\"').replace(/(?<!\\)(\\*)$/, '$1$1')}"`
  return escaped(escaped(quoted))
}
