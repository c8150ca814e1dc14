import { basename } from 'node:path'
import { look, lookForMany, type ReadProcess, thisMachine } from '../../system/processes.ts'

/** A process of a machine, distinguished from a later one with the same number. */
export interface ProcessId {
  /** The host and, on Linux, the PID namespace: a container has its own. */
  machine: string
  pid: number
  /** When it started, in the machine's own units; null if only the number is known. */
  started: string | null
}

/** A process as the system lists it. */
interface Listed {
  id: ProcessId
  /** The program and its arguments. If only `ps` can list them, an argument with spaces becomes several. */
  words: string[]
}

export const thisProcess = (): ProcessId => idOf(process.pid, look(process.pid)?.started ?? null)

const idOf = (pid: number, started: string | null): ProcessId => ({ machine: thisMachine(), pid, started })

export const sameProcess = (one: ProcessId, other: ProcessId): boolean =>
  one.machine === other.machine && one.pid === other.pid && one.started === other.started

/** Whether that process has certainly ended. A process of another machine may still run. */
export function isGone({ machine, pid, started }: ProcessId): boolean {
  if (machine !== thisMachine()) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
  const seen = look(pid)
  return started !== null && seen !== undefined && seen.started !== started
}

/** Whether that process certainly runs: on this machine, and as the one with its number. */
export const isRunning = (process: ProcessId): boolean => process.machine === thisMachine() && !isGone(process)

/** Longer than any real chain. */
const mostAncestors = 100

/** The parent of a process, its parent, and so on, as far as the system shows them. */
export function ancestorsOf(pid: number, look: ReadProcess = lookForMany()): Listed[] {
  const found: Listed[] = []
  let parent = look(pid)?.parent
  while (parent && found.length < mostAncestors) {
    const seen = look(parent)
    if (!seen) break
    found.push({ id: idOf(parent, seen.started), words: seen.words })
    parent = seen.parent
  }
  return found
}

/**
 * For a hook or an MCP server: the agent process that started it, skipping shells in between; undefined if the system
 * does not show it. A resumed session continues in another process.
 */
export function agentProcessOf(pid = process.pid, look: ReadProcess = lookForMany()): ProcessId | undefined {
  return ancestorsOf(pid, look).find(({ words }) => !isLauncher(words))?.id
}

const launchers = new Set(
  ['ash', 'bash', 'busybox', 'dash', 'fish', 'ksh', 'mksh', 'sh', 'zsh'].concat('env', 'nice', 'timeout'),
)

/** Whether a process only stands between an agent and its child: a shell, an inline script, or our own launcher. */
function isLauncher(words: string[]): boolean {
  if (launchers.has(programOf(words))) return true
  const [first = '', second = ''] = words.slice(1)
  const isOurs = /(?:^|\/)conduct(?:-ledger|\.cjs)?$/.test(first) && (second === 'hook' || second === 'mcp')
  return isOurs || words.slice(1, 4).some((word) => word === '-e' || word === '--eval')
}

/** The name of the program. A login shell has a `-` in front. */
const programOf = ([program = '']: string[]): string => basename(program).replace(/^-/, '')
