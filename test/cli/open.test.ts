import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync } from 'node:fs'
import { test } from 'node:test'
import { linkOf } from '../../src/cli/commands/banner.ts'
import { createClient } from '../../src/client/client.ts'
import { showsOwners } from '../../src/system/peer.ts'
import { engines } from '../support/engines.ts'
import { adminKey, openServer, startServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { onTerminal } from './on-terminal.ts'
import { conductHere, programOf } from './program.ts'

/** Logs in with a link as the page does, and returns the name of the key. */
async function logIn(link: string): Promise<string | undefined> {
  const [url, code] = link.trim().split('/#code=') as [string, string]
  const { key } = await createClient({ url, attempts: 1 }).createSession({ code })
  return key.name
}

async function assertOnce(link: string, name: string) {
  assert.equal(await logIn(link), name)
  await assert.rejects(logIn(link), { code: 'UNAUTHORIZED', message: /has been used/ })
}

for (const engine of engines) {
  test(`open prints a link that logs in once to the server on this machine (${engine.name})`, async (t) => {
    const { url: databaseUrl } = await engine.ledger(t)
    const { url } = await startServer(t, databaseUrl, { CONDUCT_BASE_PATH: '/ledger' })
    const env = {
      ...homeOf(freshFolder(t)),
      CONDUCT_DATABASE_URL: databaseUrl,
      CONDUCT_PORT: new URL(url).port,
      CONDUCT_BASE_PATH: '/ledger',
    }
    const { run, json } = programOf(env)
    const link = await run('open')
    assert.ok(link.startsWith(`${url}/#code=code_`), link)
    await assertOnce(link, 'browser')
    const answer = await json('open')
    assert.ok(Date.parse(answer.expiresAt) > Date.now())
    await assertOnce(answer.url, 'browser')
  })
}

test('on a terminal, a starting server prints such a link', async (t) => {
  const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: 'sqlite::memory:', CONDUCT_PORT: '0' }
  const { shows, text } = onTerminal(t, ['serve'], env, 400)
  await shows(/Page: .*\r/)
  const [, url, link = ''] = /listens on (\S+)[\s\S]*^Page: (\S+)\r$/m.exec(text()) ?? []
  assert.ok(link.startsWith(`${url}/#code=`), text())
  await assertOnce(link, 'browser')
})

test('a link to another server logs in as the key of the command', async (t) => {
  const { url } = await openServer(t)
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  await assertOnce(await programOf(env).run('open --print'), 'first admin')
})

test('without a server, open says so, and creates nothing', async (t) => {
  const folder = freshFolder(t)
  const local = { ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${folder}/c.db`, CONDUCT_PORT: '1' }
  const { code, stdout, stderr } = await conductHere(['open'], local)
  assert.equal(code, 7)
  assert.equal(stdout, '')
  assert.match(stderr, /No Conduct responds at http:\/\/127\.0\.0\.1:1\/conduct .*start it with .*conduct.* serve/)
  const remote = { ...homeOf(folder), CONDUCT_URL: 'http://127.0.0.1:1/conduct', CONDUCT_API_KEY: adminKey }
  assert.equal((await conductHere(['open'], remote)).code, 7)
})

test('the program of another user at the address of the server gets no login code', {
  skip: !showsOwners || process.getuid?.() !== 0,
}, async (t) => {
  const folder = freshFolder(t)
  const answer = `require('http').createServer((_, answer) => answer.end('{"info":{"title":"Conduct"}}'))`
  const script = `process.setuid(65534); ${answer}.listen(0, '127.0.0.1', function () { console.log(this.address().port) })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  const [port] = await once(child.stdout, 'data')
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${folder}/c.db`, CONDUCT_PORT: `${port}`.trim() }
  const { code, stdout, stderr } = await conductHere(['open'], env)
  assert.equal(stdout, '')
  assert.equal(code, 7)
  assert.match(stderr, /belongs to another user of this machine/)
  // A service may run as the owner of its database.
  await programOf(env).run('run list')
  chownSync(`${folder}/c.db`, 65_534, 65_534)
  assert.match(await programOf(env).run('open'), /#code=code_/)
})

test('a link has an address that a browser can open', () => {
  assert.equal(linkOf('http://0.0.0.0:3000/conduct'), 'http://127.0.0.1:3000/conduct/')
  assert.equal(linkOf('http://0.0.0.0:3000/conduct', 'x'), 'http://127.0.0.1:3000/conduct/#code=x')
  assert.equal(linkOf('http://[::]:3000', 'x'), 'http://localhost:3000/#code=x')
  assert.equal(linkOf('http://192.168.0.7:3000/conduct', 'x'), 'http://192.168.0.7:3000/conduct/#code=x')
})
