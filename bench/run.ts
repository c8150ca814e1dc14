// Measures Conduct as it is built in dist/, and prints each figure beside its bar. Ends with 1 where one is missed.
// `npm run bench` measures everything; `npm run bench -- growth lag` these parts. `--runs` sets the larger ledger,
// `--rounds` and `--seconds` how long the loads last, `--smoke` makes everything tiny, to see that it runs.
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { measureSlowFsync } from './fsync.ts'
import { measureGrowth } from './growth.ts'
import { measureHook } from './hook.ts'
import { measureLag } from './lag.ts'
import { measureLog } from './log.ts'
import { measureMigration } from './migration.ts'
import { measurePage } from './page.ts'
import { measureProjects } from './projects.ts'
import { type Row, table } from './report.ts'
import { type Workplace, workplace } from './servers.ts'
import { measureSize } from './size.ts'
import { measureSpeed } from './speed.ts'
import { measureStreams } from './stream.ts'
import { measureTwoServers } from './two-servers.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    smoke: { type: 'boolean', default: false },
  },
})
const { smoke } = values
const sizeOf = (given: string | undefined, full: number, tiny: number) => Number(given ?? (smoke ? tiny : full))
const runs = sizeOf(values.runs, 1_000_000, 2000)
const options = { rounds: sizeOf(values.rounds, 3, 1), seconds: sizeOf(values.seconds, 4, 0.3) }
const inAll = runs.toLocaleString('en')
const under = `32 connections, 1 KB of content, pages of 20, medians of ${options.rounds} rounds of ${options.seconds} s`

const parts: Record<string, { title: string; measure(place: Workplace): Promise<Row[]> }> = {
  size: { title: 'Size and start', measure: measureSize },
  hook: { title: 'Hooks of agents', measure: (place) => measureHook(place, smoke ? { count: 500 } : {}) },
  speed: { title: `Speed: ${under}`, measure: (place) => measureSpeed(place, options) },
  fsync: { title: 'Speed on a slower disk', measure: (place) => measureSlowFsync(place, options) },
  servers: { title: 'Two servers on one PostgreSQL', measure: (place) => measureTwoServers(place, options) },
  streams: { title: 'Streams of events', measure: measureStreams },
  log: { title: 'A log that grows', measure: (place) => measureLog(place, smoke ? { size: 100_000 } : {}) },
  lag: {
    title: 'How long the event loop keeps a request waiting',
    measure: (place) => measureLag(place, { ...options, ...(smoke && { backlog: 20, logs: 2 }) }),
  },
  page: { title: 'The dashboard in a browser, with 1,000 and with 100,000 runs', measure: measurePage },
  growth: {
    title: `Growth: median latency with 1,000 and with ${inAll} runs`,
    measure: (place) => measureGrowth(place, runs),
  },
  projects: { title: 'Many projects', measure: (place) => measureProjects(place, smoke ? 3000 : 100_000) },
  migration: { title: `Upgrade of ${inAll} runs`, measure: (place) => measureMigration(place, runs) },
}

const unknown = positionals.find((name) => !(name in parts))
if (unknown) throw new Error(`There is no part '${unknown}': choose of ${Object.keys(parts).join(', ')}.`)

const gigabytes = Math.round(totalmem() / 2 ** 30)
const today = new Date().toISOString().slice(0, 10)
console.log(`${today}, Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${gigabytes} GB`)
let missed = 0
for (const [name, { title, measure }] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const place = workplace()
  try {
    const rows = await measure(place)
    missed += rows.filter(({ pass }) => pass === false).length
    console.log(`\n## ${title}\n\n${table(rows)}`)
  } finally {
    await place.close()
  }
}
if (missed > 0) {
  console.log(`\n${missed} ${missed === 1 ? 'figure misses its bar' : 'figures miss their bars'}.`)
  process.exitCode = 1
}
