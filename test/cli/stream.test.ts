import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { size } from '../proof/size.ts'
import { type Engine, engines } from '../support/engines.ts'
import { adminKey, openServer, startServer } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conduct, programOf, start } from './program.ts'

const [sqlite, postgres] = engines as [Engine, Engine]
const places = {
  'the local SQLite': async (t: TestContext) => ({ CONDUCT_DATABASE_URL: (await sqlite.ledger(t)).url }),
  'the local PostgreSQL': async (t: TestContext) => ({ CONDUCT_DATABASE_URL: (await postgres.ledger(t)).url }),
  'a server': async (t: TestContext) => ({ CONDUCT_URL: (await openServer(t)).url, CONDUCT_API_KEY: adminKey }),
}

for (const [place, enter] of Object.entries(places)) {
  test(`events --follow prints events as they come, including those of other processes, until Ctrl-C (${place})`, async (t) => {
    const env = { ...homeOf(freshFolder(t)), ...(await enter(t)), CONDUCT_PROJECT: 'default' }
    const { run } = programOf(env)
    await run('run create --run-id R-1')
    const { child } = start(['events', '--follow', '--after', '0', '--type', 'run.created'], env)
    t.after(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
    assert.match((await lines.next()).value ?? '', / {2}run\.created {2}R-1 {2}/)
    await run('run create --run-id R-2')
    assert.match((await lines.next()).value ?? '', /^\d+ {2}\d{4}-\S+Z {2}run\.created {2}R-2 {2}/)
    child.kill('SIGINT')
    assert.deepEqual(await ended, [130, null])
  })
}

test('events --follow says once that the server is away, and goes on when it is back', async (t) => {
  const { url: databaseUrl } = await sqlite.ledger(t)
  const port = String(await freePort())
  const server = await startServer(t, databaseUrl, { CONDUCT_PORT: port })
  const { url } = server
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  await programOf(env).run('run create --run-id R-1')
  await server.end('SIGTERM')
  const { child } = start(['events', '--follow', '--after', '0', '--type', 'run.created'], env)
  t.after(() => child.kill('SIGKILL'))
  const told = createInterface({ input: child.stderr as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  const away = `conduct: No response from ${url}: is the server running there? Trying again until it responds.`
  assert.equal((await told.next()).value, away)
  const following = once(child.stdout as NodeJS.ReadableStream, 'data')
  await startServer(t, databaseUrl, { CONDUCT_PORT: port })
  assert.match(String(await following), / {2}run\.created {2}R-1 {2}/)
  child.kill('SIGINT')
  assert.equal((await told.next()).done, true)
})

test('a command ends without an error when its reader stops', async (t) => {
  const { url } = await openServer(t)
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const { run } = programOf(env)
  await run('spec create - --spec-id S-1', 'x'.repeat(900_000))
  for (const words of [
    ['spec', 'get', 'S-1'],
    ['events', '--follow', '--after', '0'],
  ]) {
    const { child, ran } = start(words, env)
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    child.stdout?.destroy()
    // `events --follow` notices at its next write that its reader has gone.
    if (words.includes('--follow')) await run('run create')
    const { code, stderr } = await ran
    assert.deepEqual([code, stderr], [0, ''])
  }
})

const processes = size(8, 20)

test(`${processes} processes write to one local file at the same time, and nothing is lost`, async (t) => {
  const env = { ...homeOf(freshFolder(t)), CONDUCT_PROJECT: 'shop' }
  const many = Array.from({ length: processes }, (_, at) =>
    conduct(['run', 'create', '--title', `t${at}`, '--quiet'], env),
  )
  const ended = await Promise.all(many)
  for (const { code, stderr } of ended) assert.equal(code, 0, stderr)
  assert.equal(new Set(ended.map(({ stdout }) => stdout)).size, processes)
  const { runs } = await programOf(env).json('run list --limit 100')
  assert.equal(runs.length, processes)
})
