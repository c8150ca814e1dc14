import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { exportLedger } from '../../src/store/export/export.ts'
import { importLedger } from '../../src/store/export/import.ts'
import { openDb, openStore } from '../../src/store/open.ts'
import { size } from '../proof/size.ts'
import { type Engine, engines, withLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { allOf, carryOut, type Deed, history } from './deeds.ts'

const histories = size(6, 300)

/** All lines of an export of the database at that URL. */
async function exported(url: string, withKeys: boolean): Promise<string> {
  const store = await openStore(url, { firstKey: false })
  try {
    return (await Array.fromAsync(exportLedger(store.db, { withKeys }))).join('')
  } finally {
    await store.close()
  }
}

async function imported(url: string, text: string): Promise<void> {
  const db = await openDb(url, () => {})
  try {
    await importLedger(db, Readable.from([Buffer.from(text)]))
  } finally {
    await db.close()
  }
}

for (const engine of engines) {
  test(`any ledger, there and back, exports the same bytes and reads the same (${engine.name})`, async () => {
    const property = fc.asyncProperty(history, fc.boolean(), (deeds: Deed[], withKeys) =>
      withLedger(engine, async (ledger, t) => {
        for (const one of deeds) await carryOut(ledger, one)
        const runs = await allOf(ledger.client, 'listRuns')
        for (const { runId } of runs) await carryOut(ledger, { call: 'heartbeat', input: { runId } })
        await ledger.client.getCheckpoint()
        const text = (await Array.fromAsync(exportLedger(ledger.store.db, { withKeys }))).join('')
        const [there, back] = otherThan(engine)
        const url = (await there.ledger(t)).url
        await imported(url, text)
        assert.equal(await exported(url, withKeys), text)
        const home = (await back.ledger(t)).url
        await imported(home, await exported(url, withKeys))
        assert.equal(await exported(home, withKeys), text)
      }),
    )
    await fc.assert(property, { numRuns: histories })
  })
}

const otherThan = (engine: Engine) => engines.toSorted((a) => (a === engine ? 1 : -1)) as [Engine, Engine]
