import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../../src/client/client.ts'
import { followLog, indexMore } from '../../src/store/search/follow.ts'
import { size } from '../proof/size.ts'
import { engines, withLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { allOf, carryOut, history } from './deeds.ts'

const histories = size(6, 1000)

/** Queries, each with a pattern for the texts that it finds. Ids and other fields do not contain these words. */
const questions: Record<string, RegExp> = {
  apfel: /apfel/i,
  birne: /birne/i,
  straße: /straße/i,
  naïve: /naïve/i,
  'loginForm.ts': /loginForm\.ts/i,
  login: /login/i,
  aut: /auth/i,
  'auth-0': /auth-0/i,
  'src/a': /src\/auth/i,
  日本語: /日本語/,
  rakete: /rakete/i,
}

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
        const findsAll = async (when: string) => {
          for (const [q, pattern] of Object.entries(questions)) {
            const scanned = [...texts].filter(([, text]) => pattern.test(text)).map(([subject]) => subject)
            assert.deepEqual(await found(ledger.client, q), scanned.sort(), `${q}, ${when}`)
          }
        }
        await findsAll('while texts wait for the index')
        while (await indexMore(db, 0));
        await findsAll('when the index has all')
      }),
    )
    await fc.assert(property, { numRuns: histories })
  })
}

/** The hits of all pages. Asserts that each occurs once. */
async function found(client: Client, q: string): Promise<string[]> {
  const hits = await Array.fromAsync(client.all('search', { q, limit: 5 }))
  const subjects = hits.map(({ type, subject }) => `${type} ${subject}`)
  assert.equal(new Set(subjects).size, subjects.length, 'none twice')
  return subjects.sort()
}

/** All searched texts of each row, read one by one. */
async function textsOf(client: Client): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  const put = (subject: string, ...parts: (string | null)[]) => texts.set(subject, parts.join('\n'))
  for (const { runId, title, command } of await allOf(client, 'listRuns')) {
    put(`run ${runId}`, title, command, (await client.getRun({ runId })).run.content)
    for (const { n, prompt = '', answer = '' } of (await client.listTurns({ runId, limit: 100 })).turns) {
      put(`turn ${runId}/${n}`, prompt, answer)
    }
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
