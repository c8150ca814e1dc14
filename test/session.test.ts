import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import { localActor } from '../src/contract/actor.ts'
import { purgeSessions } from '../src/nouns/key/session.ts'
import { openStore } from '../src/operations/open.ts'
import { createApp } from '../src/server/app.ts'
import { rawCalls } from './support/call.ts'
import { base, type Ledger, testLedger } from './support/engines.ts'

const day = 24 * 3600_000
const ownPage = { 'sec-fetch-site': 'same-origin' }

type Told = Record<string, never> & { error: string; key: { id: number; name: string }; token?: string }

/** What a browser keeps of a session. */
interface Jar {
  cookie?: string
  token?: string
}

/** Requests as the page sends them: without a key, with the cookies of its browser and the token of its origin. */
function browserOf({ store }: Pick<Ledger, 'store'>, origin = 'http://localhost', kept: Jar = {}) {
  const app = createApp({ store, rateLimit: 0 })
  const jar = { ...kept }
  const sessionHeaders = () => ({
    ...(jar.cookie && { cookie: jar.cookie }),
    ...(jar.token && { 'x-session-token': jar.token }),
  })
  const ask = async (method: string, path: string, body?: object, headers: Record<string, string> = ownPage) => {
    const all = { ...sessionHeaders(), 'content-type': 'application/json', origin, ...headers }
    const init = { method, headers: all, ...(body && { body: JSON.stringify(body) }) }
    const response = await app.fetch(new Request(`${origin}/conduct${path}`, init))
    const set = response.headers.get('set-cookie')
    if (set !== null) jar.cookie = set.split(';')[0] ?? ''
    const told = (await response.json()) as Told
    if (told.token !== undefined) jar.token = told.token
    return { status: response.status, told, set }
  }
  const logIn = (by: object) => ask('POST', '/v1/auth/session', by)
  return { jar, ask, logIn, sessionHeaders }
}

testLedger('a browser logs in with a key, and gets a cookie that scripts cannot read', async (ledger) => {
  const browser = browserOf(ledger, 'http://localhost:3000')
  const { status, told, set } = await browser.logIn({ key: ledger.adminKey })
  assert.equal(status, 201)
  assert.deepEqual([told.key.id, told.key.name], [1, 'first admin'])
  assert.match(
    set ?? '',
    /^conduct_session_3000=session_\w{43}; Max-Age=2592000; Path=\/conduct; HttpOnly; SameSite=Strict$/,
  )
  assert.ok(!JSON.stringify(told).includes('session_'), 'one secret is in the cookie alone')
  assert.match(told.token ?? '', /^page_\w{43}$/)
  const me = await browser.ask('GET', '/v1/auth/me')
  assert.deepEqual([me.status, me.told.key.id], [200, 1])
  assert.equal((await browser.ask('POST', '/v1/runs', { runId: 'BY-COOKIE' })).status, 201)
  const { events } = await ledger.client.listEvents({ subject: 'BY-COOKIE' })
  assert.equal(events[0]?.actor.keyId, 1)
})

testLedger(
  'the cookie is Secure if the page came by HTTPS, and its name and path depend on the server',
  async (ledger) => {
    const { set } = await browserOf(ledger, 'https://conduct.example').logIn({ key: ledger.adminKey })
    assert.match(set ?? '', /^conduct_session_default=.*; Path=\/conduct; HttpOnly; Secure; SameSite=Strict$/)
    const behindProxy = await ledger.fetch('/v1/auth/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://conduct.example' },
      body: JSON.stringify({ key: ledger.adminKey }),
    })
    assert.match(behindProxy.headers.get('set-cookie') ?? '', /; Secure;/)
    const forwarded = await ledger.fetch('/v1/auth/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-proto': 'https' },
      body: JSON.stringify({ key: ledger.adminKey }),
    })
    assert.doesNotMatch(forwarded.headers.get('set-cookie') ?? '', /Secure/)
    const bare = createApp({ store: ledger.store, basePath: '' })
    const init = {
      method: 'POST',
      body: JSON.stringify({ key: ledger.adminKey }),
      headers: { 'content-type': 'application/json' },
    }
    const atRoot = await bare.fetch(new Request('http://localhost/v1/auth/session', init))
    assert.match(atRoot.headers.get('set-cookie') ?? '', /; Path=\/;/)
  },
)

testLedger("two servers on one host do not use each other's cookie", async (ledger) => {
  const browser = browserOf(ledger, 'http://localhost:3000')
  await browser.logIn({ key: ledger.adminKey })
  const other = browserOf(ledger, 'http://localhost:4000', browser.jar)
  assert.equal((await other.ask('GET', '/v1/auth/me')).status, 401)
  const cookie = `conduct_session_4000=x; ${browser.jar.cookie}; other=1`
  const both = browserOf(ledger, 'http://localhost:3000', { ...browser.jar, cookie })
  assert.equal((await both.ask('GET', '/v1/auth/me')).status, 200)
})

testLedger('neither the cookie nor the token of a session counts alone', async (ledger) => {
  const browser = browserOf(ledger)
  await browser.logIn({ key: ledger.adminKey })
  const { cookie, token } = browser.jar
  const other = browserOf(ledger)
  await other.logIn({ key: ledger.adminKey })
  // A browser sends the cookie to whatever listens on another port of the host, which can then send anything.
  for (const stolen of [{ cookie }, { token }, { cookie, token: other.jar.token }, { cookie, token: '' }]) {
    const thief = browserOf(ledger, undefined, stolen)
    for (const [method, path, body] of [
      ['GET', '/v1/runs'],
      ['GET', '/v1/auth/me'],
      ['POST', '/v1/auth/keys', { name: 'mine', permissions: ['admin'] }],
      ['GET', '/v1/export'],
    ] as const) {
      const { status, told } = await thief.ask(method, path, body)
      assert.equal(status, 401, `${method} ${path}`)
      if (stolen.token === undefined) assert.match(told.error, /X-Session-Token: log in again/)
    }
    const stream = await thief.ask('GET', '/v1/events', undefined, { accept: 'text/event-stream', ...ownPage })
    assert.equal(stream.status, 401)
    assert.deepEqual((await thief.ask('DELETE', '/v1/auth/session')).told, { message: 'There was no session' })
  }
  assert.equal((await browser.ask('GET', '/v1/auth/me')).status, 200, 'the session goes on')
})

testLedger("a write by cookie is accepted only from Conduct's own page", async (ledger) => {
  const browser = browserOf(ledger)
  await browser.logIn({ key: ledger.adminKey })
  const elsewhere: Record<string, string>[] = [
    {},
    ...['cross-site', 'same-site', 'none'].map((site) => ({ 'sec-fetch-site': site })),
  ]
  for (const headers of elsewhere) {
    const writes = await Promise.all([
      browser.ask('POST', '/v1/runs', {}, headers),
      browser.ask('PATCH', '/v1/projects/default', { name: 'x' }, headers),
      browser.ask('DELETE', '/v1/auth/session', undefined, headers),
      browser.ask('POST', '/v1/nowhere', {}, headers),
    ])
    for (const { status, told } of writes) {
      assert.equal(status, 403)
      assert.match(told.error, /Sec-Fetch-Site/)
    }
    assert.equal((await browser.ask('GET', '/v1/runs', undefined, headers)).status, 200)
  }
  const login = { key: ledger.adminKey }
  assert.equal((await browser.ask('POST', '/v1/auth/session', login, { 'sec-fetch-site': 'same-site' })).status, 403)
  assert.equal((await browser.ask('POST', '/v1/auth/session', login, {})).status, 201, 'a login from no browser')
})

testLedger('a bearer key takes precedence over the cookie', async (ledger) => {
  const browser = browserOf(ledger)
  await browser.logIn({ key: ledger.adminKey })
  const { secret } = await ledger.client.createKey({ name: 'reader', permissions: ['read'] })
  const asReader = { authorization: `Bearer ${secret}` }
  const me = await browser.ask('GET', '/v1/auth/me', undefined, asReader)
  assert.equal(me.told.key.name, 'reader')
  assert.equal((await browser.ask('POST', '/v1/runs', {}, asReader)).status, 403)
  assert.equal((await browser.ask('GET', '/v1/auth/me', undefined, { authorization: 'Bearer nonsense' })).status, 401)
})

testLedger('the credentials of a proxy do not take precedence over the cookie', async (ledger) => {
  const browser = browserOf(ledger)
  const schemes = ['Basic dXNlcjpwYXNz', 'Digest username="u"', 'Negotiate', 'BearerOf x']
  for (const authorization of schemes) {
    const { status, told } = await browserOf(ledger).ask('GET', '/v1/runs', undefined, { authorization })
    assert.equal(status, 401, authorization)
    assert.match(told.error, /Send it as: Authorization: Bearer sk_…$/)
  }
  await browser.logIn({ key: ledger.adminKey })
  for (const authorization of schemes) {
    assert.equal((await browser.ask('GET', '/v1/auth/me', undefined, { authorization })).status, 200, authorization)
    const write = await browser.ask('POST', '/v1/runs', {}, { authorization, ...ownPage })
    assert.equal(write.status, 201, authorization)
    assert.equal((await browser.ask('POST', '/v1/runs', {}, { authorization })).status, 403, authorization)
  }
  for (const authorization of ['Bearer', 'bearer  x'])
    assert.equal((await browser.ask('GET', '/v1/auth/me', undefined, { authorization })).status, 401, authorization)
})

testLedger('a session ends with its key, after 30 days, and at logout', async (ledger) => {
  const { client, advance } = ledger
  const expiresAt = new Date(Date.now() + 2 * day).toISOString()
  const short = await client.createKey({ name: 'short', permissions: ['read'], expiresAt })
  const revoked = await client.createKey({ name: 'revoked', permissions: ['read'] })
  const browsers = {
    short: browserOf(ledger),
    revoked: browserOf(ledger),
    old: browserOf(ledger),
    gone: browserOf(ledger),
  }
  assert.equal((await browsers.short.logIn({ key: short.secret })).told.expiresAt, expiresAt)
  await browsers.revoked.logIn({ key: revoked.secret })
  await browsers.old.logIn({ key: ledger.adminKey })
  await browsers.gone.logIn({ key: ledger.adminKey })
  const status = async (browser: ReturnType<typeof browserOf>) => (await browser.ask('GET', '/v1/runs')).status

  await client.revokeKey({ id: revoked.key.id })
  assert.equal(await status(browsers.revoked), 401)
  const before = { ...browsers.gone.jar }
  const out = await browsers.gone.ask('DELETE', '/v1/auth/session')
  assert.deepEqual(out.told, { message: 'Session deleted successfully' })
  assert.match(out.set ?? '', /^conduct_session_default=; Max-Age=0; Path=\/conduct;/)
  assert.equal(await status(browserOf(ledger, undefined, before)), 401, 'the cookie that was thrown away')
  assert.deepEqual((await browsers.gone.ask('DELETE', '/v1/auth/session')).told, { message: 'There was no session' })

  assert.equal(await status(browsers.short), 200)
  advance(2 * day)
  assert.equal(await status(browsers.short), 401)
  assert.equal(await status(browsers.old), 200)
  advance(28 * day)
  assert.equal(await status(browsers.old), 401)
})

testLedger('an invalid session secret, key or code is refused', async (ledger) => {
  for (const secret of ['', 'x', `session_${'x'.repeat(43)}`, ledger.adminKey, '%00', '"']) {
    const jar = { cookie: `conduct_session_default=${secret}`, token: secret }
    assert.equal((await browserOf(ledger, undefined, jar).ask('GET', '/v1/runs')).status, 401, secret)
  }
  const { logIn } = browserOf(ledger)
  for (const by of [{ key: 'x' }, { key: `sk_admin_${'x'.repeat(43)}` }, { code: 'x' }, { code: ledger.adminKey }]) {
    assert.equal((await logIn(by)).status, 401)
  }
  for (const by of [{}, { key: ledger.adminKey, code: 'x' }, { key: '' }, { key: 1 }])
    assert.equal((await logIn(by)).status, 422)
})

testLedger('a login code of a key logs in as that key, once and within ten minutes', async (ledger) => {
  const { client, as, advance } = ledger
  const { key, secret } = await client.createKey({ name: 'writer', permissions: ['write'] })
  const writer = as({ key: secret })
  const { code, expiresAt } = await writer.createLoginCode()
  assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 10 * 60_000) < 5_000)
  const tries = await Promise.all([1, 2, 3].map(() => browserOf(ledger).logIn({ code })))
  assert.deepEqual(tries.map(({ status }) => status).sort(), [201, 401, 401])
  assert.equal(tries.find(({ status }) => status === 201)?.told.key.id, key.id)

  const late = await writer.createLoginCode()
  advance(10 * 60_000)
  assert.equal((await browserOf(ledger).logIn({ code: late.code })).status, 401)
  const ofRevoked = await writer.createLoginCode()
  await client.revokeKey({ id: key.id })
  assert.equal((await browserOf(ledger).logIn({ code: ofRevoked.code })).status, 401)
})

testLedger('a session cannot create a login code, which would outlive it', async (ledger) => {
  const browser = browserOf(ledger)
  await browser.logIn({ key: ledger.adminKey })
  const { status, told } = await browser.ask('POST', '/v1/auth/codes', {})
  assert.equal(status, 403)
  assert.match(told.error, /^A session cannot create login codes/)
  assert.deepEqual(await ledger.store.db.query(sql`select id from login_codes`), [])
})

testLedger("the local user's login code creates a key for the browser, which ends at logout", async (ledger) => {
  const local = rawCalls(ledger.store, { actor: localActor })
  const { code } = (await local('createLoginCode')).body
  const browser = browserOf(ledger)
  const { told } = await browser.logIn({ code })
  assert.equal(told.key.name, 'browser')
  const { keys } = await ledger.client.listKeys()
  const made = keys.find(({ id }) => id === told.key.id)
  assert.deepEqual([made?.permissions, made?.project, made?.revokedAt], [['admin'], null, null])
  assert.equal(made?.expiresAt, told.expiresAt)
  await assert.rejects(ledger.client.revokeKey({ id: 1 }), { code: 'CONFLICT' }, 'it is no key to administer by')
  assert.equal((await browser.ask('POST', '/v1/projects', { slug: 'shop' })).status, 201)
  await browser.ask('DELETE', '/v1/auth/session')
  const after = (await ledger.client.listKeys()).keys.find(({ id }) => id === told.key.id)
  assert.notEqual(after?.revokedAt, null)
  const { events } = await ledger.client.listEvents({
    subject: String(told.key.id),
    type: ['key.created', 'key.updated'],
  })
  assert.deepEqual(
    events.map(({ actor }) => actor),
    [{ kind: 'local' }, { kind: 'local' }],
  )
})

testLedger('secrets are stored as hashes, and expired rows are deleted', async (ledger) => {
  const { store, client, advance } = ledger
  const browser = browserOf(ledger)
  await browser.logIn({ key: ledger.adminKey })
  const { code } = await client.createLoginCode(undefined, { idempotencyKey: 'once' })
  await assert.rejects(client.createLoginCode(undefined, { idempotencyKey: 'once' }), {
    code: 'CONFLICT',
    message: /create another/,
  })
  const rows = async () => [
    ...(await store.db.query(sql`select * from sessions`)),
    ...(await store.db.query(sql`select * from login_codes`)),
  ]
  const stored = JSON.stringify(await rows())
  const secrets = [code, browser.jar.cookie?.split('=')[1], browser.jar.token].map(String)
  for (const secret of secrets) assert.ok(!stored.includes(secret.slice(-43)))
  advance(10 * 60_000)
  await purgeSessions(store.db, store.now())
  assert.equal((await rows()).length, 1)
  advance(30 * day)
  await purgeSessions(store.db, store.now())
  assert.equal((await rows()).length, 0)
})

testLedger('a session from one server is valid on another, and ends on both', async (ledger, t) => {
  const store = await openStore(ledger.url)
  t.after(() => store.close())
  const here = browserOf(ledger)
  await here.logIn({ key: ledger.adminKey })
  const there = browserOf({ store }, undefined, here.jar)
  assert.equal((await there.ask('GET', '/v1/runs')).status, 200)
  await there.ask('DELETE', '/v1/auth/session')
  assert.equal((await here.ask('GET', '/v1/runs')).status, 401)
})

testLedger('a stream ends when its session or its key does', async (ledger, t) => {
  const { client } = ledger
  const { key, secret } = await client.createKey({ name: 'reader', permissions: ['read'] })
  const [ending, revoked] = [browserOf(ledger), browserOf(ledger)]
  await ending.logIn({ key: ledger.adminKey })
  await revoked.logIn({ key: secret })
  const app = createApp({ store: ledger.store, rateLimit: 0 })
  const open = async (headers: Record<string, string>) => {
    const response = await app.fetch(
      new Request(`${base}/v1/events`, { headers: { accept: 'text/event-stream', ...headers } }),
    )
    assert.equal(response.status, 200)
    return response
  }
  t.mock.timers.enable({ apis: ['setInterval'] })
  const streams = await Promise.all([
    open(ending.sessionHeaders()),
    open(revoked.sessionHeaders()),
    open({ authorization: `Bearer ${secret}` }),
  ])
  await ending.ask('DELETE', '/v1/auth/session')
  await client.revokeKey({ id: key.id })
  t.mock.timers.tick(15_000)
  await Promise.all(streams.map((stream) => stream.text()))
})
