import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { conductHere } from './program.ts'
import { serverUser } from './user.ts'

/** A user of a server whose seal can be hidden, as that of a Conduct that is too old to have one. */
async function userOf(t: TestContext) {
  const { env } = await serverUser(t)
  const server = new URL(env.CONDUCT_URL as string)
  let isHidden = false
  const proxy = createServer(async ({ url = '', headers: { authorization = '', accept = '*/*' } }, response) => {
    const path = isHidden && url.includes('/v1/log/') ? '/conduct/v1/nothing' : url
    const answer = await fetch(new URL(path, server), { headers: { authorization, accept } })
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
    response.end(await answer.text())
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => proxy.close())
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${server.pathname}`
  const conduct = (words: string[], CONDUCT_URL = url) => conductHere(words, { ...env, CONDUCT_URL })
  const hide = () => {
    isHidden = true
  }
  return { url, home: env.HOME, conduct, hide }
}

test('a server that is too old to seal its log is no log that does not fit', async (t) => {
  const { url, conduct, hide } = await userOf(t)
  hide()
  const old = await conduct(['verify'])
  assert.equal(old.code, 4, old.stderr)
  assert.match(old.stderr, /^conduct: The server does not seal its log, because its Conduct is too old: upgrade it\.$/m)
  const doctor = await conduct(['doctor'])
  assert.match(
    doctor.stdout,
    /^note +log +the server does not seal its log, because its Conduct is too old: upgrade it$/m,
  )
  const elsewhere = await conduct(['verify'], `${url}/wrong`)
  assert.deepEqual([elsewhere.code, /too old/.test(elsewhere.stderr)], [4, false], elsewhere.stderr)
})

test('a log that had a seal and has none does not fit', async (t) => {
  const { home, conduct, hide } = await userOf(t)
  const anchor = join(home, 'anchor')
  writeFileSync(anchor, (await conduct(['log', 'checkpoint'])).stdout)
  hide()
  const anchored = await conduct(['verify', '--anchor', anchor])
  assert.equal(anchored.code, 1, anchored.stderr)
  assert.match(anchored.stderr, /The server has no seal, but the log of the anchors had one\./)
  const unknown = await conduct(['verify'])
  assert.equal(unknown.code, 4, unknown.stderr)
})

test('a log that this machine saw sealed and that has no seal does not fit', async (t) => {
  const { conduct, hide } = await userOf(t)
  assert.equal((await conduct(['verify'])).code, 0)
  hide()
  const ended = await conduct(['verify'])
  assert.equal(ended.code, 1, ended.stderr)
  assert.match(ended.stderr, /is no longer sealed, which contradicts what this machine saw/)
})
