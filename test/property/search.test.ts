import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../../src/client/client.ts'
import { size } from '../proof/size.ts'
import { engines, withLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { allOf, carryOut, history } from './deeds.ts'

const histories = size(10, 1000)

/** What is asked for, and the words of which a text that is found has one. Ids and other fields are not in it. */
const questions: Record<string, RegExp> = {
  apfel: /apfel/i,
  birne: /birne/i,
  straße: /straße/i,
  naïve: /naïve/i,
  'loginForm.ts': /loginForm\.ts/i,
  login: /login/i,
  日本語: /日本語/,
  rakete: /rakete/i,
}

for (const engine of engines) {
  test(`a search finds what a scan of all texts finds (${engine.name})`, async () => {
    const property = fc.asyncProperty(history, (deeds) =>
      withLedger(engine, async (ledger) => {
        for (const one of deeds) await carryOut(ledger, one)
        const texts = await textsOf(ledger.client)
        for (const [q, pattern] of Object.entries(questions)) {
          const scanned = [...texts].filter(([, text]) => pattern.test(text)).map(([subject]) => subject)
          assert.deepEqual(await found(ledger.client, q), scanned.sort(), q)
        }
      }),
    )
    await fc.assert(property, { numRuns: histories })
  })
}

/** The hits of all pages, each once. */
async function found(client: Client, q: string): Promise<string[]> {
  const hits = await Array.fromAsync(client.all('search', { q, limit: 5 }))
  const subjects = hits.map(({ type, subject }) => `${type} ${subject}`)
  assert.equal(new Set(subjects).size, subjects.length, 'none twice')
  return subjects.sort()
}

/** All that is searched of each row, read one by one. */
async function textsOf(client: Client): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  const put = (subject: string, ...parts: (string | null)[]) => texts.set(subject, parts.join('\n'))
  for (const { runId, title } of await allOf(client, 'listRuns')) {
    put(`run ${runId}`, title, (await client.getRun({ runId })).run.content)
  }
  for (const { specId, title } of await allOf(client, 'listSpecs')) {
    put(`spec ${specId}`, title, (await client.getSpec({ specId })).spec.content)
  }
  for (const { checkId, name, command } of await allOf(client, 'listChecks')) {
    put(`check ${checkId}`, name, command, (await client.getCheck({ checkId })).check.content)
  }
  for (const { id, name, description, file } of await allOf(client, 'listFeatures')) {
    put(`feature ${id}`, name, description, file)
  }
  return texts
}
