import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Lag, startProbed } from './lag.ts'
import { load, requestOf } from './load.ts'
import { atMost, percentile, type Row, shown } from './report.ts'
import { adminKey, type Server, startConduct, type Workplace } from './servers.ts'

const goal = { bar: 20, hope: 10 }
const seconds = { SQLite: { bar: 60, hope: 30 }, PostgreSQL: { bar: 180, hope: 60 } }
const dayMs = 86_400_000
const headers = { authorization: `Bearer ${adminKey}` }

/**
 * How long retention takes for small runs, and the deletion of their project. Meanwhile measures the event-loop lag of the
 * server, and creates runs through another server on the same database.
 */
export async function measureRetention(place: Workplace, { runs }: { runs: number }): Promise<Row[]> {
  const rows: Row[] = []
  for (const engine of ['SQLite', 'PostgreSQL'] as const) {
    const url = engine === 'SQLite' ? `sqlite:${join(place.folder(), 'conduct.db')}` : await place.postgres()
    const { server, lagOf } = await startProbed(place, url)
    const other = await place.server(startConduct(url))
    const titled = (what: string) => `${engine}, ${what} ${runs.toLocaleString('en')} runs`
    const measured = async (what: string, work: () => Promise<unknown>) => {
      const creates: number[] = []
      const started = performance.now()
      const lag = await lagOf(() => whileCreating(other, creates, work()))
      rows.push(...rowsOf(titled(what), (performance.now() - started) / 1000, seconds[engine], lag, creates))
    }
    await seed(server, runs)
    await keep(server, { contentDays: 90 })
    await measured('erasing the texts of', () => forgetAll(server))
    await keep(server, { runDays: 90 })
    await measured('deleting', () => forgetAll(server))
    await keep(server, null)
    await seed(server, runs)
    const full = await bytesOf(url)
    await measured('deleting a project of', () => deleteProject(server, url))
    // SQLite looks once a minute whether much of its file is free.
    if (engine === 'SQLite') await sleep(90_000)
    rows.push({
      title: titled('size before and after deleting a project of'),
      measured: `${shown(full / 1e6)} → ${shown((await bytesOf(url)) / 1e6)} MB`,
    })
  }
  return rows
}

function rowsOf(title: string, taken: number, bar: { bar: number; hope: number }, lag: Lag, creates: number[]): Row[] {
  const ms = `${shown(lag.p99)} ms (p50 ${shown(lag.p50)}, at most ${shown(lag.most)})`
  const waits = [0.5, 0.99, 1].map((part) => shown(percentile(creates, part)))
  return [
    atMost(title, taken, 's', bar),
    atMost(`event-loop lag p99, ${title}`, lag.p99, 'ms', goal, ms),
    {
      title: `creates through another server, ${title}`,
      measured: `p50 ${waits[0]} ms, p99 ${waits[1]} ms, at most ${waits[2]} ms`,
    },
  ]
}

const inShop = { ...headers, 'x-project-id': 'shop' }

/** Fills a project with ended runs of 400 days ago, each with a log, a turn and a check. */
async function seed(server: Server, runs: number): Promise<void> {
  await fetch(`${server.url}/v1/projects`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ slug: 'shop' }),
  })
  const at = new Date(Date.now() - 400 * dayMs).toISOString()
  const post = async (pathOf: (n: number) => string, bodyOf: (n: number) => object) => {
    let n = 0
    const next = () => requestOf(server.url, 'POST', pathOf(++n), inShop, JSON.stringify(bodyOf(n)))
    await load(server.url, next, { requests: runs })
  }
  const content = 'A line of a log.\n'.repeat(20)
  const times = { startedAt: at, endedAt: at, status: 'completed' }
  await post(
    () => '/v1/runs',
    (n) => ({ runId: `S-${n}`, title: `Run ${n}`, content, ...times, specId: `SPEC-${n % 50}`, labels: { n: `${n}` } }),
  )
  await post(
    (n) => `/v1/runs/S-${n}/turns`,
    (n) => ({ n: 1, prompt: `Please do ${n}.`, answer: `Did ${n}.`, usage: { inputTokens: 7 } }),
  )
  await post(
    () => '/v1/checks',
    (n) => ({ runId: `S-${n}`, name: 'test', result: 'pass', command: 'npm test', content: `${n} passed` }),
  )
}

/** Asks again while the server is busy, as the commands do, for a minute. */
async function ask(
  server: Server,
  method: string,
  path: string,
  body: object,
  until = performance.now() + 60_000,
): Promise<Record<string, unknown>> {
  const response = await fetch(server.url + path, {
    method,
    headers: { ...inShop, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.status === 503 && performance.now() < until) {
    await sleep(100)
    return ask(server, method, path, body, until)
  }
  if (!response.ok) throw new Error(`${path} returned ${response.status}: ${await response.text()}`)
  return (await response.json()) as Record<string, unknown>
}

const keep = (server: Server, retention: object | null) => ask(server, 'PATCH', '/v1/projects/shop', { retention })

async function forgetAll(server: Server): Promise<void> {
  let answer = await ask(server, 'POST', '/v1/forget', {})
  while (answer.hasMore) answer = await ask(server, 'POST', '/v1/forget', { cursor: answer.nextCursor })
}

/** Deletes the project, and waits until its rows and the texts of its events are gone. */
async function deleteProject(server: Server, url: string): Promise<void> {
  await ask(server, 'DELETE', '/v1/projects/shop', { confirm: 'shop' })
  const read = await reader(url)
  const shop = `(select max(id) from projects where slug like 'shop~%')`
  const isLeft = `select 1 as one where exists (select 1 from runs where project_id = ${shop})
    or not exists (select 1 from events where type = 'erasure.created' and project_id = ${shop} and changes like '%"project"%')`
  while ((await read(isLeft)) > 0) await sleep(100)
  await read.close()
}

/** Returns a function that counts the rows of a statement, past Conduct. */
async function reader(url: string) {
  if (url.startsWith('sqlite:')) {
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true })
    return Object.assign(async (text: string) => db.prepare(text).all().length, { close: async () => db.close() })
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return Object.assign(async (text: string) => (await client.query(text)).rows.length, { close: () => client.end() })
}

async function bytesOf(url: string): Promise<number> {
  if (url.startsWith('sqlite:')) return statSync(url.slice('sqlite:'.length)).size
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query('select pg_database_size(current_database()) as bytes')
  await client.end()
  return Number(rows[0].bytes)
}

/** Creates runs one after the other until `work` is done, and adds how long each took to `times`. */
async function whileCreating(server: Server, times: number[], work: Promise<unknown>): Promise<void> {
  let isOver = false
  const done = work.finally(() => {
    isOver = true
  })
  while (!isOver) {
    const started = performance.now()
    const response = await fetch(`${server.url}/v1/runs`, { method: 'POST', headers: own, body: '{"title":"Beside"}' })
    await response.text()
    if (!response.ok) throw new Error(`A create returned ${response.status}.`)
    times.push(performance.now() - started)
    await sleep(10)
  }
  await done
}

const own = { ...headers, 'content-type': 'application/json' }
