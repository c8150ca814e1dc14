import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { here } from './system.ts'

// Windows shows a process only to programs that take longer than a hook may. There, a process is known by its number
// alone, and has no ancestors.

let machine: string | undefined

/** The name of this machine and, on Linux, the PID namespace: a container has its own. */
export function thisMachine(): string {
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
export type ReadProcess = (pid: number) => Running | undefined

const isLinux = process.platform === 'linux'

export const look: ReadProcess = (pid) => (here === 'windows' ? undefined : isLinux ? lookInProc(pid) : lookByPs(pid))

/** For several processes at once. */
export const lookForMany = (): ReadProcess => (here === 'windows' ? look : isLinux ? lookInProc : lookByOnePs())

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

export const lookByPs = (pid: number, withinMs?: number): Running | undefined =>
  processesByPs(['-p', String(pid)], withinMs).get(pid)

/** Reads all processes with one call of `ps`, since an agent waits for each call. */
export function lookByOnePs(withinMs?: number): ReadProcess {
  const all = processesByPs(['-A'], withinMs)
  return (pid) => all.get(pid)
}

function processesByPs(which: string[], withinMs = 1_000): Map<number, Running> {
  // One option per column: macOS and the BSDs take all that follows an equals sign as the heading of that column.
  const columns = ['pid=', 'ppid=', 'lstart=', 'command='].flatMap((column) => ['-o', column])
  try {
    const printed = execFileSync('ps', ['-ww', ...columns, ...which], {
      // The start must be the same for every reader.
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      // A relative folder of the PATH must not be one of the current folder.
      cwd: '/',
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: withinMs,
      maxBuffer: 67_108_864,
    })
    return new Map(printed.split('\n').flatMap(listed))
  } catch {
    return new Map()
  }
}

function listed(line: string): [number, Running][] {
  const [, pid, parent, started = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+((?:\S+\s+){4}\d{4})\s+(.*)/.exec(line) ?? []
  if (pid === undefined) return []
  return [[Number(pid), { parent: Number(parent), started, words: command.split(/\s+/) }]]
}
