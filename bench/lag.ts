import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { untilIndexed } from './indexed.ts'
import { load, requestOf } from './load.ts'
import { atMost, median, type Row, shown } from './report.ts'
import { adminKey, type Server, startConduct, type Workplace } from './servers.ts'
import { seeded, seedOf, type WorkName, works } from './work.ts'

const goal = { bar: 20, hope: 10 }
const headers = { authorization: `Bearer ${adminKey}` }
const probe = fileURLToPath(new URL('lag-probe.ts', import.meta.url))

export interface Lag {
  p50: number
  p99: number
  most: number
}

interface LagOptions {
  seconds: number
  /** Runs of 60 KB whose words are not indexed yet. */
  backlog?: number
  /** Logs of 1 MiB that grow at the same time. */
  logs?: number
}

/** How long the event loop of a server keeps requests waiting under each load, on both engines. */
export async function measureLag(place: Workplace, options: LagOptions): Promise<Row[]> {
  const rows: Row[] = []
  for (const engine of ['SQLite', 'PostgreSQL'] as const) {
    const url = async () =>
      engine === 'SQLite' ? `sqlite:${join(place.folder(), 'conduct.db')}` : await place.postgres()
    rows.push(...(await underLoad(place, engine, await url(), options)))
    rows.push(...(await withBacklog(place, engine, await url(), options)))
    rows.push(...(await withLogs(place, engine, await url(), options)))
  }
  return rows
}

const rowOf = (title: string, { p50, p99, most }: Lag) =>
  atMost(
    `event-loop lag p99, ${title}`,
    p99,
    'ms',
    goal,
    `${shown(p99)} ms (p50 ${shown(p50)}, at most ${shown(most)})`,
  )

async function underLoad(place: Workplace, engine: string, url: string, { seconds }: LagOptions): Promise<Row[]> {
  const { server, lagOf } = await startProbed(place, url)
  await load(server.url, seedOf(server), { requests: seeded })
  const rows: Row[] = []
  for (const work of ['get', 'list', 'create', 'append', 'events'] satisfies WorkName[]) {
    rows.push(rowOf(`${engine}, 32 × ${work}`, await lagOf(() => load(server.url, works[work](server), { seconds }))))
  }
  return rows
}

/** Many long runs are written, the server is killed, and the next one finds them unindexed. Meanwhile a run grows. */
async function withBacklog(place: Workplace, engine: string, url: string, { backlog = 1000, seconds }: LagOptions) {
  const first = await startConduct(url)
  await ask(first, '/v1/runs', { runId: 'LOG-0', content: 'begun' })
  await load(first.url, longRuns(first), { connections: 8, requests: backlog })
  await first.stop('SIGKILL')
  const { server, lagOf } = await startProbed(place, url)
  const found: number[] = []
  const lag = await lagOf(() => growLogs(server, 1, seconds, found))
  return rowsOf(`${engine}, a backlog of ${backlog.toLocaleString('en')} unindexed runs of 60 KB`, lag, found)
}

async function withLogs(place: Workplace, engine: string, url: string, { logs = 20, seconds }: LagOptions) {
  const { server, lagOf } = await startProbed(place, url)
  const full = Array.from({ length: 16_000 }, (_, n) => `${n} PASS src/part-${n % 977}.test.ts (${n % 89} ms)`).join(
    '\n',
  )
  for (let n = 0; n < logs; n++) await ask(server, '/v1/runs', { runId: `LOG-${n}`, content: full.slice(0, 1_000_000) })
  await untilIndexed(url)
  const found: number[] = []
  const lag = await lagOf(() => growLogs(server, logs, seconds, found))
  return rowsOf(`${engine}, ${logs} logs of 1 MiB, each growing by two lines a second`, lag, found)
}

/**
 * Appends a line to each log every half second, and searches for the line of the first each time. Records how long that
 * takes. Throws if the search does not find it at once.
 */
async function growLogs(server: Server, logs: number, seconds: number, found: number[]): Promise<void> {
  for (let turn = 0; turn < seconds * 4; turn++) {
    const text = `\n${turn} PASS src/new-${turn}.test.ts (7 ms)`
    const pause = sleep(500)
    await Promise.all(Array.from({ length: logs }, (_, n) => ask(server, `/v1/runs/LOG-${n}/content`, { text })))
    const started = performance.now()
    const response = await fetch(`${server.url}/v1/search?q=new-${turn}.test.ts&limit=100`, { headers })
    const body = await response.text()
    if (!body.includes('"LOG-0"')) throw new Error(`A line that was just appended is not found: ${body}`)
    found.push(performance.now() - started)
    await pause
  }
}

const rowsOf = (title: string, lag: Lag, found: number[]): Row[] => [
  rowOf(title, lag),
  {
    title: `search for the newest line, ${title}`,
    measured: `${shown(median(found))} ms, at most ${shown(Math.max(...found))} ms`,
  },
]

async function ask({ url }: Server, path: string, body: object): Promise<void> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path} returned ${response.status}: ${await response.text()}`)
}

/** Creates runs with 60 KB of unique words. */
function longRuns({ url }: Server) {
  let count = 0
  return () => {
    const n = count++
    const content = Array.from({ length: 6000 }, (_, word) => `w${n}x${word} `)
      .join('')
      .slice(0, 60_000)
    return requestOf(url, 'POST', '/v1/runs', headers, JSON.stringify({ title: `Long run ${n}`, content }))
  }
}

/** A server with the probe, and a function that measures the lag during something. */
export async function startProbed(place: Workplace, url: string) {
  const file = join(place.folder(), 'lag.json')
  const options = { flags: ['--import', probe], env: { BENCH_LAG_FILE: file } }
  const server = await place.server(startConduct(url, options))
  const said = async (): Promise<Lag> => {
    rmSync(file, { force: true })
    process.kill(server.pid, 'SIGUSR2')
    while (!existsSync(file)) await sleep(5)
    return JSON.parse(readFileSync(file, 'utf8'))
  }
  const lagOf = async (work: () => Promise<unknown>): Promise<Lag> => {
    await said()
    await work()
    return said()
  }
  return { server, lagOf }
}
