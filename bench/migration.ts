import { join } from 'node:path'
import { type Row, shown } from './report.ts'
import { seedVersion4 } from './seed.ts'
import { startConduct, type Workplace } from './servers.ts'

/** How long a server takes to migrate a large ledger from version 4 of the schema until it listens. */
export async function measureMigration(place: Workplace, runs: number): Promise<Row[]> {
  const urls = { SQLite: `sqlite:${join(place.folder(), 'conduct.db')}`, PostgreSQL: await place.postgres() }
  const rows: Row[] = []
  for (const [engine, url] of Object.entries(urls)) {
    await seedVersion4(url, runs)
    const started = performance.now()
    const server = await place.server(startConduct(url))
    const seconds = (performance.now() - started) / 1000
    const lines = server
      .output()
      .split('\n')
      .filter((line) => /upgrad/i.test(line)).length
    const said = `${shown(seconds)} s, ${lines} lines of progress`
    rows.push({ title: `${engine}: from the start to the address, on a ledger of version 4`, measured: said })
  }
  return rows
}
