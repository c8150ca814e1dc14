import { appendFileSync } from 'node:fs'
import { peakOf } from './peak.ts'

// A module for NODE_OPTIONS. At exit, each process appends its peak resident memory in MB and its command to the file in
// PEAKS_FILE.

process.on('exit', () => {
  if (process.env.PEAKS_FILE !== undefined)
    appendFileSync(process.env.PEAKS_FILE, `${peakOf('self')} ${process.argv.slice(2).join(' ')} \n`)
})
