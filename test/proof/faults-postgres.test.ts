import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, ConductError } from '../../src/client/client.ts'
import { startServer } from '../support/server.ts'
import { startPostgres } from '../support/setup.ts'
import { readRows } from './database.ts'
import { requireWhole } from './log.ts'
import { size } from './size.ts'
import { clientOf, readBack, startWriters } from './writers.ts'

const isAskedToWait = ({ status }: ConductError) => status === 503
/** The time that a server may take to end after SIGTERM, with a margin for a busy machine. */
const endMs = 15_000

let own: Awaited<ReturnType<typeof startPostgres>>
before(async () => {
  own = await startPostgres(['-c', 'max_connections=60'])
})
after(async () => {
  await own.postgres.stop()
  own.remove()
})

/** A database on the PostgreSQL of these tests, so that ending its connections affects no other test. */
async function ownDatabase(name: string): Promise<string> {
  await readRows(own.url, `create database ${name}`)
  return own.url.replace(/\/[^/]*$/, `/${name}`)
}

/** A proxy to a database that can fall silent: then it accepts connections and bytes, and sends nothing. */
async function startProxy(t: TestContext, url: string) {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let isSilent = false
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        if (!isSilent) for (const end of [near, far]) end.destroy()
      })
    }
    near.on('data', (bytes) => isSilent || far.write(bytes))
    far.on('data', (bytes) => isSilent || near.write(bytes))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = () => {
    for (const socket of sockets) socket.destroy()
  }
  t.after(() => {
    end()
    server.close()
  })
  const through = new URL(url)
  through.port = String((server.address() as { port: number }).port)
  return {
    url: through.href,
    fallSilent: () => {
      isSilent = true
    },
    /** New connections work again. Silent ones stay silent until they are closed. */
    speak: () => {
      isSilent = false
    },
  }
}

test('when the database falls silent, requests return 503 in time, and SIGTERM ends the server', async (t) => {
  const proxy = await startProxy(t, await ownDatabase('silent'))
  const server = await startServer(t, proxy.url)
  const client = clientOf(server)
  for (let round = 1; round <= size(0, 3); round++) {
    const writers = startWriters(t, client, `silent-${round}`, isAskedToWait)
    await writers.until(() => writers.acknowledged() >= 50)
    proxy.fallSilent()
    const asked = performance.now()
    await Promise.all([
      assert.rejects(client.createRun({}), { status: 503 }),
      assert.rejects(client.listRuns({}), { status: 503 }),
      assert.rejects(client.listEvents({}), { status: 503 }),
    ])
    assert(performance.now() - asked < 35_000, 'a request was not answered within 35 s')
    proxy.speak()
    const wanted = writers.acknowledged() + 50
    await writers.until(() => writers.acknowledged() >= wanted)
    await writers.stop()
    await readBack(client, writers.touched)
  }
  const writers = startWriters(t, client, 'end', ({ status, code }) => status === 503 || code === 'UNAVAILABLE')
  await writers.until(() => writers.acknowledged() >= 50)
  proxy.fallSilent()
  await sleep(200)
  const asked = performance.now()
  assert.equal(await server.end('SIGTERM'), 0)
  assert(performance.now() - asked < endMs, 'it did not end within 15 s')
})

test('on a read-only database writes return 503 with the reason and reads continue, and the server recovers', async (t) => {
  const url = await ownDatabase('read_only')
  const server = await startServer(t, url)
  const client = clientOf(server)
  for (let round = 1; round <= size(1, 20); round++) {
    const writers = startWriters(t, client, `read-only-${round}`, isAskedToWait)
    await writers.until(() => writers.acknowledged() >= 50)
    assert((await client.listEvents({})).events.length > 0)
    await setReadOnly(url, true)
    await assert.rejects(
      untilRejected(() => client.createRun({})),
      { status: 503, message: /read-only/ },
    )
    const [run] = (await client.listRuns({})).runs
    const runId = run?.runId ?? ''
    assert((await client.listEvents({})).events.length > 0)
    assert((await client.timeline({ runId })).timeline.length > 0)
    await client.search({ q: runId })
    const ready = await untilReadiness(server.url, 503)
    assert.match(ready, /read-only/)
    await setReadOnly(url, false)
    const wanted = writers.acknowledged() + 50
    await writers.until(() => writers.acknowledged() >= wanted)
    await untilReadiness(server.url, 200)
    await writers.stop()
    await readBack(client, writers.touched)
  }
  await requireWhole(client, url)
})

/** Stands in for a demotion of the primary: its connections end, and new ones cannot write. */
async function setReadOnly(url: string, isReadOnly: boolean) {
  const writing = `${url}?options=${encodeURIComponent('-c default_transaction_read_only=off')}`
  await readRows(
    writing,
    `alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = ${isReadOnly}`,
  )
  if (isReadOnly) {
    await readRows(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'conduct' and pid <> pg_backend_pid()`,
    )
  }
}

async function untilRejected(call: () => Promise<unknown>): Promise<never> {
  for (;;) {
    await call().catch((error) => {
      if (/read-only/.test(error.message)) throw error
    })
  }
}

async function untilReadiness(url: string, status: number): Promise<string> {
  for (;;) {
    const response = await fetch(new URL('/readyz', url))
    const { status: words } = (await response.json()) as { status: string }
    if (response.status === status) return words
    await sleep(50)
  }
}

test('a frozen server does not keep another from its work', async (t) => {
  const url = await ownDatabase('frozen')
  const [still, other] = [await startServer(t, url), await startServer(t, url)]
  for (let round = 1; round <= size(1, 20); round++) {
    // Only requests that need a feature or run locked by the frozen server may have to be repeated.
    const ofStill = startWriters(t, clientOf(still), `still-${round}`, isAskedToWait)
    const ofOther = startWriters(t, clientOf(other), `other-${round}`, isAskedToWait)
    await ofStill.until(() => ofStill.acknowledged() >= 50)
    await ofOther.until(() => ofOther.acknowledged() >= 50)
    const usual = await work(clientOf(other), `usual-${round}`)
    still.process.kill('SIGSTOP')
    const held = await work(clientOf(other), `held-${round}`)
    assert(held.ms < 5_000 + 5 * usual.ms, `the other server was held up: ${held.ms} ms instead of ${usual.ms} ms`)
    const wanted = ofOther.acknowledged() + 50
    await ofOther.until(() => ofOther.acknowledged() >= wanted)
    still.process.kill('SIGCONT')
    const again = ofStill.acknowledged() + 50
    await ofStill.until(() => ofStill.acknowledged() >= again)
    await Promise.all([ofStill.stop(), ofOther.stop()])
    await readBack(clientOf(other), new Map([...ofStill.touched, ...ofOther.touched]))
    await clientOf(still).getRun({ runId: held.runId })
  }
  await requireWhole(clientOf(other), url)
  still.process.kill('SIGSTOP')
  const asked = performance.now()
  assert.equal(await other.end('SIGTERM'), 0)
  assert(performance.now() - asked < endMs, 'it did not end within 15 s')
})

/** Does some work with a client, and measures how long it takes on this machine as busy as it is. */
async function work(client: Client, name: string): Promise<{ runId: string; ms: number }> {
  const begun = performance.now()
  const { run } = await client.createRun({})
  for (let n = 1; n <= 5; n++) {
    await client.createRun({ runId: `${name}-${n}` })
    await client.updateRun({ runId: `${name}-${n}`, title: 'a title' })
    await client.listRuns({})
  }
  assert.equal((await client.listEvents({ order: 'desc', limit: 1 })).events.length, 1)
  return { runId: run.runId, ms: Math.round(performance.now() - begun) }
}

test('a server whose clock is hours off fails no lease of another server, and does not affect times', async (t) => {
  const url = await ownDatabase('off')
  const right = clientOf(await startServer(t, url))
  const { run, lease } = await right.createRun({ leaseSeconds: 60 })
  const offBy = async (ms: number) => {
    const off = `data:text/javascript,const now = Date.now; Date.now = () => now() + ${ms}`
    return clientOf(await startServer(t, url, { NODE_OPTIONS: `--import="${off}"` }))
  }
  for (const wrong of await Promise.all([7200e3, -7200e3].map(offBy))) {
    const made = await wrong.createRun({ leaseSeconds: 60 })
    assert(Math.abs(Date.parse(made.run.createdAt) - Date.now()) < 60_000, 'the time of a run is the database’s')
    // Servers look for expired leases once a second.
    await sleep(2_500)
    for (const { runId } of [run, made.run]) {
      assert.equal((await right.getRun({ runId })).run.status, 'in_progress')
    }
    await wrong.heartbeat({ runId: run.runId, leaseToken: lease?.token as string })
    await right.heartbeat({ runId: made.run.runId, leaseToken: made.lease?.token as string })
  }
})
