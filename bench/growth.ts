import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { encodeCursor } from '../src/frame/page.ts'
import { untilIndexed } from './indexed.ts'
import { load, type Next, requestOf } from './load.ts'
import { atMost, median, type Row } from './report.ts'
import { featuresOf, hot, seedMany, steadyAgent } from './seed.ts'
import { adminKey, type Server, startConduct, type Workplace } from './servers.ts'

const small = 1000
/** Many short rounds, so that the other load of the machine affects both ledgers alike. The first ones warm up. */
const turnsEach = 40
const warmUpTurns = 10
const requestsATurn = 6
/** A slow question is asked less often. */
const secondsATurn = 0.05
const goal = { bar: 1.3, hope: 1.05 }

const headers = { authorization: `Bearer ${adminKey}` }
const middle = (runs: number) => new Date((1_740_000_000 + (runs / 2) * 30) * 1000).toISOString()

const cursorAt = (createdAt: string) => encodeCursor('desc', { createdAt, id: 1 })

/** Lists whose first and last pages are read, as paths for a ledger of that many runs. */
const lists: Record<string, (runs: number) => string> = {
  runs: () => '/v1/runs?limit=20',
  'runs of a spec': () => `/v1/runs?specId=${hot.spec}`,
  'runs with a status': () => '/v1/runs?status=failed',
  'runs with one of two statuses': () => '/v1/runs?status=failed&status=pending',
  'runs with a verdict': () => '/v1/runs?verdict=failing',
  'runs of an agent': () => `/v1/runs?agent=${hot.agent}`,
  'runs with a label': () => `/v1/runs?label=${hot.label}`,
  'runs of a feature, by filter': () => `/v1/runs?featureId=${hot.feature}`,
  'runs of a feature': () => `/v1/features/${hot.feature}/runs?limit=20`,
  'runs created after': (runs) => `/v1/runs?createdAfter=${middle(runs)}`,
  'runs created before': (runs) => `/v1/runs?createdBefore=${middle(runs)}`,
  'runs of a commit': () => '/v1/runs?commit=4f2a9c1',
  'runs that ended after': () => '/v1/runs?endedAfter=2025-01-01T00:00:00Z',
  'runs of a spec with a status': () => `/v1/runs?specId=${hot.spec}&status=completed`,
  'runs of a file that 90 % have written': () => `/v1/runs?file=${hot.path}`,
  'runs of a file that 3 % have written': () => `/v1/runs?file=${hot.somePath}`,
  'runs of a folder that 90 % have written in': () => '/v1/runs?file=src/',
  'runs of a file by an agent': () => `/v1/runs?file=${hot.path}&agent=codex`,
  'runs of an agent with a label': () => `/v1/runs?agent=codex&label=${hot.label}`,
  specs: () => '/v1/specs?limit=20',
  'specs with a status': () => '/v1/specs?status=draft',
  checks: () => '/v1/checks?limit=20',
  'checks with a result': () => '/v1/checks?result=fail',
  features: () => '/v1/features?limit=20',
  'features of a file': () => `/v1/features?file=${hot.file}`,
}

/** Questions with a single page. */
const others: Record<string, (runs: number) => string[]> = {
  // Fewer than the requests of the warm-up, so that no page of the file is read for the first time later.
  'one run': (runs) =>
    Array.from({ length: 53 }, (_, n) => `/v1/runs/RUN-${Math.max(100, Math.floor((runs / 53) * n))}`),
  'the timeline of a run': (runs) => [`/v1/runs/RUN-${Math.floor(runs / 2)}/timeline`],
  'events of a run': (runs) => [`/v1/events?limit=20&subject=RUN-${Math.floor(runs / 2)}&project=default`],
  'first events': () => ['/v1/events?limit=20'],
  'events in the middle': (runs) => [`/v1/events?limit=20&after=${100 + runs / 2}`],
  'events of two types': () => ['/v1/events?limit=20&type=run.created&type=run.updated'],
  'events of two types, newest first': () => ['/v1/events?limit=20&order=desc&type=run.created&type=run.updated'],
  'events of a rare type in a project': () => ['/v1/events?limit=20&type=check.created&project=default'],
  'events of a type that there is none of': () => ['/v1/events?limit=20&type=spec.deleted&project=default'],
  'a spec with a twentieth of all runs': () => [`/v1/specs/${hot.spec}`],
  'specs by a part that eleven titles have': (runs) => [`/v1/specs?q=Part%20${featuresOf(runs) / 10 - 1}`],
  'specs by a part that 2 % of all titles have': () => ['/v1/specs?q=Part%2019'],
  'search for a word that 50 documents have': () => [`/v1/search?q=${hot.rareWord}`],
  'search for a word that all documents have': () => ['/v1/search?q=tests'],
  'runs of a file that three have written': () => [`/v1/runs?file=${hot.rarePath}`],
  'runs of a file that 3 % have written, failed': () => [`/v1/runs?file=${hot.somePath}&status=failed`],
  'runs of a file that three have written, completed': () => [`/v1/runs?file=${hot.rarePath}&status=completed`],
  'runs of a file by an agent that has none': () => [`/v1/runs?file=${hot.path}&agent=nobody`],
  'failed runs of an agent that has none': () => [`/v1/runs?agent=${steadyAgent}&status=failed`],
  'runs in progress of a spec that has none': () => [`/v1/runs?specId=${hot.spec}&status=in_progress`],
  'runs of a spec by an agent that has none': () => [`/v1/runs?specId=${hot.spec}&agent=nobody`],
  'runs with a label by an agent that has none': () => [`/v1/runs?label=${hot.label}&agent=nobody`],
  'runs of an agent for a spec that has none': () => [`/v1/runs?agent=${hot.agent}&specId=NONE`],
  'runs of a feature for a spec that has none': () => [`/v1/features/${hot.feature}/runs?specId=NONE`],
  'runs that need attention': () => ['/v1/attention'],
  'runs that need attention, in the middle': (runs) => [`/v1/attention?cursor=${cursorAt(middle(runs))}`],
  'runs that need attention for a reason': () => ['/v1/attention?reason=failing'],
  'runs of a person that need attention': () => ['/v1/attention?author=ada@example.com'],
  'runs that need attention, by spec': () => ['/v1/attention?group=spec'],
  'runs of a person that need attention, by branch': () => ['/v1/attention?author=ada@example.com&group=branch'],
  'features by a word that one has': (runs) => [`/v1/features?q=part%20${featuresOf(runs)}`],
}

export interface Ledger {
  server: Server
  runs: number
}

/** Compares latencies with `runs` runs and with 1,000. */
export async function measureGrowth(place: Workplace, engine: 'SQLite' | 'PostgreSQL', runs: number): Promise<Row[]> {
  const rows: Row[] = []
  const ledgers = await startLedgers(place, engine, [{ runs: small }, { runs }])
  for (const [title, pair] of await questionsOf(ledgers)) rows.push(await compare(title, pair, ledgers))
  return rows
}

/** Servers with ledgers of these sizes. */
export async function startLedgers(
  place: Workplace,
  engine: 'SQLite' | 'PostgreSQL',
  sizes: { runs: number; projects?: number }[],
): Promise<Ledger[]> {
  const urls = engine === 'SQLite' ? sqliteUrls(place) : await postgresUrls(place)
  const ledgers: Ledger[] = []
  for (const [index, { runs, projects }] of sizes.entries()) {
    const url = urls[index] as string
    await seedMany(url, runs, projects)
    const server = await place.server(startConduct(url))
    // A new schema version may rebuild the index.
    await untilIndexed(url)
    await untilSealed(server)
    ledgers.push({ server, runs })
  }
  return ledgers
}

/** Waits for the seal. With a million events at once, it takes part of the server's time for a while. */
async function untilSealed({ url }: Server): Promise<void> {
  const read = (path: string) => fetch(url + path, { headers })
  const newest = (await (await read('/v1/events?order=desc&limit=1')).json()) as { events: { seq: number }[] }
  for (;;) {
    const checkpoint = await read('/v1/log/checkpoint')
    const [, size] = (await checkpoint.text()).split('\n')
    if (checkpoint.ok && Number(size) >= (newest.events[0]?.seq ?? 0)) return
    await sleep(500)
  }
}

function sqliteUrls(place: Workplace): string[] {
  const folder = place.folder()
  return ['small', 'large'].map((name) => `sqlite:${join(folder, name)}.db`)
}

async function postgresUrls(place: Workplace): Promise<string[]> {
  const url = await place.postgres()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('create database small')
  await client.query('create database large')
  await client.end()
  return ['small', 'large'].map((name) => url.replace(/\/postgres$/, `/${name}`))
}

/** Each question with its requests for the small and the large ledger. */
async function questionsOf(ledgers: Ledger[]): Promise<[title: string, Next[]][]> {
  const questions: [string, Next[]][] = []
  for (const [title, pathOf] of Object.entries(lists)) {
    const first = ledgers.map(({ server, runs }) => turns(server, [pathOf(runs)]))
    const far = await Promise.all(
      ledgers.map(async ({ server, runs }) => turns(server, [await farEnd(server, pathOf(runs))])),
    )
    questions.push([`${title}, first page`, first], [`${title}, far end`, far])
  }
  for (const [title, pathsOf] of Object.entries(others)) {
    questions.push([title, nextsOf(ledgers, pathsOf)])
  }
  return questions
}

const nextsOf = (ledgers: Ledger[], pathsOf: (runs: number) => string[]) =>
  ledgers.map(({ server, runs }) => turns(server, pathsOf(runs)))

/** Compares the latency of a question on both ledgers. */
export const comparePaths = (title: string, ledgers: Ledger[], pathsOf: (runs: number) => string[]) =>
  compare(title, nextsOf(ledgers, pathsOf), ledgers)

function turns({ url }: Server, paths: string[]): Next {
  const ready = paths.map((path) => requestOf(url, 'GET', path, headers))
  let turn = 0
  return () => ready[turn++ % ready.length] as Buffer
}

/** The last full page of a list: what follows the 22nd row from its end. */
async function farEnd({ url }: Server, path: string): Promise<string> {
  const response = await fetch(
    `${url}${path.replace('limit=20', 'limit=22')}${path.includes('limit=') ? '' : '&limit=22'}&order=asc`,
    { headers },
  )
  const body = (await response.json()) as Record<string, { createdAt: string; id: number }[]>
  const last = (body.runs ?? body.specs ?? body.checks ?? body.features)?.[21]
  if (!last) throw new Error(`${path} has less than 22 rows, so no far end.`)
  return `${path}&cursor=${encodeCursor('desc', last)}`
}

async function compare(title: string, pair: Next[], ledgers: Ledger[]): Promise<Row> {
  const times: number[][] = ledgers.map(() => [])
  const options = { connections: 1, requests: requestsATurn, seconds: secondsATurn }
  for (let turn = 0; turn < warmUpTurns + turnsEach; turn++) {
    for (const [index, { server }] of ledgers.entries()) {
      const { p50 } = await load(server.url, pair[index] as Next, options)
      if (turn >= warmUpTurns) times[index]?.push(p50)
    }
  }
  const [few = [], many = []] = times
  const ratio = median(many.map((ms, turn) => ms / (few[turn] as number)))
  return atMost(
    title,
    ratio,
    '×',
    goal,
    `${median(few).toFixed(2)} → ${median(many).toFixed(2)} ms: ${ratio.toFixed(2)} ×`,
  )
}
