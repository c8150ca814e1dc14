// Preloaded into a server (`node --import`): measures how long its event loop keeps a request waiting. On SIGUSR2 it
// writes what it has measured since the last SIGUSR2 to BENCH_LAG_FILE, as JSON.
import { renameSync, writeFileSync } from 'node:fs'

const everyMs = 1
let waits: number[] = []
let last = performance.now()

// A pause of 50 ms is not a single long wait among thousands of short ones: a request that arrives during it waits for
// the rest.
setInterval(() => {
  const now = performance.now()
  waits.push(Math.max(0, now - last - everyMs))
  for (let rest = now - last - 2 * everyMs; rest > 0; rest -= everyMs) waits.push(rest)
  last = now
}, everyMs).unref()

const at = (part: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * part))] ?? 0

process.on('SIGUSR2', () => {
  const file = process.env.BENCH_LAG_FILE as string
  waits.sort((a, b) => a - b)
  writeFileSync(`${file}.new`, JSON.stringify({ p50: at(0.5), p99: at(0.99), most: at(1), samples: waits.length }))
  renameSync(`${file}.new`, file)
  waits = []
  last = performance.now()
})
