import { readFileSync, writeFileSync } from 'node:fs'

// Loaded before a program by NODE_OPTIONS: writes the most memory that the process had resident, in MB, to the file that
// PEAK_FILE names. Linux counts it for the program alone; elsewhere it includes what the process had before.

process.on('exit', () => {
  if (process.env.PEAK_FILE !== undefined) writeFileSync(process.env.PEAK_FILE, String(peakOf('self')))
})

/** The most memory that a process had resident so far, in MB. */
export function peakOf(pid: number | 'self'): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes) / 1024
  } catch {
    return process.resourceUsage().maxRSS / 1024
  }
}
