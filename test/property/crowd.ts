import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { type Arbitrary, toStringMethod } from 'fast-check'
import pino from 'pino'
import { type Client, ConductError, createClient } from '../../src/client/client.ts'
import { localActor } from '../../src/contract/actor.ts'
import type { Db, Tx } from '../../src/engine/db.ts'
import { indexMore } from '../../src/find/follow.ts'
import { numberEvents } from '../../src/log/number.ts'
import { sealNext } from '../../src/log/seal/seal.ts'
import { reap } from '../../src/nouns/run/take-lease.ts'
import type { Store } from '../../src/operations/open.ts'
import { emptyNext, newPlace } from '../../src/removal/empty-project.ts'
import { createApp } from '../../src/server/app.ts'
import { documentOf } from '../agents/documents.ts'
import { base } from '../support/engines.ts'
import fc from '../support/random.ts'
import { type Deed, deed } from './deeds.ts'

/** The project that comes and goes, while others work in it. */
const brief = 'P-1'

/** What one worker does at a time. */
interface Act {
  do: { deed: Deed; isTwice: boolean } | { hook: string; session: string } | { job: keyof typeof jobs }
  server: 0 | 1
  /** Whether the local user does it, and whether in the project that comes and goes. */
  by: { isLocal: boolean; isBrief: boolean }
}

const token = 'the-token-that-all-workers-propose'
const runId = fc.constantFrom('R-1', 'R-2', 'R-3')
const held = fc.record({ runId, leaseToken: fc.constant(token) })
const leases: Arbitrary<Deed> = fc.oneof(
  held.map((held): Deed => ({ call: 'updateRun', input: { ...held, leaseSeconds: 10 } })),
  held.map((held): Deed => ({ call: 'heartbeat', input: { ...held, activity: { state: 'working', tool: 'birne' } } })),
  held.map((held): Deed => ({ call: 'appendToRun', input: { ...held, text: 'apfel\n' } })),
  held.map((held): Deed => ({ call: 'updateRun', input: { ...held, status: 'completed' } })),
  runId.map((runId): Deed => ({ call: 'updateRun', input: { runId, status: 'failed' } })),
)
/** What the calls of a history seldom do: give no id, try again, delete what others use. */
const more: Arbitrary<Deed> = fc.oneof(
  runId.map((retryOf): Deed => ({ call: 'createRun', input: { retryOf, specId: 'S-1' } })),
  runId.map((runId): Deed => ({ call: 'createCheck', input: { runId, name: 'tests', result: 'pass' } })),
  fc.constant<Deed>({ call: 'createFeature', input: { name: 'birne' } }),
  fc.nat(3).map((n): Deed => ({ call: 'deleteFeature', input: { id: n + 1 } })),
  runId.map((runId): Deed => ({ call: 'linkFeatures', input: { runId, featureIds: [1, 2, 3] } })),
  fc.tuple(runId, fc.nat(3)).map(([runId, n]): Deed => ({ call: 'unlinkFeature', input: { runId, featureId: n + 1 } })),
  fc
    .tuple(runId, fc.nat(9))
    .map(([runId, n]): Deed => ({ call: 'updateRun', input: { runId, usage: { costUsd: n } } })),
  fc.constant<Deed>({ call: 'createKey', input: { name: 'brief', permissions: ['agent'], project: brief } }),
  fc.constant<Deed>({ call: 'createWebhook', input: { url: 'http://localhost:9/', project: brief } }),
  fc.constant<Deed>({ call: 'createProject', input: { slug: brief } }),
  fc.constant<Deed>({ call: 'deleteProject', input: { slug: brief, confirm: brief } }),
)

const jobs = {
  reap: ({ db, now }: Store) => reap(db, now()),
  index: ({ db }: Store) => indexMore(db, 0),
  seal: ({ db }: Store) => sealNext(db),
  number: ({ db }: Store) => numberEvents(db),
  empty: ({ db, now }: Store) => emptyNext(db, now(), newPlace()),
}

const hooks = [
  'UserPromptSubmit',
  'UserPromptSubmit',
  'PreToolUse-Bash',
  'PostToolUse-Bash',
  'Stop',
  'SessionEnd-other',
]
const called = (deeds: Arbitrary<Deed>) => fc.record({ deed: deeds, isTwice: fc.boolean() })

/** What workers do. Without erasures, all values in the log can be compared. */
export const acts = (erases: boolean): Arbitrary<Act[]> => {
  const mayBe = ({ call }: Deed) => erases || !['erase', 'forget'].includes(call)
  const act = fc.record({
    do: fc.oneof(
      { weight: 10, arbitrary: called(deed.filter(mayBe)) },
      { weight: 5, arbitrary: called(more) },
      { weight: 3, arbitrary: called(leases) },
      { weight: 2, arbitrary: fc.record({ hook: fc.constantFrom(...hooks), session: fc.constantFrom('s-1', 's-2') }) },
      { weight: 2, arbitrary: fc.record({ job: fc.constantFrom(...(Object.keys(jobs) as (keyof typeof jobs)[])) }) },
    ),
    server: fc.constantFrom(0 as const, 1 as const),
    by: fc.record({ isLocal: fc.boolean(), isBrief: fc.nat(5).map((n) => n === 0) }),
  })
  return fc
    .array(act, { minLength: 60, maxLength: 120 })
    .map((acts) => Object.assign(acts, { [toStringMethod]: () => `${acts.length} acts` }))
}

/** A server, and how it receives requests. */
interface Server {
  store: Store
  of(by: Act['by']): Client
  post(by: Act['by'], path: string, body: unknown): Promise<Response>
}

/** Shows why a request got a 500. */
const log = pino({ level: 'error' }, pino.destination(2))

/** A server of that store, for requests with the first key and of the local user. */
export function openServer(store: Store, adminKey: string): Server {
  // On SQLite, transactions run one after another.
  const slow = store.db.dialect.commitsInOrder ? store : { ...store, db: slowed(store.db) }
  const app = createApp({ store: slow, rateLimit: 0, log, actor: localActor })
  const options = ({ isLocal, isBrief }: Act['by']) => ({
    ...{ url: base, project: isBrief ? brief : 'default', attempts: 1 },
    ...{ key: isLocal ? undefined : adminKey, fetch: async (request: Request) => app.fetch(request) },
  })
  return {
    store: slow,
    of: (by) => createClient(options(by)),
    async post(by, path, body) {
      const { project, key } = options(by)
      const headers = new Headers({ 'content-type': 'application/json', 'x-project-id': project })
      if (key !== undefined) headers.set('authorization', `Bearer ${key}`)
      return app.fetch(new Request(base + path, { method: 'POST', headers, body: JSON.stringify(body) }))
    },
  }
}

/** Statements of transactions wait a little now and then, in their order, so that transactions meet in more ways. */
function slowed(db: Db): Db {
  const slowly = (tx: Tx): Tx => {
    let sent = Promise.resolve()
    return {
      ...tx,
      apart: tx.apart,
      moment: (reads) => reads(slowly(tx)),
      tx: (work) => work(slowly(tx)),
      async query(statement) {
        sent = sent.then(() => (Math.random() < 0.3 ? pause(Math.random() * 4) : undefined))
        await sent
        return tx.query(statement)
      },
    }
  }
  return { ...db, tx: (work, subject) => db.tx((tx) => work(slowly(tx)), subject) }
}

/** Does everything, several acts at a time. Returns how many were done; throws for a 5xx. */
export async function crowd(servers: [Server, Server], acts: Act[], workers: number, advance: (ms: number) => void) {
  const waiting = acts.values()
  let done = 0
  const work = async () => {
    for (const act of waiting) if (await doOne(servers, act, advance)) done++
  }
  await Promise.all(Array.from({ length: workers }, work))
  return done
}

async function doOne(servers: [Server, Server], act: Act, advance: (ms: number) => void): Promise<boolean> {
  const server = servers[act.server]
  if ('job' in act.do) await jobs[act.do.job](server.store)
  else if ('hook' in act.do) await sendHook(server, act.by, act.do)
  else if (act.do.deed.call === 'advance') advance(act.do.deed.input.ms)
  else return callOne(act.do.isTwice ? servers : [server], act.by, act.do.deed)
  return true
}

async function sendHook(server: Server, by: Act['by'], { hook, session }: { hook: string; session: string }) {
  const texts = { prompt: 'apfel birne', last_assistant_message: 'AUTH-001' }
  const response = await server.post(
    by,
    '/v1/hooks/claude',
    documentOf('claude', hook, { session_id: session, ...texts }),
  )
  assert.ok(response.status < 500, `the hook ${hook} got ${response.status}: ${await response.text()}`)
}

let keys = 0
/** They work in many transactions, and can be repeated. */
const takesNoKey = /^(erase|forget)$/

/** Makes a call on servers with one Idempotency-Key: successes are the same. Returns whether there is one. */
async function callOne(servers: Server[], by: Act['by'], { call, input }: Deed): Promise<boolean> {
  const idempotencyKey = `key-${++keys}`
  const tries = servers.map(async (server) => {
    const client = server.of(by) as unknown as Record<string, (input: unknown, options: object) => Promise<unknown>>
    try {
      return JSON.stringify(await client[call]?.(JSON.parse(JSON.stringify(input)), { idempotencyKey }))
    } catch (error) {
      if (error instanceof ConductError && error.status < 500) return undefined
      throw error
    }
  })
  const answers = (await Promise.all(tries)).filter((answer) => answer !== undefined)
  if (!takesNoKey.test(call)) assert.ok(new Set(answers).size <= 1, `${call} got ${answers.join(' and ')}`)
  return answers.length > 0
}
