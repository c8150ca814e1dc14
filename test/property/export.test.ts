import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { Client } from '../../src/client/client.ts'
import { ConductError } from '../../src/contract/error.ts'
import { readExport } from '../../src/export/lines.ts'
import { emptyNext, newPlace } from '../../src/removal/empty-project.ts'
import { size } from '../proof/size.ts'
import { type Engine, engines, type Lasting, type Ledger, withLedger } from '../support/engines.ts'
import { exportAt, exportOf, importAt, openAt } from '../support/exported.ts'
import fc from '../support/random.ts'
import { allOf, carryOut, type Deed, history } from './deeds.ts'

const histories = size(3, 300)

for (const engine of engines) {
  test(`any ledger is the same, byte for byte, after export and import into another and back (${engine.name})`, async () => {
    const property = fc.asyncProperty(history, fc.boolean(), (deeds: Deed[], withKeys) =>
      withLedger(engine, async (ledger, t) => {
        for (const one of deeds) await carryOut(ledger, one)
        // The shortest leases last ten seconds.
        ledger.advance(10_001)
        const runs = await allOf(ledger.client, 'listRuns')
        for (const { runId } of runs) await carryOut(ledger, { call: 'heartbeat', input: { runId } })
        await emptied(ledger)
        const { root } = await ledger.client.getCheckpoint()
        const text = await exportOf(ledger.store, withKeys)
        const [there, back] = otherThan(engine)
        const url = await lend(there, t)
        await importAt(url, text)
        assert.ok((await exportAt(url, withKeys)) === text, 'the same bytes')
        const home = await lend(back, t)
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

/** The URL of an empty ledger, which its engine has again after this history. */
async function lend(engine: Engine, t: Lasting): Promise<string> {
  const { url, giveBack } = await engine.ledger(t)
  t.after(() => giveBack?.())
  return url
}

/** Removes the rest of deleted projects, as the server does in the background. */
async function emptied({ store }: Ledger) {
  const place = newPlace()
  while (await emptyNext(store.db, store.now(), place));
}

test('the error for an export that is cut anywhere, or has one wrong bit, names the line', async () => {
  await withLedger(engines[0] as Engine, async (ledger) => {
    for (let n = 1; n <= 20; n++) await ledger.client.createRun({ title: `run ${n}`, content: `text ${n}` })
    const bytes = Buffer.from(await exportOf(ledger.store))
    const read = async (part: Uint8Array) => {
      for await (const _ of readExport(Readable.from([part])));
    }
    await read(bytes)
    const refused = (code: string) => (error: unknown) =>
      error instanceof ConductError &&
      error.code === code &&
      /^(Line \d+ |This is not a Conduct export|The export ends)/.test(error.message)
    const place = fc.nat(bytes.length - 1)
    const damage = fc.asyncProperty(place, fc.nat(7), async (at, bit) => {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ (1 << bit)
      await assert.rejects(read(changed), refused('BAD_REQUEST'))
      // Without its line feed, the last line is still complete.
      if (at < bytes.length - 1) await assert.rejects(read(bytes.subarray(0, at)), refused('BAD_REQUEST'))
    })
    await fc.assert(damage, { numRuns: size(100, 20_000) })
  })
})

const otherThan = (engine: Engine) => engines.toSorted((a) => (a === engine ? 1 : -1)) as [Engine, Engine]

/** Everything that the lists, the totals of specs, searches and the log return. */
async function readAll(client: Client) {
  const runs = await allOf(client, 'listRuns')
  const open = new Set<string>()
  for (const { runId } of runs) {
    const { turns } = (await client.getRun({ runId })).run
    // An export leaves it out.
    if (turns.open) open.add(`${runId}/${turns.open.n}`)
  }
  const specs = await allOf(client, 'listSpecs')
  const texts = ['apfel', 'birne', 'rakete', 'loginForm']
  return {
    runs,
    checks: await allOf(client, 'listChecks'),
    features: await allOf(client, 'listFeatures'),
    projects: await allOf(client, 'listProjects'),
    specs: await Promise.all(specs.map(({ specId }) => client.getSpec({ specId }))),
    found: await Promise.all(
      texts.map(async (q) =>
        (await client.search({ q, limit: 100 })).results
          .filter(({ subject }) => !open.has(subject))
          .map(({ type, subject }) => `${type} ${subject}`)
          .sort(),
      ),
    ),
    named: await Promise.all(texts.map(async (q) => (await client.listSpecs({ q })).specs.map(({ specId }) => specId))),
    log: await client.listEvents({ after: 0, limit: 100 }),
  }
}
