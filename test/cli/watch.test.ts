import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conduct, start } from './program.ts'

const ada = 'Ada Example <ada@example.com>'

/** Starts `conduct watch` beside a server, and returns its lines as they come. */
async function watching(t: TestContext, words: string[] = [], key = adminKey, url = '') {
  const at = url || (await openServer(t)).url
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: at, CONDUCT_API_KEY: key }
  const { child } = start(['watch', ...words], env)
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  return { url: at, child, next: async () => (await lines.next()).value as string }
}

/** Waits until the program follows the log, by creating runs that it names. */
async function untilItFollows(admin: ReturnType<typeof createClient>, next: () => Promise<string>) {
  const first = next()
  const timer = setInterval(() => void admin.createRun({ title: 'mark', status: 'completed', author: ada }), 500)
  await first.finally(() => clearInterval(timer))
}

/** The next line that is about another run than the marks. */
async function nextLine(next: () => Promise<string>): Promise<string> {
  for (;;) {
    const line = await next()
    if (!line.includes('mark')) return line
  }
}

test('watch prints a line when an agent waits, fails or is done, until Ctrl-C', async (t) => {
  const { url, child, next } = await watching(t)
  const admin = createClient({ url, key: adminKey })
  await untilItFollows(admin, next)
  const { runId } = (
    await admin.createRun({
      title: 'Log in\u001b[2J with a passkey',
      status: 'in_progress',
      agent: 'claude-code',
      author: ada,
    })
  ).run
  await admin.heartbeat({ runId, activity: { state: 'waiting', tool: 'Bash', target: 'deploy' } })
  const words = `Ada Example's claude-code waits for Bash in default/${runId} · Log in with a passkey`
  const line = await nextLine(next)
  assert.match(line, /^\d\d:\d\d:\d\d {2}/)
  assert.equal(line.slice(10), words, 'without a bell in a pipe')
  await admin.updateRun({
    runId,
    title: 'Log in',
    status: 'failed',
    failure: { code: 'TESTS', message: 'tests failed' },
  })
  assert.match(await nextLine(next), / failed in default\/\S+: tests failed · Log in$/)
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  assert.deepEqual(await ended, [0, null])
})

test('watch --mine prints the runs of the person of the key, as JSON if asked', async (t) => {
  const { url } = await openServer(t)
  const admin = createClient({ url, key: adminKey })
  const { secret } = await admin.createKey({ name: 'ada', permissions: ['read'], project: 'default', person: ada })
  const { next } = await watching(t, ['--mine', '--project', 'default', '--json'], secret, url)
  await untilItFollows(admin, next)
  await admin.createRun({ title: 'of another', status: 'completed', author: 'Bo <bo@example.com>' })
  const { run } = await admin.createRun({ title: 'of mine', status: 'completed', author: 'ADA <Ada@Example.com>' })
  const { at, ...told } = JSON.parse(await nextLine(next))
  assert.equal(at, run.createdAt)
  const { runId, project, title, agent, author } = run
  assert.deepEqual(told, { kind: 'completed', project, runId, title, agent, author })
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const refused = await conduct(['watch', '--mine'], env)
  assert.deepEqual([refused.code, /needs a key that names a person/.test(refused.stderr)], [2, true])
})

/** The address of a proxy in front of a server that cannot reach it for as many requests for a run as `refused` says. */
async function proxyTo(t: TestContext, url: string, refused: { left: number }): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    if (/\/runs\/./.test(incoming.url ?? '') && refused.left-- > 0) return outgoing.writeHead(503).end()
    const { method, headers } = incoming
    const passed = request(new URL(incoming.url ?? '', url), { method, headers }, (response) => {
      response.pipe(outgoing.writeHead(response.statusCode ?? 502, response.headers))
    })
    incoming.pipe(passed.on('error', () => outgoing.destroy()))
  }).listen(0, '127.0.0.1')
  t.after(() => {
    proxy.close()
    proxy.closeAllConnections()
  })
  await once(proxy, 'listening')
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${new URL(url).pathname}`
}

test('watch waits for a server that goes away when it has news, until Ctrl-C', async (t) => {
  const { url } = await openServer(t)
  const refused = { left: 0 }
  const { child, next } = await watching(t, [], adminKey, await proxyTo(t, url, refused))
  const admin = createClient({ url, key: adminKey })
  await untilItFollows(admin, next)
  refused.left = 5
  await admin.createRun({ title: 'Log in', status: 'completed' })
  assert.match(await nextLine(next), / completed · Log in$/)
  refused.left = 1_000
  await admin.createRun({ title: 'Log out', status: 'completed' })
  while (refused.left === 1_000) await new Promise((resolve) => setTimeout(resolve, 50))
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  assert.deepEqual(await ended, [0, null])
})
