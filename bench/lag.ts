import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { load, requestOf } from './load.ts'
import { atMost, type Row, shown } from './report.ts'
import { adminKey, type Server, startConduct, type Workplace } from './servers.ts'
import { seeded, seedOf, type WorkName, works } from './work.ts'

const goal = { bar: 20, hope: 10 }
const headers = { authorization: `Bearer ${adminKey}` }
const probe = fileURLToPath(new URL('lag-probe.ts', import.meta.url))

interface Lag {
  p50: number
  p99: number
  most: number
}

export interface LagOptions {
  seconds: number
  /** Runs of 60 KB whose words are not indexed yet. */
  backlog?: number
  /** Logs of 1 MiB that grow at once. */
  logs?: number
}

/** How long the event loop of a server keeps requests waiting, under each load, on both engines. */
export async function measureLag(place: Workplace, options: LagOptions): Promise<Row[]> {
  const rows: Row[] = []
  for (const engine of ['SQLite', 'PostgreSQL'] as const) {
    const url = async () =>
      engine === 'SQLite' ? `sqlite:${join(place.folder(), 'conduct.db')}` : await place.postgres()
    rows.push(...(await underLoad(place, engine, await url(), options)))
    rows.push(await withBacklog(place, engine, await url(), options))
    rows.push(await withLogs(place, engine, await url(), options))
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

/** Many long runs are written, the server is killed, and its successor finds them unindexed. */
async function withBacklog(place: Workplace, engine: string, url: string, { backlog = 1000 }: LagOptions) {
  const first = await startConduct(url)
  await load(first.url, longRuns(first), { connections: 8, requests: backlog })
  await ask(first, '/v1/runs', { title: 'The last of them', content: 'lastofthem' })
  await first.stop('SIGKILL')
  const { server, lagOf } = await startProbed(place, url)
  const lag = await lagOf(() => untilFound(server, 'lastofthem'))
  return rowOf(`${engine}, a backlog of ${backlog.toLocaleString('en')} unindexed runs of 60 KB`, lag)
}

/** Waits until a word is indexed, by a filter that no other run has. The search itself may index what is missing. */
async function untilFound({ url }: Server, word: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/v1/search?q=${word}`, { headers })
    // While a large index is built, the answer is 503.
    const { results = [] } = (await response.json()) as { results?: unknown[] }
    if (results.length > 0) return
    await sleep(20)
  }
}

async function withLogs(place: Workplace, engine: string, url: string, { logs = 20, seconds }: LagOptions) {
  const { server, lagOf } = await startProbed(place, url)
  const full = Array.from({ length: 16_000 }, (_, n) => `${n} PASS src/part-${n % 977}.test.ts (${n % 89} ms)`).join(
    '\n',
  )
  for (let n = 0; n < logs; n++) await ask(server, '/v1/runs', { runId: `LOG-${n}`, content: full.slice(0, 1_000_000) })
  await ask(server, '/v1/runs', { content: 'logsarethere' })
  await untilFound(server, 'logsarethere')
  const lag = await lagOf(async () => {
    for (let turn = 0; turn < seconds * 4; turn++) {
      const text = `${turn} PASS src/part-${turn}.test.ts (7 ms)\n`
      await Promise.all([
        sleep(500),
        ...Array.from({ length: logs }, (_, n) => ask(server, `/v1/runs/LOG-${n}/content`, { text })),
      ])
    }
  })
  return rowOf(`${engine}, ${logs} logs of 1 MiB, each growing by two lines a second`, lag)
}

async function ask({ url }: Server, path: string, body: object): Promise<void> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`)
}

/** Creates of runs with 60 KB of words of their own. */
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

/** A server with the probe in it, and what measures the lag while something goes on. */
async function startProbed(place: Workplace, url: string) {
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
