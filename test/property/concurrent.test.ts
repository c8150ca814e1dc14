import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indexMore } from '../../src/find/follow.ts'
import { signTree } from '../../src/log/seal/checkpoint.ts'
import { sealNext } from '../../src/log/seal/seal.ts'
import { reap } from '../../src/nouns/run/take-lease.ts'
import { hookJob } from '../../src/server/jobs/jobs.ts'
import { verify } from '../../src/verify/verify.ts'
import { size } from '../proof/size.ts'
import { engines, type Ledger, withLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { acts, crowd, openServer } from './crowd.ts'
import { beginning, carryOut } from './deeds.ts'
import { logOf, replay, tablesOf } from './replayed.ts'
import { requireFound, textsOf } from './searched.ts'
import { requireChain, requireReplayed, requireWhole } from './whole.ts'

const histories = size(2, 500)
const workers = 10

for (const engine of engines) {
  test(`after many calls at the same time, the ledger is whole (${engine.name})`, async (t) => {
    let done = 0
    const property = fc.asyncProperty(fc.boolean().chain(acts), (acts) =>
      withLedger(engine, async (ledger) => {
        const other = await ledger.openAgain()
        try {
          for (const deed of beginning) await carryOut(ledger, deed)
          const { store, adminKey, advance } = ledger
          done += await crowd([openServer(store, adminKey), openServer(other, adminKey)], acts, workers, advance)
        } finally {
          await other.close()
        }
        await requireQuiet(ledger)
      }),
    )
    await fc.assert(property, { numRuns: histories, endOnFailure: true })
    t.diagnostic(`${done} acts were done`)
  })
}

/** Asserts what must hold once nobody writes any more. */
async function requireQuiet({ store, as, client: whole, advance }: Ledger): Promise<void> {
  const { db, now } = store
  const client = as({ project: 'default' })
  // A turn may wait three seconds for a hook that its end has overtaken, and the shortest leases last ten.
  advance(10_001)
  while (await hookJob(store).step(0));
  while (await reap(db, now()));
  const log = await logOf(whole)
  const ours = log.filter(({ project, type }) => project === 'default' || /^(project|key|webhook)\./.test(type))
  const replayed = replay(ours, now())
  // A run whose agent works is not listed, which the log does not say.
  const { runs } = await client.listRuns({ limit: 100 })
  for (const { runId, activity } of runs) if (activity?.state === 'working') delete replayed.attention[runId]
  requireReplayed(replayed, await tablesOf(client, whole))
  // Deleting a project ends the leases in it without events.
  requireChain(log.filter(({ project }) => !project?.includes('~')))
  await requireWhole(db)
  const texts = await textsOf(client)
  await requireFound(client, texts, 'while texts wait for the index')
  while (await indexMore(db, 0));
  await requireFound(client, texts, 'when the index has all')
  while (await sealNext(db));
  await signTree(db, now())
  assert.deepEqual((await verify(whole, [])).faults, [])
}
