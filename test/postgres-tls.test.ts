import assert from 'node:assert/strict'
import { chmodSync, chownSync, copyFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import sql from 'sql-template-tag'
import { openPostgres } from '../src/engine/postgres.ts'
import { readRows } from './proof/database.ts'
import { startPostgres } from './support/setup.ts'

// `openssl req -x509` and `openssl x509 -req` created the files in support/tls, valid for a hundred years: an
// authority, which signed the certificates of the server `localhost` and the client `conduct`, and another authority.
const file = (name: string) => join(import.meta.dirname, 'support/tls', name)
const ca = `sslrootcert=${file('ca.crt')}`
const otherCa = `sslrootcert=${file('other-ca.crt')}`
const client = `sslcert=${file('client.crt')}&sslkey=${file('client.key')}`

let own: Awaited<ReturnType<typeof startPostgres>>
let folder: string
/** The URL of another role, which every configuration accepts without TLS. */
let admin: string
before(async () => {
  own = await startPostgres()
  const [row] = await readRows<{ data_directory: string }>(own.url, 'show data_directory')
  folder = row?.data_directory as string
  for (const name of ['server.crt', 'server.key', 'ca.crt']) {
    const copy = join(folder, name)
    copyFileSync(file(name), copy)
    chmodSync(copy, 0o600)
    const { uid, gid } = statSync(folder)
    chownSync(copy, uid, gid)
  }
  await readRows(own.url, 'create role admin superuser login')
  await readRows(own.url, `alter system set ssl_ca_file = 'ca.crt'`)
  admin = own.url.replace('conduct:conduct@', 'admin@')
})
after(async () => {
  await own.postgres.stop()
  own.remove()
})

/** Sets whether the server has TLS, and how its pg_hba.conf accepts the role of the tests. */
async function serve(ssl: 'on' | 'off', entry: string) {
  writeFileSync(join(folder, 'pg_hba.conf'), `${entry}\nhost all admin all trust\n`)
  if (!isTrusted) await readRows(own.url, 'select pg_reload_conf()')
  isTrusted = true
  while (!(await readRows(admin, 'select 1').catch(() => undefined)));
  await readRows(admin, `alter system set ssl = ${ssl}`)
  const [before] = await readRows<{ at: string }>(admin, 'select pg_conf_load_time()::text as at')
  await readRows(admin, 'select pg_reload_conf()')
  // Each new connection starts a new process with the settings that the server has loaded.
  const isRead = `select 1 from (select pg_conf_load_time() as at) as read where at > '${before?.at}'`
  while ((await readRows(admin, isRead)).length === 0);
}
let isTrusted = false

/** Whether a connection to this URL is encrypted. Throws the reason if there is none. */
async function isEncrypted(query: string, host = 'localhost'): Promise<boolean | undefined> {
  const db = await openPostgres(`${own.url.replace('127.0.0.1', host)}?${query}`, () => {})
  try {
    const rows = await db.query<{ ssl: boolean }>(sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`)
    return rows[0]?.ssl
  } finally {
    await db.close()
  }
}

const password = 'scram-sha-256'
const refused = (error: Error & { cause?: unknown }) => `${error.message} ${(error.cause as Error)?.message ?? ''}`

test('a server with TLS: only disable is unencrypted, and each mode verifies what libpq verifies', async () => {
  await serve('on', `host all conduct all ${password}`)
  assert.equal(await isEncrypted('sslmode=disable'), false)
  assert.equal(await isEncrypted('sslmode=allow'), false)
  for (const query of ['', 'sslmode=prefer', 'sslmode=require', 'ssl=true', `sslmode=require&${ca}`]) {
    assert.equal(await isEncrypted(query), true, query)
  }
  assert.equal(await isEncrypted(`sslmode=verify-ca&${ca}`, '127.0.0.1'), true)
  assert.equal(await isEncrypted(`sslmode=verify-full&${ca}`, 'localhost'), true)
  await assert.rejects(isEncrypted(`sslmode=verify-full&${ca}`, '127.0.0.1'), /altnames|IP/)
  for (const query of [`sslmode=require&${otherCa}`, `sslmode=verify-ca&${otherCa}`, 'sslmode=verify-full']) {
    await assert.rejects(isEncrypted(query), (error: Error) => /certificate/.test(refused(error)), query)
  }
  // The mode `prefer` may continue without TLS.
  assert.equal(await isEncrypted(`sslmode=prefer&${otherCa}`), false)
})

test('a server that accepts only encrypted connections: allow tries again with TLS', async () => {
  await serve('on', `hostssl all conduct all ${password}`)
  assert.equal(await isEncrypted('sslmode=allow'), true)
  await assert.rejects(isEncrypted('sslmode=disable'), /no encryption|pg_hba/)
})

test('a server that requires a client certificate', async () => {
  await serve('on', 'hostssl all conduct all cert')
  assert.equal(await isEncrypted(`sslmode=verify-full&${ca}&${client}`), true)
  await assert.rejects(isEncrypted(`sslmode=verify-full&${ca}`), /certificate/)
})

test('a server without TLS: prefer continues without, require fails', async () => {
  await serve('off', `host all conduct all ${password}`)
  assert.equal(await isEncrypted(''), false)
  assert.equal(await isEncrypted('sslmode=prefer'), false)
  await assert.rejects(isEncrypted('sslmode=require'), (error: Error) => /does not support SSL/.test(refused(error)))
})
