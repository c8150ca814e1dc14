import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { here } from './system.ts'

/** Whether the keys of a terminal, such as Ctrl-C, send signals to us. They send them to our children, too. */
export function isInForeground(): boolean {
  if (here === 'windows') return process.stdin.isTTY
  try {
    const [ours, foreground] = process.platform === 'linux' ? groupsInProc() : groupsByPs()
    return ours === foreground
  } catch {
    return process.stdin.isTTY
  }
}

/** By proc_pid_stat(5): field 5 is our process group, field 8 the one in the foreground, -1 without a terminal. */
function groupsInProc(): (string | undefined)[] {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  // Field 2, in parentheses, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return [fields[2], fields[5]]
}

function groupsByPs(): string[] {
  const words = ['-o', 'pgid=', '-o', 'tpgid=', '-p', String(process.pid)]
  // A relative folder of the PATH must not be one of the current folder.
  const printed = execFileSync('ps', words, { encoding: 'utf8', stdio: 'pipe', timeout: 1_000, cwd: '/' })
  return printed.trim().split(/\s+/)
}
