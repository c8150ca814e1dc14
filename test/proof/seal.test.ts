import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Arbitrary } from 'fast-check'
import { createClient } from '../../src/client/client.ts'
import { indexMore } from '../../src/find/follow.ts'
import { firstSeq, lastSeq } from '../../src/log/read.ts'
import { readNewest, signTree } from '../../src/log/seal/checkpoint.ts'
import { eraseFromEvents, sealNext } from '../../src/log/seal/seal.ts'
import { type Checkpoint, checkpointsIn } from '../../src/log/seal/signed-note.ts'
import { reap } from '../../src/nouns/run/take-lease.ts'
import type { Store } from '../../src/operations/open.ts'
import { emptyNext, newPlace } from '../../src/removal/empty-project.ts'
import { createApp } from '../../src/server/app.ts'
import { retentionJob } from '../../src/server/jobs/retention.ts'
import { type Verified, verify } from '../../src/verify/verify.ts'
import { allOf, carryOut, type Deed, history } from '../property/deeds.ts'
import { base, engines, type Ledger, withLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { keepCopy, type Spot, sabotages, unlocated } from './sabotage.ts'
import { size } from './size.ts'

const sabotaged = size(8, 500)
const honest = size(2, 500)
/** The number of changes to each ledger. Before each of them, its log is restored. */
const perLedger = size(4, 20)
/** The number of anchored checkpoints of a ledger. */
const rounds = 3
const logDays = 30
const dayMs = 86_400_000

/** Seals the log of a ledger as its server does, and returns the newest checkpoint. */
async function anchorOf({ db, now }: Store): Promise<Checkpoint> {
  while (await sealNext(db));
  await signTree(db, now())
  const [checkpoint] = checkpointsIn((await readNewest(db))?.note ?? '')
  assert.ok(checkpoint)
  return checkpoint
}

/** The calls of each round. */
function inRounds(deeds: Deed[]): Deed[][] {
  const length = Math.ceil(deeds.length / rounds)
  return Array.from({ length: rounds }, (_, n) => deeds.slice(n * length, (n + 1) * length))
}

const kinds = ['restore', ...Object.keys(sabotages), ...Object.keys(unlocated)]
const plan = fc.record({
  kind: fc.constantFrom(...kinds),
  at: fc.nat(),
  later: fc.nat(),
  way: fc.nat(),
  goesOn: fc.boolean(),
})
type Plan = typeof plan extends Arbitrary<infer Value> ? Value : never

/** A ledger with its anchors, and copies of its log as it was after each of them and as it is now. */
interface Prepared {
  anchors: Checkpoint[]
  copies: (() => Promise<number>)[]
  restore: () => Promise<number>
  /** The first event that was not dropped. */
  first: number
}

async function prepare(ledger: Ledger, deeds: Deed[], isDropped: boolean): Promise<Prepared> {
  const { store, client } = ledger
  const anchors: Checkpoint[] = []
  const copies: (() => Promise<number>)[] = []
  for (const some of inRounds(deeds)) {
    for (const deed of some) await carryOut(ledger, deed)
    await client.createRun({ title: `end of round ${anchors.length}` })
    await client.createKey({ name: `key ${anchors.length}`, permissions: ['read'] })
    if (isDropped && anchors.length === 1) await dropAll(ledger)
    anchors.push(await anchorOf(store))
    copies.push(await keepCopy(store.db))
  }
  await client.createRun({ title: 'not anchored' })
  const restore = await keepCopy(store.db)
  return { anchors, copies: copies.slice(0, -1), restore, first: await firstSeq(store.db) }
}

/** Drops all but the newest events, like a server with CONDUCT_LOG_DAYS. */
async function dropAll(ledger: Ledger): Promise<void> {
  const { client, store, advance } = ledger
  // Events are kept until enabled webhooks have delivered them. A webhook may be deleted meanwhile.
  for (const { id } of await allOf(client, 'listWebhooks')) {
    await carryOut(ledger, { call: 'updateWebhook', input: { id, enabled: false } })
  }
  advance(2 * logDays * dayMs)
  await client.createRun({ title: 'today' })
  while (await indexMore(store.db, 5));
  while (await sealNext(store.db));
  const job = retentionJob(store, { logDays })
  while (await job.step(5));
}

/** Restores the log and changes it. Returns the first event that is not as it was, or what `verify` must say. */
async function sabotage({ store, client }: Ledger, prepared: Prepared, plan: Plan): Promise<number | RegExp> {
  const { anchors, copies, restore, first } = prepared
  const { kind, at, later, way, goesOn } = plan
  await restore()
  const anchored = anchors.at(-1)?.size as number
  const seq = first + (at % (anchored - first))
  const spot: Spot = { first, seq, later: seq + 1 + (later % (anchored - seq)), way }
  const change = sabotages[kind] ?? unlocated[kind]
  const truth = await (kind === 'restore' ? copies[at % copies.length] : () => change?.(store.db, spot))?.()
  assert.ok(truth !== undefined)
  if (goesOn) for (let n = 0; n < way % 40; n++) await client.createRun({ title: `later ${n}` })
  return truth
}

/** Fails unless a verification finds a change, or says that it cannot. */
function assertFound({ faults, notCovered }: Verified, kind: string, truth: number | RegExp): void {
  if (truth instanceof RegExp) {
    const said = [...faults.map(({ words }) => words), ...notCovered]
    const isSaid = said.some((one) => truth.test(one))
    assert.ok(isSaid, `${kind} is not said: ${said.join('\n')}`)
    return
  }
  const named = faults.find(({ seq }) => seq !== undefined)
  assert.ok(named?.seq && named.until, `${kind} at ${truth} is not found`)
  assert.ok(named.seq <= truth && truth <= named.until, `${kind} at ${truth}: ${named.words}`)
  if (isExact(kind)) assert.deepEqual([named.seq, named.until], [truth, truth], named.words)
}

for (const engine of engines) {
  test(`verify finds and names each change of the log by SQL (${engine.name})`, async (t) => {
    const counts: Record<string, number> = {}
    const plans = fc.array(plan, { minLength: perLedger, maxLength: perLedger })
    const property = fc.asyncProperty(history, fc.boolean(), plans, (deeds, isDropped, plans) =>
      withLedger(engine, async (ledger) => {
        const prepared = await prepare(ledger, deeds, isDropped)
        assert.equal(prepared.first > 1, isDropped)
        for (const plan of plans) {
          const truth = await sabotage(ledger, prepared, plan)
          ledger.advance(61_000)
          assertFound(await verify(ledger.client, prepared.anchors), plan.kind, truth)
          const kind = isDropped ? `${plan.kind}, dropped` : plan.kind
          counts[kind] = (counts[kind] ?? 0) + 1
        }
      }),
    )
    await fc.assert(property, { numRuns: Math.ceil(sabotaged / perLedger), endOnFailure: true })
    t.diagnostic(`found: ${JSON.stringify(counts)}`)
  })

  test(`an unchanged log verifies, with erased texts, dropped events, two servers and restarts (${engine.name})`, async (t) => {
    const sum = { erased: 0, dropped: 0 }
    const property = fc.asyncProperty(history, fc.boolean(), (deeds, isDropped) =>
      withLedger(engine, async (ledger) => {
        const { erased = 0, dropped = 0 } = await beHonest(ledger, deeds, isDropped)
        sum.erased += erased
        sum.dropped += dropped
      }),
    )
    await fc.assert(property, { numRuns: honest, endOnFailure: true })
    t.diagnostic(`${honest} ledgers, ${sum.erased} erased texts, ${sum.dropped} dropped events`)
  })
}

const isExact = (kind: string) => ['change', 'mark', 'unread', 'delete', 'insert', 'swap'].includes(kind)

/** Plays a history on two servers that seal at the same time, and verifies the log meanwhile. */
async function beHonest(ledger: Ledger, deeds: Deed[], isDropped: boolean): Promise<Verified> {
  const { store, client, adminKey, as } = ledger
  const anchors: Checkpoint[] = []
  for (const some of inRounds(deeds)) {
    // The second server restarts in every round.
    const other = await ledger.openAgain()
    const app = createApp({ store: other, rateLimit: 0 })
    const two = createClient({ url: base, key: adminKey, attempts: 1, fetch: (request) => app.fetch(request) })
    const half = some.length / 2
    const mayDrop = isDropped && anchors.length > 0
    await Promise.all([
      live(ledger, some.slice(0, half)),
      live({ client: two, advance: ledger.advance }, some.slice(half)),
      eraseSome(other, some.length),
      anchorOf(store).then((one) => anchors.push(one)),
      anchorOf(other).then((one) => anchors.push(one)),
      mayDrop && dropAll(ledger),
      verify(two, anchors.slice()).then(({ faults }) => assert.deepEqual(faults, [])),
    ])
    await other.close()
  }
  // Created last, so that no call of the history revokes it.
  const { secret } = await client.createKey({ name: 'reader', permissions: ['read'] })
  const verified = await verifyAtRest(ledger, anchors)
  assert.deepEqual(verified.faults, [])
  assert.equal(verified.events, verified.sealed)
  assert.deepEqual((await verify(as({ key: secret }), anchors)).faults, [], 'by proofs')
  return verified
}

/** Verifies after the jobs of the server have recorded everything, so that the newest checkpoint covers it. */
async function verifyAtRest({ client, store, advance }: Ledger, anchors: Checkpoint[]): Promise<Verified> {
  const { db, now } = store
  for (let tries = 1; ; tries++) {
    // The clock of the other server may be ahead of this one, and emptying a project takes minutes.
    advance(600_000)
    const place = newPlace()
    while ((await reap(db, now())) || (await emptyNext(db, now(), place)));
    advance(61_000)
    const verified = await verify(client, anchors)
    // A job of the server may have recorded something after the newest checkpoint.
    if (verified.events === verified.sealed || tries === 10) return verified
  }
}

async function live(ledger: Pick<Ledger, 'client' | 'advance'>, deeds: Deed[]): Promise<void> {
  for (const deed of deeds) await carryOut(ledger, deed)
}

async function eraseSome({ db }: Store, count: number): Promise<void> {
  // Only events that are there: one that is numbered meanwhile has no salts yet.
  const end = await lastSeq(db)
  for (let n = 0; n < Math.min(count, end); n += 3) {
    await db.tx((tx) => eraseFromEvents(tx, [1 + n], (text) => text.length % 2 === n % 2))
  }
}
