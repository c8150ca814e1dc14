import assert from 'node:assert/strict'
import type { Client } from '../../src/client/client.ts'
import { allOf } from './deeds.ts'

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
  'src/a': /src\/a/i,
  日本語: /日本語/,
  rakete: /rakete/i,
}

/** Asserts that searches find what a scan of all texts finds. */
export async function requireFound(client: Client, texts: Map<string, string>, when: string): Promise<void> {
  for (const [q, pattern] of Object.entries(questions)) {
    const scanned = [...texts].filter(([, text]) => pattern.test(text)).map(([subject]) => subject)
    assert.deepEqual(await found(client, q), scanned.sort(), `${q}, ${when}`)
  }
}

/** The hits of all pages. Asserts that each occurs once. */
async function found(client: Client, q: string): Promise<string[]> {
  const hits = await Array.fromAsync(client.all('search', { q, limit: 5 }))
  const subjects = hits.map(({ type, subject, title }) => `${type} ${subject}${type === 'diff' ? ` ${title}` : ''}`)
  assert.equal(new Set(subjects).size, subjects.length, 'none twice')
  return subjects.sort()
}

/** All searched texts of each row, read one by one. */
export async function textsOf(client: Client): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  const put = (subject: string, ...parts: (string | null)[]) => texts.set(subject, parts.join('\n'))
  for (const { runId, title, command, git, failure } of await allOf(client, 'listRuns')) {
    put(
      `run ${runId}`,
      title,
      command,
      git?.branch ?? null,
      failure?.message ?? null,
      (await client.getRun({ runId })).run.content,
    )
    for (const { n, prompt = '', answer = '' } of (await client.listTurns({ runId, limit: 100 })).turns) {
      put(`turn ${runId}/${n}`, prompt, answer)
      for await (const { path, patch = '' } of client.all('getDiff', { runId, turn: n })) {
        put(`diff ${runId}/${n} ${path}`, path, patch)
      }
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
