import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../../src/cli/verify/heads.ts'
import { type Verified, verify } from '../../src/cli/verify/verify.ts'
import { createClient } from '../../src/client/client.ts'
import { createApp } from '../../src/http/app.ts'
import { type Checkpoint, checkpointsIn } from '../../src/ledger/checkpoint.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { readNewest, signTree } from '../../src/store/seal/checkpoint.ts'
import { eraseFromEvents } from '../../src/store/seal/erase.ts'
import { sealNext } from '../../src/store/seal/seal.ts'
import { carryOut, type Deed, history } from '../property/deeds.ts'
import { base, engines, type Ledger, withLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { keepCopy, type Spot, sabotages } from './sabotage.ts'
import { size } from './size.ts'

const sabotaged = size(12, 250)
const honest = size(4, 250)
/** How many checkpoints of a ledger are anchored. */
const rounds = 3

/** Seals the log of a ledger as its server does, and returns the newest checkpoint. */
async function anchorOf({ db, now }: Store): Promise<Checkpoint> {
  while (await sealNext(db));
  await signTree(db, now())
  const [checkpoint] = checkpointsIn((await readNewest(db))?.note ?? '')
  assert.ok(checkpoint)
  return checkpoint
}

/** What happens in each round. */
function inRounds(deeds: Deed[]): Deed[][] {
  const length = Math.ceil(deeds.length / rounds)
  return Array.from({ length: rounds }, (_, n) => deeds.slice(n * length, (n + 1) * length))
}

const kinds = ['restore', ...Object.keys(sabotages)]
const spot = fc.record({
  kind: fc.constantFrom(...kinds),
  at: fc.nat(),
  later: fc.nat(),
  way: fc.nat(),
  goesOn: fc.boolean(),
})

interface Plan {
  kind: string
  at: number
  later: number
  way: number
  goesOn: boolean
}

/** Changes a ledger that three anchors cover; returns the anchors and the first event that is another. */
async function sabotage(ledger: Ledger, deeds: Deed[], { kind, at, later, way, goesOn }: Plan) {
  const { store, client } = ledger
  const anchors: Checkpoint[] = []
  let restore: (() => Promise<number>) | undefined
  for (const some of inRounds(deeds)) {
    restore ??= anchors.length > at % rounds ? await keepCopy(store.db) : undefined
    for (const deed of some) await carryOut(ledger, deed)
    await client.createRun({ title: `end of round ${anchors.length}` })
    anchors.push(await anchorOf(store))
  }
  await client.createRun({ title: 'not anchored' })
  await client.listEvents({})
  const anchored = anchors.at(-1)?.size as number
  const seq = 1 + (at % (anchored - 1))
  const spot: Spot = { seq, later: seq + 1 + (later % (anchored - seq)), way }
  const truth = await (kind === 'restore' ? restore?.() : sabotages[kind]?.(store.db, spot))
  if (goesOn) for (let n = 0; n < way % 40; n++) await client.createRun({ title: `later ${n}` })
  return { anchors, truth }
}

for (const engine of engines) {
  test(`what SQL changes in the log is found and named (${engine.name})`, async (t) => {
    const counts: Record<string, number> = {}
    const property = fc.asyncProperty(history, spot, (deeds, plan) =>
      withLedger(engine, async (ledger) => {
        const { anchors, truth } = await sabotage(ledger, deeds, plan)
        if (truth === undefined) return
        ledger.sleep(61_000)
        const named = await firstFault(ledger, anchors)
        assert.ok(named?.seq && named.until, `${plan.kind} at ${truth} is not found`)
        assert.ok(named.seq <= truth && truth <= named.until, `${plan.kind} at ${truth}: ${named.words}`)
        if (isExact(plan.kind)) assert.deepEqual([named.seq, named.until], [truth, truth], named.words)
        counts[plan.kind] = (counts[plan.kind] ?? 0) + 1
      }),
    )
    await fc.assert(property, { numRuns: sabotaged })
    t.diagnostic(`found: ${JSON.stringify(counts)}`)
  })

  test(`an honest log fits, with erased texts, two servers and restarts (${engine.name})`, async (t) => {
    let erased = 0
    const property = fc.asyncProperty(history, (deeds) =>
      withLedger(engine, async (ledger) => {
        erased += await beHonest(ledger, deeds)
      }),
    )
    await fc.assert(property, { numRuns: honest })
    t.diagnostic(`${honest} ledgers, ${erased} erased texts`)
  })
}

/** The first fault that names an event. */
async function firstFault({ client }: Ledger, anchors: Checkpoint[]): Promise<Fault | undefined> {
  const { faults } = await verify(client, anchors)
  return faults.find(({ seq }) => seq !== undefined)
}

const isExact = (kind: string) => ['change', 'unread', 'delete', 'insert', 'swap'].includes(kind)

/** Lives through a history with two servers that seal at once; returns how many texts were erased. */
async function beHonest(ledger: Ledger, deeds: Deed[]): Promise<number> {
  const { store, client, adminKey, url, as } = ledger
  const anchors: Checkpoint[] = []
  for (const some of inRounds(deeds)) {
    // Restarted in every round.
    const other = await openStore(url, { firstKey: false })
    const app = createApp({ store: other, rateLimit: 0 })
    const two = createClient({ url: base, key: adminKey, attempts: 1, fetch: (request) => app.fetch(request) })
    const half = some.length / 2
    await Promise.all([
      live(ledger, some.slice(0, half)),
      live({ client: two, sleep: ledger.sleep }, some.slice(half)),
      eraseSome(other, some.length),
      anchorOf(store).then((one) => anchors.push(one)),
      anchorOf(other).then((one) => anchors.push(one)),
      verify(two, anchors.slice()).then(({ faults }) => assert.deepEqual(faults, [])),
    ])
    await other.close()
  }
  // Only now, so that no deed revokes it.
  const { secret } = await client.createKey({ name: 'reader', permissions: ['read'] })
  let verified: Verified
  let tries = 0
  do {
    // The clock of the other server may have gone ahead of this one.
    ledger.sleep(600_000)
    verified = await verify(client, anchors)
    // The removal of a deleted project may still add an event, which a later checkpoint covers.
  } while (verified.events !== verified.sealed && ++tries < 20 && (await sleep(250, true)))
  const { faults, events, sealed, erased = 0 } = verified
  assert.deepEqual(faults, [])
  assert.equal(events, sealed)
  assert.deepEqual((await verify(as({ key: secret }), anchors)).faults, [], 'by proofs')
  return erased
}

async function live(ledger: Pick<Ledger, 'client' | 'sleep'>, deeds: Deed[]): Promise<void> {
  for (const deed of deeds) await carryOut(ledger, deed)
}

async function eraseSome({ db }: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n += 3) {
    await db.tx((tx) => eraseFromEvents(tx, [1 + n], (text) => text.length % 2 === n % 2))
  }
}
