import { deepStrictEqual } from 'node:assert/strict'
import { join } from 'node:path'
import { load } from './load.ts'
import { atLeast, atMost, type Goal, median, type Row } from './report.ts'
import { adminKey, peakMemory, type Server, startConduct, startOwn, type Workplace } from './servers.ts'
import { seeded, seedOf, type WorkName, works } from './work.ts'

export interface SpeedOptions {
  rounds: number
  seconds: number
}

const warmUpSeconds = 1
const names = ['floor', 'sqlite', 'postgres', 'pgAlone'] as const
type Contender = (typeof names)[number]

/** The comparisons: responses per second of `of` against `to`, for that work. */
const comparisons: { work: WorkName; title: string; of: Contender; to: Contender; goal?: Goal }[] = [
  {
    work: 'get',
    title: 'read a run, SQLite against the floor',
    of: 'sqlite',
    to: 'floor',
    goal: { bar: 0.9, hope: 1.2 },
  },
  {
    work: 'list',
    title: 'list 20 runs of a spec, SQLite against the floor',
    of: 'sqlite',
    to: 'floor',
    goal: { bar: 1.2, hope: 1.4 },
  },
  {
    work: 'create',
    title: 'create a run, SQLite against the floor',
    of: 'sqlite',
    to: 'floor',
    goal: { bar: 1.15, hope: 1.5 },
  },
  {
    work: 'createOnce',
    title: 'create with Idempotency-Key, SQLite against the floor without',
    of: 'sqlite',
    to: 'floor',
  },
  {
    work: 'append',
    title: 'append a line to a run, SQLite against the floor',
    of: 'sqlite',
    to: 'floor',
    goal: { bar: 1.4, hope: 2 },
  },
  { work: 'get', title: 'read a run, PostgreSQL against SQLite', of: 'postgres', to: 'sqlite' },
  { work: 'list', title: 'list 20 runs of a spec, PostgreSQL against SQLite', of: 'postgres', to: 'sqlite' },
  { work: 'append', title: 'append a line to a run, PostgreSQL against SQLite', of: 'postgres', to: 'sqlite' },
  { work: 'events', title: 'read 20 events, PostgreSQL against SQLite', of: 'postgres', to: 'sqlite' },
  {
    work: 'create',
    title: 'create a run, PostgreSQL against pg alone',
    of: 'postgres',
    to: 'pgAlone',
    goal: { bar: 2, hope: 3 },
  },
  {
    work: 'createOnce',
    title: 'create with Idempotency-Key, PostgreSQL against pg alone without',
    of: 'postgres',
    to: 'pgAlone',
  },
]

/** Responses per second by work and contender, one number per round. */
type Rates = Record<WorkName, Record<Contender, number[]>>

/** Loads all contenders in turn, round by round, so that the other load of the machine affects all of them alike. */
export async function measureSpeed(place: Workplace, { rounds, seconds }: SpeedOptions): Promise<Row[]> {
  const servers = await startAll(place)
  await seedAll(servers)
  const rates = Object.fromEntries(
    Object.keys(works).map((work) => [work, Object.fromEntries(names.map((name) => [name, []]))]),
  ) as unknown as Rates
  for (let round = 0; round <= rounds; round++) {
    for (const work of Object.keys(works) as WorkName[]) {
      for (const name of names.filter((name) => does(name, work))) {
        const server = servers[name]
        const { rate } = await load(server.url, works[work](server), { seconds: round === 0 ? warmUpSeconds : seconds })
        if (round > 0) rates[work][name].push(rate)
      }
    }
  }
  return [...comparisons.map((one) => rowOf(one, rates)), ...memoryRows(servers)]
}

function does(name: Contender, work: WorkName): boolean {
  if (name === 'pgAlone') return work === 'create'
  return name !== 'floor' || (work !== 'createOnce' && work !== 'events')
}

function rowOf({ work, title, of, to, goal }: (typeof comparisons)[number], rates: Rates): Row {
  const base = rates[work][to].length > 0 ? rates[work][to] : rates.create[to]
  const ratio = median(rates[work][of].map((rate, round) => rate / (base[round] as number)))
  const said = `${perSecond(rates[work][of])} against ${perSecond(base)}: ${ratio.toFixed(2)} ×`
  return goal ? atLeast(title, ratio, '×', goal, said) : { title, measured: said }
}

const perSecond = (rates: number[]) => `${Math.round(median(rates)).toLocaleString('en')}/s`

function memoryRows({ sqlite, postgres }: Record<Contender, Server>): Row[] {
  const of = (engine: string, server: Server) =>
    atMost(`resident memory under that load, ${engine}`, peakMemory(server), 'MB', { bar: 140, hope: 110 })
  return [of('SQLite', sqlite), of('PostgreSQL', postgres)]
}

async function startAll(place: Workplace): Promise<Record<Contender, Server>> {
  const folder = place.folder()
  return {
    floor: await place.server(startOwn('floor.ts', join(folder, 'floor.db'))),
    sqlite: await place.server(startConduct(`sqlite:${join(folder, 'conduct.db')}`)),
    postgres: await place.server(startConduct(await place.postgres())),
    pgAlone: await place.server(startOwn('pg-alone.ts', await place.postgres())),
  }
}

/** Creates the same runs everywhere, and checks that Conduct and the floor respond alike. */
async function seedAll(servers: Record<Contender, Server>) {
  for (const name of ['floor', 'sqlite', 'postgres'] as const) {
    await load(servers[name].url, seedOf(servers[name]), { connections: 1, requests: seeded })
    await load(servers[name].url, works.append(servers[name]), { connections: 1, requests: 2 })
  }
  for (const path of ['/v1/runs/RUN-2001', '/v1/runs/RUN-3500', '/v1/runs?specId=SPEC-17']) {
    const [floor, ...others] = await Promise.all(
      [servers.floor, servers.sqlite, servers.postgres].map((it) => read(it, path)),
    )
    for (const other of others) deepStrictEqual(other, floor, `${path} is answered differently by the floor`)
  }
}

/** A response without the parts that no two servers share: times, and the cursor that contains one. */
async function read({ url }: Server, path: string): Promise<unknown> {
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${adminKey}` } })
  const text = (await response.text()).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
  return JSON.parse(text.replace(/"nextCursor":"[\w-]+"/, '"nextCursor":"…"'))
}
