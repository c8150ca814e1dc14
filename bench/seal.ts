import { join } from 'node:path'
import { load } from './load.ts'
import { atMost, median, type Row, shown } from './report.ts'
import { startOwn, type Workplace } from './servers.ts'
import type { SpeedOptions } from './speed.ts'
import { works } from './work.ts'

const goal = { bar: 3, hope: 2 }
const leastRounds = 5
const warmUpSeconds = 1

/** What the seal costs those who create runs on SQLite: two servers, of which one seals, take the load in turn. */
export async function measureSeal(place: Workplace, { rounds, seconds }: SpeedOptions): Promise<Row[]> {
  const folder = place.folder()
  const start = (seal: string) => place.server(startOwn('seal-server.ts', join(folder, `${seal}.db`), { SEAL: seal }))
  const servers = { on: await start('on'), off: await start('off') }
  const rate = async (seal: 'on' | 'off', seconds: number) =>
    (await load(servers[seal].url, works.create(servers[seal]), { seconds })).rate
  for (const seal of ['on', 'off'] as const) await rate(seal, warmUpSeconds)
  const rates = { on: [] as number[], off: [] as number[] }
  for (let round = 0; round < Math.max(rounds, leastRounds); round++) {
    // Each is the first as often as the other.
    const order = round % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const)
    for (const seal of order) rates[seal].push(await rate(seal, seconds))
  }
  const lost = median(rates.on.map((on, round) => 100 * (1 - on / (rates.off[round] as number))))
  const said = `${shown(median(rates.on))}/s with, ${shown(median(rates.off))}/s without: ${shown(lost)} %`
  return [atMost('creates that SQLite loses to the seal', lost, '%', goal, said)]
}
