import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { connect, placeOf } from '../../src/place/connect.ts'
import { freshFolder, homeOf } from '../cli/folder.ts'
import { writeFiles } from '../cli/user.ts'
import { main } from '../support/program.ts'
import { copySqlite } from '../support/template.ts'
import { agentByStdio } from './connect.ts'

interface Answer {
  id?: number
  result?: { content?: { text: string }[]; isError?: boolean }
  error?: { code: number; message: string }
}

/** Starts a bare `conduct mcp`, to which the test writes lines unchanged. */
function start(t: TestContext, env: Record<string, string | undefined>, folder: string, ...flags: string[]) {
  const child: ChildProcess = spawn(process.execPath, [main, 'mcp', ...flags], { env, cwd: folder, stdio: 'pipe' })
  t.after(() => child.kill('SIGKILL'))
  const { stdin, stdout, stderr } = child
  assert.ok(stdin && stdout && stderr)
  let errors = ''
  stderr.on('data', (chunk) => {
    errors += chunk
  })
  const lines: string[] = []
  const asked = new Map<number, (answer: Answer) => void>()
  createInterface({ input: stdout }).on('line', (line) => {
    lines.push(line)
    const answer: Answer = JSON.parse(line)
    if (answer.id !== undefined) asked.get(answer.id)?.(answer)
  })
  const ask = (id: number, method: string, params: unknown = {}) =>
    new Promise<Answer>((resolve) => {
      asked.set(id, resolve)
      stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
  const initialize = () => {
    const clientInfo = { name: 'bare', version: '1' }
    return ask(0, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo })
  }
  const exit = once(child, 'exit').then(([code]) => code as number | null)
  return { child, stdin, lines, ask, initialize, exit, errors: () => errors }
}

function home(t: TestContext) {
  const folder = freshFolder(t)
  copySqlite(join(folder, 'conduct.db'))
  return { folder, env: { ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${join(folder, 'conduct.db')}` } }
}

test('a run belongs to the author that git names, and search finds it as mine', async (t) => {
  const { env, folder } = home(t)
  writeFiles(folder, { '.gitconfig': '[user]\n  name = Ada Example\n  email = ada@example.com\n' })
  const agent = await agentByStdio(t, env, folder)
  await agent.call('start_run', { title: 'Add a greeting' })
  const { data } = await agent.call('search_ledger', { type: 'run', mine: true })
  assert.deepEqual(
    (data.runs as { runId: string }[]).map(({ runId }) => runId),
    ['RUN-001'],
  )
})

test('a line that is no message is reported in a sentence', async (t) => {
  const { env, folder } = home(t)
  const { ask, initialize, stdin, errors } = start(t, env, folder)
  await initialize()
  for (const nonsense of ['hello', '{"foo":1}', '[1]']) stdin.write(`${nonsense}\n`)
  await ask(1, 'tools/list')
  assert.match(errors(), /^conduct mcp: Ignored a line that is not a JSON-RPC 2\.0 message, such as {.*}$/m)
  assert.doesNotMatch(errors(), /ZodError|^\s+(at|"code")/m)
})

test('stdout contains only messages of the protocol, whatever the client sends', async (t) => {
  const { env, folder } = home(t)
  const { ask, initialize, stdin, lines, exit } = start(t, env, folder)
  await initialize()
  for (const nonsense of ['', 'hello', '{"jsonrpc":"2.0"', '[1]', '{"jsonrpc":"2.0","id":{},"method":"x"}', '\0']) {
    stdin.write(`${nonsense}\n`)
  }
  assert.equal((await ask(1, 'nothing')).error?.code, -32601)
  assert.match((await ask(2, 'tools/call', { name: 'x' })).error?.message ?? '', /x not found/)
  const huge = { name: 'log_run', arguments: { text: 'x'.repeat(3_000_000), runId: 'R' } }
  const refused = (await ask(3, 'tools/call', huge)).result
  assert.deepEqual(
    [refused?.isError, /larger than 2,097,152 bytes/.test(refused?.content?.[0]?.text ?? '')],
    [true, true],
  )
  const started = await ask(4, 'tools/call', { name: 'start_run', arguments: { title: 'x' } })
  assert.equal(started.result?.content?.[0]?.text, 'RUN-001 is started.')
  stdin.end()
  assert.equal(await exit, 0)
  assert.ok(lines.length >= 5)
  for (const line of lines) assert.equal(JSON.parse(line).jsonrpc, '2.0', line)
})

test('a repeated request is carried out once, and one with another id is a new call', async (t) => {
  const { env, folder } = home(t)
  const { ask, initialize, stdin, exit } = start(t, env, folder)
  await initialize()
  const call = { name: 'start_run', arguments: { title: 'x' } }
  const told = async (id: number) => (await ask(id, 'tools/call', call)).result?.content?.[0]?.text
  assert.deepEqual(
    [await told(5), await told(5), await told(6)],
    ['RUN-001 is started.', 'RUN-001 is started.', 'RUN-002 is started.'],
  )
  stdin.end()
  assert.equal(await exit, 0)
})

test('a call in progress finishes when the client leaves, and its run ends', async (t) => {
  const { env, folder } = home(t)
  const { ask, initialize, stdin, exit } = start(t, env, folder)
  await initialize()
  void ask(1, 'tools/call', { name: 'start_run', arguments: { title: 'x' } })
  stdin.end()
  assert.equal(await exit, 0)
  const { client, close } = await connect(placeOf({}, env, folder), env)
  const { runs } = await client.listRuns()
  assert.deepEqual(
    runs.map(({ failure }) => failure?.code),
    ['SESSION_ENDED'],
  )
  await close()
})

test('an error in opening the ledger is reported on stderr', async (t) => {
  const { env, folder } = home(t)
  const first = start(t, env, folder, '--profile', 'work')
  assert.deepEqual([await first.exit, first.lines], [2, []])
  assert.match(first.errors(), /^conduct: There is no profile 'work'/)
  const second = start(t, { ...env, CONDUCT_DATABASE_URL: `sqlite:${main}/conduct.db` }, folder)
  assert.deepEqual([await second.exit, second.lines], [7, []])
  assert.match(second.errors(), /^conduct: .* cannot be opened: /)
})

test('a call without a reachable server returns an error, and the client may continue', async (t) => {
  const folder = freshFolder(t)
  const env = { ...homeOf(folder), CONDUCT_URL: 'http://127.0.0.1:9/conduct', CONDUCT_API_KEY: 'x' }
  const { refused, client } = await agentByStdio(t, env, folder)
  assert.match(
    await refused('start_run', { title: 'x' }),
    /No response from http:\/\/127\.0\.0\.1:9\/conduct: is the server running/,
  )
  assert.equal((await client.listTools()).tools.length, 7)
})
