import { load } from './load.ts'
import { atLeast, median, type Row, shown } from './report.ts'
import { startConduct, type Workplace } from './servers.ts'
import type { SpeedOptions } from './speed.ts'
import { seeded, seedOf, works } from './work.ts'

const goal = { bar: 1.3, hope: 1.5 }
const connections = 16

/** What a second server on the same PostgreSQL adds, with the same number of connections in total. */
export async function measureTwoServers(place: Workplace, { rounds, seconds }: SpeedOptions): Promise<Row[]> {
  const url = await place.postgres()
  const one = await place.server(startConduct(url))
  const two = await place.server(startConduct(url))
  await load(one.url, seedOf(one), { requests: seeded })
  const rows: Row[] = []
  for (const work of ['create', 'append', 'get'] as const) {
    const ratios: number[] = []
    const rates: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const alone = await load(one.url, works[work](one), { connections: 2 * connections, seconds })
      const both = await Promise.all(
        [one, two].map((server) => load(server.url, works[work](server), { connections, seconds })),
      )
      const rate = both.reduce((sum, { rate }) => sum + rate, 0)
      if (round === 0) continue
      rates.push(rate)
      ratios.push(rate / alone.rate)
    }
    const said = `${shown(median(rates))}/s: ${median(ratios).toFixed(2)} ×`
    const title = `${work}: two servers on one PostgreSQL against one`
    rows.push(work === 'create' ? atLeast(title, median(ratios), '×', goal, said) : { title, measured: said })
  }
  return rows
}
