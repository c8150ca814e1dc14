import { readFileSync, writeFileSync } from 'node:fs'

// A module for NODE_OPTIONS. At exit, it writes the peak resident memory of the process, in MB, to the file in
// PEAK_FILE. On Linux the peak is that of the program; elsewhere it includes what the process used before.

process.on('exit', () => {
  if (process.env.PEAK_FILE !== undefined) writeFileSync(process.env.PEAK_FILE, String(peakOf('self')))
})

/** The peak resident memory of a process so far, in MB. */
export function peakOf(pid: number | 'self'): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes) / 1024
  } catch {
    return process.resourceUsage().maxRSS / 1024
  }
}
