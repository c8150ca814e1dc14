// Measures Conduct as it is built in dist/, and prints each figure beside its bar, and in the end a summary of those that
// have one. A part that fails prints its error, and the others go on. Exits with 1 where a part failed or a bar is missed.
// `npm run bench` measures everything; `npm run bench -- growth lag` these parts. `--runs` sets the larger ledger,
// `--rounds` and `--seconds` how long the loads last, `--smoke` makes everything tiny, to see that it runs.
// `--json FILE` also writes all figures there.
import { writeFileSync } from 'node:fs'
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
import { isAllWell, type Part, type Row, summary, table } from './report.ts'
import { measureRetention } from './retention.ts'
import { measureSeal } from './seal.ts'
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
    json: { type: 'string' },
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
  seal: { title: 'The seal', measure: (place) => measureSeal(place, options) },
  log: { title: 'A log that grows', measure: (place) => measureLog(place, smoke ? { size: 100_000 } : {}) },
  lag: {
    title: 'How long the event loop keeps a request waiting',
    measure: (place) => measureLag(place, { ...options, ...(smoke && { backlog: 20, logs: 2 }) }),
  },
  retention: {
    title: 'Retention, and deleting a project',
    measure: (place) => measureRetention(place, { runs: sizeOf(values.runs, 20_000, 100) }),
  },
  page: { title: 'The dashboard in a browser, with 1,000 and with 100,000 runs', measure: measurePage },
  growth: {
    title: `Growth on SQLite: median latency with 1,000 and with ${inAll} runs`,
    measure: (place) => measureGrowth(place, 'SQLite', runs),
  },
  'growth-postgres': {
    title: `Growth on PostgreSQL: median latency with 1,000 and with ${inAll} runs`,
    measure: (place) => measureGrowth(place, 'PostgreSQL', runs),
  },
  projects: { title: 'Many projects', measure: (place) => measureProjects(place, smoke ? 3000 : 100_000) },
  migration: { title: `Upgrade of ${inAll} runs`, measure: (place) => measureMigration(place, runs) },
}

const unknown = positionals.find((name) => !(name in parts))
if (unknown) throw new Error(`There is no part '${unknown}': choose of ${Object.keys(parts).join(', ')}.`)

const gigabytes = Math.round(totalmem() / 2 ** 30)
const machine = `${cpus().length} × ${cpus()[0]?.model}, ${gigabytes} GB`
const date = new Date().toISOString().slice(0, 10)
console.log(`${date}, Node.js ${process.version}, ${machine}`)
const measured: Part[] = []
for (const name of positionals.length > 0 ? positionals : Object.keys(parts)) {
  measured.push(await measurePart(name))
  // After each part, so that a stopped run keeps its results.
  if (values.json)
    writeFileSync(values.json, JSON.stringify({ date, node: process.version, machine, measured }, null, 2))
}
console.log(`\n## Summary\n\n${summary(measured)}`)
if (!isAllWell(measured)) process.exitCode = 1

/** Measures a part in its own workplace, and prints its rows or its error. */
async function measurePart(name: string): Promise<Part> {
  const { title, measure } = parts[name] as (typeof parts)[string]
  console.log(`\n## ${title}\n`)
  const place = workplace()
  try {
    const rows = await measure(place)
    console.log(table(rows))
    return { name, rows }
  } catch (error) {
    console.log(`This part failed: ${(error as Error).stack}`)
    return { name, rows: [], error: String(error) }
  } finally {
    await place.close()
  }
}
