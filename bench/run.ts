// Measures Conduct as it is built in dist/ and prints tables in markdown. `--only size,speed,streams,page,growth` chooses parts,
// `--runs` the larger ledger of the growth, `--rounds` and `--seconds` how long the load is.
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { measureGrowth } from './growth.ts'
import { measurePage } from './page.ts'
import { type Row, table } from './report.ts'
import { type Workplace, workplace } from './servers.ts'
import { measureSize } from './size.ts'
import { measureSpeed } from './speed.ts'
import { measureStreams } from './stream.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'size,speed,streams,page,growth' },
    runs: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
  },
})
const [runs, rounds, seconds] = [values.runs, values.rounds, values.seconds].map(Number) as [number, number, number]

const parts: Record<string, { title: string; measure(place: Workplace): Promise<Row[]> }> = {
  size: { title: 'Size', measure: measureSize },
  speed: {
    title: `Speed: 32 connections, 1 KB of content, pages of 20, medians of ${rounds} rounds of ${seconds} s`,
    measure: (place) => measureSpeed(place, { rounds, seconds }),
  },
  streams: { title: 'Streams of events', measure: measureStreams },
  page: { title: 'The dashboard in a browser, with 1,000 and with 100,000 runs', measure: measurePage },
  growth: {
    title: `Growth: median latency with 1,000 and with ${runs.toLocaleString('en')} runs`,
    measure: (place) => measureGrowth(place, runs),
  },
}

const gigabytes = Math.round(totalmem() / 2 ** 30)
const today = new Date().toISOString().slice(0, 10)
console.log(`${today}, Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${gigabytes} GB`)
for (const name of values.only.split(',')) {
  const part = parts[name]
  if (!part) throw new Error(`There is no part '${name}': choose of ${Object.keys(parts).join(', ')}.`)
  const place = workplace()
  try {
    console.log(`\n## ${part.title}\n\n${table(await part.measure(place))}`)
  } finally {
    await place.close()
  }
}
