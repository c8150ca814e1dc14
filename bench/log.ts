import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { load, requestOf } from './load.ts'
import { atMost, type Row, shown } from './report.ts'
import { adminKey, type Server, startConduct, type Workplace } from './servers.ts'

const growth = { bar: 1.3, hope: 1.05 }
const bytesEach = { bar: 300, hope: 150 }
const textBytes = 35
/** Unique lines, because engines may compress repetitions. */
const lineOf = (n: number) =>
  `- ${(n * 2_654_435_761).toString(36)} passed, ${n % 7} failed`.padEnd(textBytes - 1, '.').concat('\n')
const headers = { authorization: `Bearer ${adminKey}` }
/** How many appends to compare at the start and at the end of the log. */
const compared = 500

/** A log that grows line by line to 1 MiB, each line at its offset as recorders send it. */
export async function measureLog(place: Workplace, { size = 1_048_576 } = {}): Promise<Row[]> {
  const rows: Row[] = []
  const path = join(place.folder(), 'conduct.db')
  const urls = { SQLite: `sqlite:${path}`, PostgreSQL: await place.postgres() }
  for (const [engine, url] of Object.entries(urls)) {
    const server = await place.server(startConduct(url))
    const create = requestOf(server.url, 'POST', '/v1/runs', headers, JSON.stringify({ runId: 'LOG', title: 'A log' }))
    await load(server.url, () => create, { connections: 1, requests: 1 })
    const append = appends(server)
    await load(server.url, append, { connections: 1, requests: compared })
    const before = await bytesOf(url)
    const first = await load(server.url, append, { connections: 1, requests: compared })
    const between = Math.max(0, Math.floor(size / textBytes) - 3 * compared)
    await load(server.url, append, { connections: 1, requests: between })
    const last = await load(server.url, append, { connections: 1, requests: compared })
    const each = ((await bytesOf(url)) - before) / (between + 2 * compared)
    const ratio = last.p50 / first.p50
    const said = `${shown(first.p50)} → ${shown(last.p50)} ms: ${ratio.toFixed(2)} ×`
    rows.push(
      atMost(
        `${engine}: append of ${textBytes} bytes to an empty log → to one of ${shown(size / 1024)} KiB`,
        ratio,
        '×',
        growth,
        said,
      ),
      atMost(`${engine}: database bytes per append of ${textBytes} bytes`, each, 'bytes', bytesEach),
    )
  }
  return rows
}

/** Appends lines one after another, each at the offset where the last one ended. */
function appends({ url }: Server) {
  let n = 0
  return () => {
    const body = JSON.stringify({ text: lineOf(n), offset: n * textBytes })
    n++
    return requestOf(url, 'POST', '/v1/runs/LOG/content', headers, body)
  }
}

async function bytesOf(url: string): Promise<number> {
  if (url.startsWith('sqlite:')) {
    const db = new DatabaseSync(url.slice('sqlite:'.length))
    const row = db.prepare('select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()').get()
    db.close()
    return Number(row?.bytes)
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('checkpoint')
  const { rows } = await client.query('select pg_database_size(current_database()) as bytes')
  await client.end()
  return Number(rows[0].bytes)
}
