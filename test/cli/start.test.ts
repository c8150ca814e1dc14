import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { createClient } from '../../src/client/client.ts'
import { root } from '../support/built.ts'
import { engines, testLedger } from '../support/engines.ts'
import { adminKey, openServer, startServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { onTerminal } from './on-terminal.ts'
import { conduct, programOf } from './program.ts'

const me = async (url: string, key: string) => (await createClient({ url, key, attempts: 1 }).me()).key?.name

for (const engine of engines) {
  test(`on a terminal the first start prints a key once, with a working curl command (${engine.name})`, async (t) => {
    const env = {
      ...homeOf(freshFolder(t)),
      CONDUCT_DATABASE_URL: await engine.freshUrl(t),
      CONDUCT_PORT: '0',
    }
    const first = onTerminal(t, ['serve'], env, 400)
    await first.shows(/curl .*\/v1\/runs\r\n/)
    const command = /^ {2}(curl .*?)\r$/m.exec(first.text())?.[1] ?? ''
    const { stdout } = await promisify(execFile)('sh', ['-c', `${command} -s`])
    assert.equal(JSON.parse(stdout).run.title, 'Hello ledger')
    assert.match(first.text(), /^Page: http\S+#code=code_\w{43}\r$/m)
    assert.ok(!first.text().includes('conduct:conduct@'), 'the password of the database is not shown')
    first.terminal.write('\u0003')
    assert.equal(await first.ended, 0)
    const second = onTerminal(t, ['serve'], env, 400)
    await second.shows(/Page: /)
    assert.ok(!second.text().includes('sk_admin_'))
    second.terminal.write('\u0003')
    assert.equal(await second.ended, 0)
  })

  test(`in output that may be a log there is no secret, and the first key is in a file (${engine.name})`, async (t) => {
    const databaseUrl = await engine.freshUrl(t)
    const state = freshFolder(t)
    const server = await startServer(t, databaseUrl, { CONDUCT_ADMIN_KEY: '', XDG_STATE_HOME: state })
    assert.doesNotMatch(server.output(), /sk_|code_/)
    const path = /^The first key, with all permissions, is in (.+)$/m.exec(server.output())?.[1] ?? ''
    const file = databaseUrl.replace(/^sqlite:/, '')
    assert.equal(path, engine.name === 'sqlite' ? `${file}.admin-key` : join(state, 'conduct/admin-key'))
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(await me(server.url, readFileSync(path, 'utf8').trim()), 'first admin')
    assert.equal(await server.end('SIGTERM'), 0)
    const again = await startServer(t, databaseUrl, { CONDUCT_ADMIN_KEY: '', XDG_STATE_HOME: state })
    assert.doesNotMatch(again.output(), /first key/)
    assert.match(
      again.output(),
      /^Keys: conduct key create --profile local --all-projects --name admin --permission admin --service$/m,
    )
  })
}

testLedger('the first key of another ledger stays in its file', async ({ engine }, t) => {
  const state = freshFolder(t)
  const keyless = { CONDUCT_ADMIN_KEY: '', XDG_STATE_HOME: state }
  const firstKey = async (url: string) => {
    const server = await startServer(t, url, keyless)
    const path = /^The first key, with all permissions, is in (.+)$/m.exec(server.output())?.[1] ?? ''
    return { url: server.url, path }
  }
  const servers = []
  for (const url of [await engine.freshUrl(t), 'sqlite::memory:', await engine.freshUrl(t)]) {
    servers.push(await firstKey(url))
  }
  for (const { url, path } of servers) {
    assert.equal(await me(url, readFileSync(path, 'utf8').trim()), 'first admin')
    assert.equal(statSync(path).mode & 0o777, 0o600)
  }
})

test('a first start that cannot listen still says where the first key is', async (t) => {
  const { port } = await openServer(t)
  const folder = freshFolder(t)
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${folder}/c.db`, CONDUCT_PORT: String(port) }
  const { code, stdout, stderr } = await conduct(['serve'], env)
  assert.equal(code, 1)
  assert.match(stderr, /port \d+ is taken/)
  assert.match(stdout, new RegExp(`is in ${folder}/c.db.admin-key$`, 'm'))
})

test('if the file of the first key cannot be written, the server says so, and how to create another key', async (t) => {
  const server = await startServer(t, 'sqlite::memory:', { CONDUCT_ADMIN_KEY: '', XDG_STATE_HOME: '/dev/null' })
  assert.match(server.output(), /The first key is lost, .*\nTo create another: conduct key create --profile local /)
})

/** The notes about running servers in that state folder. */
const noted = (state: string) => readdirSync(join(state, 'conduct/servers'))

/** The address of the page that `conduct open` finds, or its exit code. */
async function opened(t: TestContext, databaseUrl: string, state: string, port = '1') {
  const env = { ...homeOf(freshFolder(t)), XDG_STATE_HOME: state, CONDUCT_DATABASE_URL: databaseUrl }
  const { code, stdout } = await programOf({ ...env, CONDUCT_PORT: port }).all('open')
  return code === 0 ? stdout.replace(/\/#code=code_\w{43}\n$/, '') : code
}

for (const engine of engines) {
  test(`conduct open finds the newest live server of its database on any port (${engine.name})`, async (t) => {
    const state = freshFolder(t)
    const [databaseUrl, other] = [await engine.freshUrl(t), await engine.freshUrl(t)]
    const start = (url: string) => startServer(t, url, { XDG_STATE_HOME: state })
    assert.equal(await opened(t, databaseUrl, state), 7)
    const first = await start(databaseUrl)
    await start(other)
    assert.equal(await opened(t, databaseUrl, state), first.url)
    const second = await start(databaseUrl)
    assert.equal(await opened(t, databaseUrl, state), second.url)
    assert.equal(await opened(t, databaseUrl, state, new URL(first.url).port), first.url, 'the expected one goes first')
    await second.end('SIGKILL')
    assert.equal(noted(state).length, 3)
    assert.equal(await opened(t, databaseUrl, state), first.url)
    assert.equal(noted(state).length, 2, 'the killed one is forgotten')
    await first.end('SIGTERM')
    assert.equal(noted(state).length, 1)
    assert.equal(await opened(t, databaseUrl, state), 7)
  })
}

test('conduct open does not log in to a server for another database', async (t) => {
  const [state, folder] = [freshFolder(t), freshFolder(t)]
  const { url } = await startServer(t, `sqlite:${folder}/one.db`, { XDG_STATE_HOME: state })
  const env = { ...homeOf(folder), XDG_STATE_HOME: state, CONDUCT_DATABASE_URL: `sqlite:${folder}/two.db` }
  await programOf(env).run('run create')
  const { code, stderr } = await programOf({ ...env, CONDUCT_PORT: new URL(url).port }).all('open')
  assert.equal(code, 7)
  assert.match(stderr, /No server is running for sqlite:.*two\.db; the one at http:.* serves sqlite:.*one\.db\./)
})

test('a relative path or a link to a database means the same database', async (t) => {
  const state = freshFolder(t)
  const folder = freshFolder(t)
  const { url } = await startServer(t, `sqlite:${join(folder, 'c.db')}`, { XDG_STATE_HOME: state })
  const env = { ...homeOf(folder), XDG_STATE_HOME: state, CONDUCT_DATABASE_URL: 'sqlite:c.db', CONDUCT_PORT: '1' }
  assert.ok((await programOf(env, folder).run('open')).startsWith(url))
  const [name = ''] = noted(state)
  assert.equal(statSync(join(state, 'conduct/servers', name)).mode & 0o777, 0o600)
  assert.equal(statSync(join(state, 'conduct/servers')).mode & 0o777, 0o700)
  assert.equal(await me(url, adminKey), 'first admin')
})

test('the server of npm start ends with the shell that npm runs it in', async (t) => {
  const folder = freshFolder(t)
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${folder}/c.db`, CONDUCT_PORT: '0' }
  // A second command keeps the shell from replacing itself by the first.
  const shell = spawn('sh', ['-c', `'${process.execPath}' '${join(root, 'scripts/start.cjs')}'; :`], { env })
  t.after(() => shell.kill('SIGKILL'))
  let url: string | undefined
  for await (const text of shell.stdout.setEncoding('utf8')) {
    url ??= /listens on (\S+)/.exec(text)?.[1]
    if (url !== undefined && !shell.killed) shell.kill('SIGTERM')
  }
  // The output ends with the last process that has it.
  await assert.rejects(fetch(url as string), { message: 'fetch failed' })
})
