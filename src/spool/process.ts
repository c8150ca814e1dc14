import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process of some machine, told apart from a later one with the same number. */
export interface ProcessId {
  /** The host and, on Linux, the namespace that counts the processes: a container counts its own. */
  machine: string
  pid: number
  /** When it started, in the machine's own measure; null where only the number is known. */
  started: string | null
}

export const thisProcess = (): ProcessId => ({
  machine: thisMachine(),
  pid: process.pid,
  started: startOf(process.pid),
})

/** Whether that process has surely ended. One of another machine may still run. */
export function isGone({ machine, pid, started }: ProcessId): boolean {
  if (machine !== thisMachine()) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
  return started !== null && startOf(pid) !== started
}

function thisMachine(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** The 22nd field of /proc/PID/stat, by proc_pid_stat(5); the second, in parentheses, may hold blanks. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
