import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { newSecret } from '../../src/contract/secret.ts'
import fc from '../support/random.ts'
import { adminKey, type ServerProcess, startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { prove } from './prove.ts'
import { secretsArb, workWith } from './secret-session.ts'
import { size } from './size.ts'

prove('the secret of a key is in no log, event, error or database page', async (t, url) => {
  const server = await startServer(t, url, { CONDUCT_LOG_LEVEL: 'debug' })
  assert.doesNotMatch(server.output(), /code_/, 'a login link is for a terminal')
  const { secrets, answers } = await useKeys(server)
  const places = { log: server.output(), answers: answers.join('\n'), database: await textOf(url) }
  assert.equal(await server.end('SIGTERM'), 0)
  const after = { log: server.output(), database: await textOf(url) }
  for (const text of [...Object.values(places), ...Object.values(after)]) {
    assert(text.length > 1000, 'there is hardly anything to search')
  }
  for (const secret of secrets) {
    for (const [place, text] of [...Object.entries(places), ...Object.entries(after)]) {
      // Without its prefix, because a part of a secret may be written alone.
      const at = text.indexOf(secret.slice(-43))
      assert(at < 0, `the ${place} has the secret: ${text.slice(Math.max(0, at - 300), at + 100)}`)
    }
  }
})

/** The machine has these in the names of its own files, and the state of a session refers to them. */
const namesOnDisk = new Set(['branch', 'file', 'folder'])

prove('a secret that an agent names or says is in no log, database page or file of its machine', async (t, url) => {
  const server = await startServer(t, url, { CONDUCT_LOG_LEVEL: 'debug' })
  const sessions = fc.sample(secretsArb, size(1, 20))
  const machine = await workWith(t, server, sessions)
  const places = { machine, log: server.output(), database: await textOf(url) }
  assert.equal(await server.end('SIGTERM'), 0)
  const after = { log: server.output(), database: await textOf(url) }
  for (const kept of ['fix-[masked]', 'notes-[masked]', 'The token is [masked]', 'token [masked]']) {
    assert.ok(after.database.includes(kept), `the ledger has no ${kept}`)
  }
  assert.match(machine, /state\.db/)
  const found = sessions.flatMap((secrets) =>
    Object.entries(secrets).flatMap(([origin, secret]) =>
      [...Object.entries(places), ...Object.entries(after)].flatMap(([place, text]) => {
        if (place === 'machine' && namesOnDisk.has(origin)) return []
        const at = text.indexOf(secret.slice(-16))
        return at < 0 ? [] : [`${origin}, in the ${place}: ${text.slice(Math.max(0, at - 200), at + 40)}`]
      }),
    ),
  )
  assert.deepEqual(found, [])
  t.diagnostic(`${sessions.length} sessions with ${sessions.length * Object.keys(sessions[0] ?? {}).length} secrets`)
})

/**
 * Creates keys, uses them, and fails with them in many ways. Returns their secrets, and all responses that must not
 * contain these.
 */
async function useKeys({ url }: ServerProcess) {
  const answers: string[] = []
  const secrets = [adminKey, newSecret(['read'])]

  async function call(key: string, address: string, body?: unknown, headers: Record<string, string> = {}) {
    const [method, path] = address.split(' ')
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = `${[...response.headers].join('\n')}\n${await response.text()}`
    const shown = response.status === 201 ? [...text.matchAll(/"(?:secret|code|token)":"(\w+)"|=(session_\w+);/g)] : []
    secrets.push(...shown.map(([, named, cookie]) => named ?? cookie ?? ''))
    if (shown.length === 0) answers.push(text)
  }

  for (const permission of ['admin', 'write', 'agent', 'read']) {
    const repeatable = { 'idempotency-key': `make-${permission}` }
    const wanted = { name: `a key to ${permission}`, permissions: [permission] }
    await call(adminKey, 'POST /v1/auth/keys', wanted, repeatable)
    await call(adminKey, 'POST /v1/auth/keys', wanted, repeatable)
    await call(adminKey, 'POST /v1/auth/keys', wanted)
  }
  const keys = secrets.slice()
  await logIn(call, secrets)
  for (const secret of keys) {
    await call(secret, 'GET /v1/auth/me')
    await call(secret, 'POST /v1/runs', { content: '# A run', labels: { by: 'a key' } }, { 'idempotency-key': 'run' })
    await call(secret, 'POST /v1/auth/keys', { name: 'more than it may', permissions: ['admin'], no: 'such field' })
    await call(secret, 'GET /v1/nowhere')
    await call(secret, 'GET /v1/runs?cursor=broken')
    await call(adminKey, `GET /v1/runs?key=${secret}`)
    await call(adminKey, `DELETE /v1/auth/keys/${secret}`)
    await call(adminKey, `GET /v1/nowhere/${secret}`)
    await call(adminKey, 'POST /v1/auth/keys', { [secret]: 1 })
    await call(adminKey, 'GET /v1/runs', undefined, { 'x-project-id': secret })
    await call(secret, 'GET /v1/runs', undefined, { authorization: secret })
    await call(secret, 'GET /v1/runs', undefined, { authorization: `Basic ${secret}` })
    await call(`${secret}x`, 'GET /v1/runs')
  }
  for (const id of [2, 3, 4]) await call(adminKey, `DELETE /v1/auth/keys/${id}`)
  for (const secret of secrets) await call(secret, 'GET /v1/runs')
  for (const list of ['auth/keys?limit=100', 'events?limit=100', 'runs', 'projects'])
    await call(adminKey, `GET /v1/${list}`)
  answers.push(await (await fetch(new URL('/metrics', url))).text())
  return { secrets, answers }
}

/**
 * Creates login codes and sessions, and puts their secrets where they do not belong. `call` adds their secrets to
 * `secrets`.
 */
async function logIn(
  call: (key: string, address: string, body?: unknown, headers?: Record<string, string>) => Promise<void>,
  secrets: string[],
) {
  for (const name of ['a', 'a', 'b']) await call(adminKey, 'POST /v1/auth/codes', {}, { 'idempotency-key': name })
  for (const code of secrets.slice(-2)) {
    for (const _ of [1, 2]) await call('x', 'POST /v1/auth/session', { code })
  }
  await call('x', 'POST /v1/auth/session', { key: adminKey })
  const kinds = secrets.slice(-8).map((secret) => secret.split('_')[0])
  assert.deepEqual(kinds, ['code', 'code', ...['session', 'page'], ...['session', 'page'], ...['session', 'page']])
  for (const secret of secrets.slice(-8)) {
    await call(secret, 'GET /v1/runs')
    await call(adminKey, `GET /v1/runs?code=${secret}`)
    await call(adminKey, `GET /v1/nowhere/${secret}`, undefined, {
      cookie: `conduct_session=${secret}`,
      'x-session-token': secret,
    })
    await call(adminKey, 'POST /v1/auth/session', { key: secret, code: secret, [secret]: 1 })
    await call(adminKey, 'GET /v1/runs', undefined, { 'x-project-id': secret, 'x-request-id': secret })
  }
}

/** The content of the whole database: the bytes of its files, or the text of each row of each table. */
async function textOf(url: string): Promise<string> {
  if (url.startsWith('sqlite:')) {
    const file = url.slice('sqlite:'.length)
    const read = (path: string) => readFileSync(path, { encoding: 'latin1', flag: 'a+' })
    return [file, `${file}-wal`, `${file}-shm`].map(read).join('')
  }
  const tables = await readRows<{ name: string }>(
    url,
    'select tablename as name from pg_tables where schemaname = current_schema()',
  )
  assert(tables.length > 10)
  const texts = await Promise.all(
    tables.map(({ name }) => readRows<{ row: string }>(url, `select t::text as row from ${name} t`)),
  )
  return texts
    .flat()
    .map(({ row }) => row)
    .join('\n')
}
