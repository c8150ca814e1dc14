import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { createClient } from '../src/client/client.ts'
import { freshFolder } from './cli/folder.ts'
import { adminKey, openServer } from './support/server.ts'

const page = readFileSync(new URL('../docs/your-own-agent.md', import.meta.url), 'utf8')
const code = /^```js\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? ''
const client = new URL('../src/client/client.ts', import.meta.url).href

test('the agent of the documentation has 40 lines', () => {
  assert.equal(code.split('\n').filter((line) => line.trim() !== '').length, 40)
})

test('the agent of the documentation records its commands, a turn, a check and the end of the run', async (t) => {
  const { runs, turns, checks } = await played(t, ['<run>echo passkey > note.txt</run>', 'I wrote the note.'])
  const [run] = runs
  assert.equal(run?.status, 'completed')
  assert.equal(run?.verdict, 'verified')
  assert.equal(run?.evidence, 'executed')
  assert.deepEqual(run?.usage && [run.usage.inputTokens, run.usage.outputTokens], [20, 10])
  assert.deepEqual(turns[0]?.commands, [{ command: 'echo passkey > note.txt', exitCode: 0 }])
  assert.deepEqual([turns[0]?.prompt, turns[0]?.answer], ['Write a note', 'I wrote the note.'])
  assert.deepEqual([checks[0]?.name, checks[0]?.result], ['tests', 'pass'])
})

test('the agent of the documentation fails its run when the model fails', async (t) => {
  const { runs } = await played(t, [])
  assert.equal(runs[0]?.status, 'failed')
  assert.deepEqual(runs[0]?.failure, { code: 'AGENT_ERROR', message: 'Error: The model returned 500.' })
})

/** Returns what the ledger contains after the agent has called a model that gives these answers. */
async function played(t: TestContext, answers: string[]) {
  const { url } = await openServer(t)
  const folder = freshFolder(t)
  writeFileSync(join(folder, 'package.json'), '{ "scripts": { "test": "node --version" } }')
  writeFileSync(join(folder, 'agent.mjs'), code.replace("'conduct-ledger'", `'${client}'`))
  const model = await openModel(t, answers)
  const env = { ...process.env, MODEL_URL: model, CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  await promisify(execFile)(process.execPath, ['agent.mjs', 'Write a note'], { cwd: folder, env })
  const conduct = createClient({ url, key: adminKey })
  const { runs } = await conduct.listRuns()
  const { runId = '' } = runs[0] ?? {}
  return {
    runs,
    turns: (await conduct.listTurns({ runId })).turns,
    checks: (await conduct.listChecks({ runId })).checks,
  }
}

/** Starts a model of the chat completions protocol that gives these answers and then fails. Returns its address. */
async function openModel(t: TestContext, answers: string[]): Promise<string> {
  const left = [...answers]
  const server = createServer((request, response) => {
    assert.equal(request.url, '/v1/chat/completions')
    const content = left.shift()
    response.writeHead(content === undefined ? 500 : 200, { 'content-type': 'application/json' })
    const usage = { prompt_tokens: 10, completion_tokens: 5 }
    response.end(JSON.stringify({ choices: [{ message: { content } }], usage }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}
