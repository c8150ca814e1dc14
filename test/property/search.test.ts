import { test } from 'node:test'
import { followLog, indexMore } from '../../src/find/follow.ts'
import { size } from '../proof/size.ts'
import { engines, withLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { carryOut, history } from './deeds.ts'
import { requireFound, textsOf } from './searched.ts'

const histories = size(3, 1000)

for (const engine of engines) {
  test(`a search finds the same as a scan of all texts (${engine.name})`, async () => {
    const property = fc.asyncProperty(history, (deeds) =>
      withLedger(engine, async (ledger) => {
        const { db } = ledger.store
        // A few steps of the index: in the end some texts wait for it, and others have changed since.
        for (const [index, one] of deeds.entries()) {
          await carryOut(ledger, one)
          if (index % 3 === 0) await followLog(db, 0)
        }
        const texts = await textsOf(ledger.client)
        await requireFound(ledger.client, texts, 'while texts wait for the index')
        while (await indexMore(db, 0));
        await requireFound(ledger.client, texts, 'when the index has all')
      }),
    )
    await fc.assert(property, { numRuns: histories })
  })
}
