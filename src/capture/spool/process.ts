import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename } from 'node:path'

/** A process of a machine, distinguished from a later one with the same number. */
export interface ProcessId {
  /** The host and, on Linux, the PID namespace: a container has its own. */
  machine: string
  pid: number
  /** When it started, in the machine's own units; null if only the number is known. */
  started: string | null
}

/** A process as the system lists it. */
export interface Listed {
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
export function ancestorsOf(pid: number, look: Look = lookForMany()): Listed[] {
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
export function agentProcessOf(pid = process.pid, look: Look = lookForMany()): ProcessId | undefined {
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
export const programOf = ([program = '']: string[]): string => basename(program).replace(/^-/, '')

let machine: string | undefined

function thisMachine(): string {
  try {
    machine ??= `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    machine ??= hostname()
  }
  return machine
}

/** What the system shows about a running process. */
interface Running {
  /** 0 if it has none. */
  parent: number
  started: string
  words: string[]
}

/** Reads a process; undefined if the system shows none with that number. */
export type Look = (pid: number) => Running | undefined

const look: Look = (pid) => (process.platform === 'linux' ? lookInProc(pid) : lookByPs(pid))
const lookForMany = (): Look => (process.platform === 'linux' ? lookInProc : lookByOnePs())

/** By proc_pid_stat(5): field 4 is the parent, field 22 the start; field 2, in parentheses, may contain spaces. */
function lookInProc(pid: number): Running | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const end = stat.lastIndexOf(')')
    const fields = stat.slice(end + 2).split(' ')
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
    const name = stat.slice(stat.indexOf('(') + 1, end)
    return { parent: Number(fields[1]), started: fields[19] ?? '', words: words.length > 0 ? words : [name] }
  } catch {
    return undefined
  }
}

// For systems without /proc, such as macOS. Exported for tests.

export const lookByPs: Look = (pid) => processesByPs('-p', String(pid)).get(pid)

/** Reads all processes with one call of `ps`, since an agent waits for each call. */
export function lookByOnePs(): Look {
  const all = processesByPs('-A')
  return (pid) => all.get(pid)
}

function processesByPs(...which: string[]): Map<number, Running> {
  // One option per column: macOS and the BSDs take all that follows an equals sign as the heading of that column.
  const columns = ['pid=', 'ppid=', 'lstart=', 'command='].flatMap((column) => ['-o', column])
  try {
    const told = execFileSync('ps', ['-ww', ...columns, ...which], {
      // The start must be the same for every reader.
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      // A relative folder of the PATH must not be one of the current folder.
      cwd: '/',
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 1_000,
      maxBuffer: 67_108_864,
    })
    return new Map(told.split('\n').flatMap(listed))
  } catch {
    return new Map()
  }
}

function listed(line: string): [number, Running][] {
  const [, pid, parent, started = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+((?:\S+\s+){4}\d{4})\s+(.*)/.exec(line) ?? []
  if (pid === undefined) return []
  return [[Number(pid), { parent: Number(parent), started, words: command.split(/\s+/) }]]
}
