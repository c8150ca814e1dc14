import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import sql from 'sql-template-tag'
import { ConductError } from '../src/contract/error.ts'
import type { Db } from '../src/engine/db.ts'
import { translate } from '../src/engine/postgres/errors.ts'
import { PostgresHosts } from '../src/engine/postgres/hosts.ts'
import { openPostgres } from '../src/engine/postgres.ts'
import { engines } from './support/engines.ts'
import { main } from './support/program.ts'
import { startServer } from './support/server.ts'
import { freePort, startPostgres } from './support/setup.ts'
import { run } from './support/template.ts'

async function freshUrl(t: TestContext): Promise<URL> {
  return new URL((await engines.find(({ name }) => name === 'postgres')?.freshUrl(t)) as string)
}

async function open(t: TestContext, url: string): Promise<Db> {
  const db = await openPostgres(url, () => {})
  t.after(() => db.close())
  return db
}

/** The URL with these hosts in place of its own. */
const withHosts = ({ username, password, pathname, search }: URL, hosts: string) =>
  `postgres://${username}:${password}@${hosts}${pathname}${search}`

const portOf = (tx: Pick<Db, 'query'>) =>
  tx.query<{ port: number }>(sql`select inet_server_port() as port`).then(([row]) => row?.port)

/** What `ask` returns; asks again, for 20 seconds, while no host answers in time. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + 20_000; ; ) {
    try {
      return await ask()
    } catch (error) {
      if ((error as ConductError).code !== 'UNAVAILABLE' || performance.now() > end) throw error
    }
  }
}

test('a host that does not respond is skipped', async (t) => {
  const url = await freshUrl(t)
  const db = await open(t, withHosts(url, `127.0.0.1:${await freePort()},${url.host}`))
  assert.equal(await db.tx(portOf), Number(url.port))
  const named = withHosts(url, '').replace('?', `?host=127.0.0.1,127.0.0.1&port=${await freePort()},${url.port}&`)
  assert.equal(await portOf(await open(t, named)), Number(url.port))
})

test('opening fails in time when no host can be reached', async (t) => {
  const url = await freshUrl(t)
  const dead = `127.0.0.1:${await freePort()},127.0.0.1:${await freePort()}`
  const asked = performance.now()
  await assert.rejects(
    openPostgres(withHosts(url, dead), () => {}),
    { code: 'UNAVAILABLE' },
  )
  assert(performance.now() - asked < 7_000)
})

test('an error that is already told in words passes, whatever the host is called', () => {
  const told = new ConductError(
    'UNAVAILABLE',
    'The database at connect-1:5432 is a standby, and the URL wants primary.',
  )
  assert.equal(translate(told), told)
})

test('the error for an invalid URL says what is wrong with it', async (t) => {
  const url = await freshUrl(t)
  const opened = (query: string, hosts = 'a,b') =>
    openPostgres(withHosts(url, hosts).replace(/\?.*$/, `?${query}`), () => {})
  await assert.rejects(opened('target_session_attrs=standby'), /any, read-write or primary.*not "standby"/)
  await assert.rejects(opened('port=1,2,3'), /2 hosts and 3 ports/)
  await assert.rejects(opened('', 'a:99999'), /"99999"/)
  await assert.rejects(opened('', 'a,,b'), /must name each of them/)
  await assert.rejects(opened('connect_timeout=soon'), /"soon"/)
  await assert.rejects(opened('sslmode=no-verify'), /"no-verify".*use require/)
  await assert.rejects(opened('sslmode=verify-ca'), /needs sslrootcert/)
  await assert.rejects(opened('sslmode=prefer&sslrootcert=system'), /needs sslmode=verify-full/)
  await assert.rejects(opened('sslmod=verify-full'), /unknown parameter "sslmod".*are sslmode, sslrootcert/)
  await assert.rejects(opened('sslmode=verify-ca&sslrootcert=/none.crt'), (error: Error) => {
    assert.match(error.message, /sslrootcert cannot be read$/)
    assert.match((error.cause as Error).message, /\/none\.crt/, 'commands print it, too')
    return true
  })
})

test('databases that only speak the protocol of PostgreSQL are refused by name', async (t) => {
  const url = await freshUrl(t)
  const schema = /search_path=(\w+)/.exec(decodeURIComponent(url.search))?.[1] as string
  await run(
    url.href,
    `create function ${schema}.version() returns text language sql as $$ select 'CockroachDB CCL v25.2.0' $$`,
  )
  url.search = `?options=${encodeURIComponent(`-c search_path=${schema},pg_catalog`)}`
  await assert.rejects(
    openPostgres(url.href, () => {}),
    /is CockroachDB\. Conduct needs PostgreSQL/,
  )
})

test('the server log, /readyz and doctor report settings that may lose acknowledged writes', async (t) => {
  // The tests run PostgreSQL with these settings.
  const risky = [/fsync=off/, /full_page_writes=off/, /synchronous_commit=off/]
  const url = (await freshUrl(t)).href
  const server = await startServer(t, url, { CONDUCT_LOG_LEVEL: 'warn' })
  const { warnings } = (await (await fetch(new URL('/readyz', server.url))).json()) as { warnings: string[] }
  const env = { ...process.env, CONDUCT_DATABASE_URL: url }
  // Doctor exits with 1 if another of its checks fails on the machine that runs the test.
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'doctor', '--json'], { env }).catch((e) => e)
  for (const words of risky) {
    assert(warnings.some((warning) => words.test(warning)))
    assert.match(stdout, words)
    assert.match(server.output(), words)
  }
})

test('all connections leave a host that becomes read-only for one that accepts writes', async (t) => {
  const [first, second] = await Promise.all([startPostgres(), startPostgres()])
  t.after(async () => {
    await Promise.all([first.postgres.stop(), second.postgres.stop()])
    first.remove()
    second.remove()
  })
  const [a, b] = [new URL(first.url), new URL(second.url)]
  for (const { url } of [first, second]) await run(url, 'create table t (k bigint generated always as identity)')
  const insert = sql`insert into t default values returning inet_server_port() as port`
  const write = (db: Db) => db.tx((tx) => tx.query<{ port: number }>(insert)).then(([row]) => row?.port)
  const db = await patiently(async () => {
    const db = await open(t, withHosts(a, `${a.host},${b.host}`))
    const ports = [await write(db), await portOf(db)]
    if (ports.every((port) => port === Number(a.port))) return db
    await db.close()
    throw new ConductError('UNAVAILABLE', `The first host is ${a.port}, and those in use are ${ports}.`)
  })
  const woken = Promise.withResolvers<void>()
  t.after(db.watch(woken.resolve))

  await run(a.href, 'alter system set default_transaction_read_only = on')
  await run(a.href, 'select pg_reload_conf()')
  const moved = async (): Promise<void> => {
    const port = await write(db).catch((error) => assert.equal(error.code, 'UNAVAILABLE'))
    if (port !== Number(b.port)) await moved()
  }
  await moved()
  assert.equal(await patiently(() => portOf(db)), Number(b.port), 'reads go on at the old host')
  await woken.promise
})

test('a server without TLS that has no connection left is not asked for TLS again', async (t) => {
  const url = await freshUrl(t)
  const role = `few_${process.pid}`
  await run(String(url), `create role ${role} login connection limit 1 password '${role}'`)
  Object.assign(url, { username: role, password: role, search: '' })
  const hosts = new PostgresHosts(String(url))
  const only = await hosts.connect({})
  t.after(() => only.end())
  await assert.rejects(hosts.connect({}), ({ cause }: Error) => /too many connections/.test((cause as Error)?.message))
})

test('a plus in a user, a password or the name of a database is no blank', async (t) => {
  const url = await freshUrl(t)
  const name = `plus+${process.pid}`
  await run(String(url), `create role "${name}" login superuser password 'a+b'`)
  await run(String(url), `create database "${name}"`)
  Object.assign(url, { username: name, password: 'a+b', pathname: name, search: '?application_name=a%20b' })
  const client = await new PostgresHosts(String(url)).connect({})
  t.after(() => client.end())
  const { rows } = await client.query(`select current_user as who, current_database() as "where"`)
  assert.deepEqual(rows, [{ who: name, where: name }])
})

test('the password of a URL reaches the driver as it is', () => {
  const Client = new PostgresHosts('postgres://me:a+b%2Fc@db.example/ledger').clientClass()
  const { password } = new Client() as unknown as { password: string }
  assert.equal(password, 'a+b/c')
})
