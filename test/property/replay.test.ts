import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf, names } from '../../src/contract/paths.ts'
import { size } from '../proof/size.ts'
import { engines, withLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { calls, carryOut, type Deed, history } from './deeds.ts'
import { logOf, replay, tablesOf } from './replayed.ts'

const histories = size(4, 1500)

/** Operations that change no noun. */
const others = ['createLoginCode', 'createSession', 'deleteSession', 'testWebhook']

test('histories have every operation that changes a noun', () => {
  const changing = names.filter((name) => addressOf(name).method !== 'GET')
  assert.deepEqual(new Set([...calls, ...others]), new Set(changing))
})

for (const engine of engines) {
  test(`replaying the log gives the tables (${engine.name})`, async () => {
    const property = fc.asyncProperty(history, (deeds: Deed[]) =>
      withLedger(engine, async (ledger) => {
        for (const one of deeds) await carryOut(ledger, one)
        // The shortest leases last ten seconds.
        ledger.advance(10_001)
        // The next call on a run notices that its lease has expired, as the server does.
        const { runs } = await ledger.client.listRuns({ limit: 100 })
        for (const { runId } of runs) await carryOut(ledger, { call: 'heartbeat', input: { runId } })
        const log = await logOf(ledger.client)
        assert.deepEqual(replay(log, ledger.store.now()), await tablesOf(ledger.client))
      }),
    )
    await fc.assert(property, { numRuns: histories })
  })
}
