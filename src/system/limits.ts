import { findProgram } from './programs.ts'
import { here } from './system.ts'

/**
 * The words that start a program with that limit of memory, which also applies to each program that it starts. Windows
 * has no such limit without a library of its own. Throws an Error if Windows has no such program.
 */
export function limited(program: string, memoryKiB: number, env: NodeJS.ProcessEnv): [string, ...string[]] {
  if (here === 'posix') return ['/bin/sh', '-c', `ulimit -d ${memoryKiB} 2>/dev/null; exec ${program} "$@"`, program]
  // By its name alone, Windows would first look in the current folder, which may come from anybody.
  const found = findProgram(program, env)
  if (found === undefined) throw new Error(`there is no program ${program} on the PATH`)
  return [found]
}

/** Options that start a program in a group of its own, which can be ended as a whole; on Windows without a window. */
export const ownGroup = here === 'posix' ? { detached: true } : { windowsHide: true }

/** Ends a program that `ownGroup` started and all that it has started. Windows has ended the program by then, and alone. */
export function endGroup(pid: number) {
  try {
    if (pid > 0 && here === 'posix') process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}

/** Options for a process that outlives this one, in no folder of a project, and on Windows without a window. */
export const outliving = { detached: true, cwd: '/', windowsHide: true } as const
