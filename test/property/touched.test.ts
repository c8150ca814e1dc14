import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import type { Client } from '../../src/client/client.ts'
import { pathsFinding } from '../../src/contract/file-path.ts'
import type { Tx } from '../../src/engine/db.ts'
import { isErasedName } from '../../src/log/event.ts'
import { backfillNext, leaveToBackfill } from '../../src/nouns/run/backfill.ts'
import { size } from '../proof/size.ts'
import { engines, withLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { allOf, carryOut, history } from './deeds.ts'
import { requireModels } from './whole.ts'

const histories = size(3, 1000)

/** Asserts that runs are found by exactly the files that they list, and by the folders above these. */
async function requireTouched(client: Client): Promise<void> {
  const expected = new Map<string, string[]>()
  for (const { runId } of await allOf(client, 'listRuns')) {
    const { files } = await client.listRunFiles({ runId })
    const paths = new Set(files.flatMap(({ path }) => (isErasedName(path) ? [] : pathsFinding(path))))
    for (const path of paths) expected.set(path, [...(expected.get(path) ?? []), runId])
  }
  for (const file of [...expected.keys(), 'src/', 'src/auth/', 'src/auth']) {
    const runs = await Array.fromAsync(client.all('listRuns', { file, limit: 2 }))
    assert.deepEqual(runs.map(({ runId }) => runId).sort(), (expected.get(file) ?? []).sort(), file)
  }
}

for (const engine of engines) {
  test(`lists by file and by model are the same as a scan of all turns (${engine.name})`, async () => {
    const property = fc.asyncProperty(history, fc.nat(20), (deeds, upgradedAt) =>
      withLedger(engine, async (ledger) => {
        const { db } = ledger.store
        // From then on, the ledger is one that has just been upgraded, and is filled in while others write.
        for (const [index, one] of deeds.entries()) {
          if (index === upgradedAt) await db.tx(forget)
          await carryOut(ledger, one)
          if (index > upgradedAt && index % 3 === 0) await backfillNext(db)
        }
        await requireTouched(ledger.client)
        while (await backfillNext(db));
        await requireModels(db)
      }),
    )
    await fc.assert(property, { numRuns: histories })
  })
}

async function forget(tx: Tx): Promise<void> {
  await tx.query(sql`delete from run_paths`)
  await tx.query(sql`delete from run_models`)
  await leaveToBackfill(tx)
}
