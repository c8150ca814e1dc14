import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../../src/client/client.ts'
import { size } from '../proof/size.ts'
import { type Engine, engines, withLedger } from '../support/engines.ts'
import { exportAt, exportOf, importAt, openAt } from '../support/exported.ts'
import fc from '../support/random.ts'
import { allOf, carryOut, type Deed, history } from './deeds.ts'

const histories = size(6, 300)

for (const engine of engines) {
  test(`any ledger, there and back, exports the same bytes and reads the same (${engine.name})`, async () => {
    const property = fc.asyncProperty(history, fc.boolean(), (deeds: Deed[], withKeys) =>
      withLedger(engine, async (ledger, t) => {
        for (const one of deeds) await carryOut(ledger, one)
        const runs = await allOf(ledger.client, 'listRuns')
        for (const { runId } of runs) await carryOut(ledger, { call: 'heartbeat', input: { runId } })
        const { root } = await ledger.client.getCheckpoint()
        const text = await exportOf(ledger.store, withKeys)
        const [there, back] = otherThan(engine)
        const { url } = await there.ledger(t)
        await importAt(url, text)
        assert.ok((await exportAt(url, withKeys)) === text, 'the same bytes')
        const { url: home } = await back.ledger(t)
        await importAt(home, await exportAt(url, withKeys))
        assert.ok((await exportAt(home, withKeys)) === text, 'the same bytes')
        const { client } = await openAt(t, home)
        assert.deepEqual(await readAll(client), await readAll(ledger.client))
        assert.equal((await client.getCheckpoint()).root, root)
      }),
    )
    await fc.assert(property, { numRuns: histories })
  })
}

const otherThan = (engine: Engine) => engines.toSorted((a) => (a === engine ? 1 : -1)) as [Engine, Engine]

/** What the lists, the specs with their totals, searches and the log tell. */
async function readAll(client: Client) {
  const specs = await allOf(client, 'listSpecs')
  const texts = ['apfel', 'birne', 'rakete', 'loginForm']
  return {
    runs: await allOf(client, 'listRuns'),
    checks: await allOf(client, 'listChecks'),
    features: await allOf(client, 'listFeatures'),
    projects: await allOf(client, 'listProjects'),
    specs: await Promise.all(specs.map(({ specId }) => client.getSpec({ specId }))),
    found: await Promise.all(
      texts.map(async (q) =>
        (await client.search({ q, limit: 100 })).results.map(({ type, subject }) => `${type} ${subject}`).sort(),
      ),
    ),
    named: await Promise.all(texts.map(async (q) => (await client.listSpecs({ q })).specs.map(({ specId }) => specId))),
    log: await client.listEvents({ after: 0, limit: 100 }),
  }
}
