import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from '../src/client/client.ts'
import { reap } from '../src/nouns/run/take-lease.ts'
import { openStore } from '../src/operations/open.ts'
import { createApp } from '../src/server/app.ts'
import { retentionJob } from '../src/server/jobs/retention.ts'
import { base, type Engine, engines, type Ledger, openLedger } from './support/engines.ts'
import { exportOf, importAt, openAt } from './support/exported.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
/** The prepared ledgers were made a moment before. */
const start = Date.now()

/** A ledger whose machine has a clock that the test sets, apart from the time that passes. */
async function ledgerAt(t: TestContext, engine: Engine) {
  let [offset, passed] = [start, 0]
  const clock = { wall: () => offset + passed, monotonic: () => passed, uptime: () => passed }
  const ledger = await openLedger(t, engine, { clock })
  return {
    ...ledger,
    /** Sets the clock forwards or back. */
    set: (ms: number) => {
      offset += ms
    },
    pass: (ms: number) => {
      passed += ms
    },
  }
}

/** Opens the ledger again, as after a restart. The caller closes the store. */
async function reopened({ openAgain, adminKey }: Ledger) {
  const store = await openAgain()
  const app = createApp({ store, rateLimit: 0 })
  const as = (more: { key?: string }) =>
    createClient({ url: base, key: adminKey, attempts: 1, fetch: (request) => app.fetch(request), ...more })
  return { store, app, as, client: as({}) }
}

/** Opens the ledger again until its status is that, at most for 20 seconds. The caller closes the store. */
async function openedAs(ledger: Ledger, status: string) {
  const end = performance.now() + 20_000
  for (;;) {
    const again = await reopened(ledger)
    if ((await readyz(again)).body.status === status || performance.now() > end) return again
    await again.store.close()
    await sleep(100)
  }
}

type Wrong = Awaited<ReturnType<typeof ledgerAt>>

const timeOf = (ms: number) => new Date(ms).toISOString()
const contentOf = async (client: Client, runId: string) => (await client.getRun({ runId })).run.content
const readyz = async ({ app }: Pick<Ledger, 'app'>) => {
  const response = await app.fetch(new Request('http://localhost/readyz'))
  return { status: response.status, body: (await response.json()) as { status: string; warnings?: string[] } }
}

/** Does what a server does once an hour. */
async function applyRetention({ store }: Pick<Ledger, 'store'>): Promise<void> {
  const job = retentionJob(store, { logDays: 30 })
  while (await job.step(5));
}

/** A project that keeps contents for 90 days, with a finished run, a live one and what else may expire. */
async function inUse(ledger: Wrong) {
  const { client } = ledger
  await client.updateProject({ slug: 'default', retention: { contentDays: 90, runDays: 180 } })
  await client.createRun({ runId: 'TODAY', content: 'made today', status: 'completed' })
  const { lease } = await client.createRun({ runId: 'LIVE', status: 'in_progress', leaseSeconds: 60 })
  const created = await client.createKey({ name: 'ci', permissions: ['write'], expiresAt: timeOf(start + 30 * day) })
  const once = () => client.createRun({ title: 'once' }, { idempotencyKey: 'once' })
  const { run } = await once()
  return { leaseToken: lease?.token as string, secret: created.secret, once, runId: run.runId }
}

/** Requires that nothing was lost, and that what is written now has the right time. */
async function requireWhole(
  ledger: Pick<Ledger, 'client' | 'as'>,
  { leaseToken, secret, once, runId }: Awaited<ReturnType<typeof inUse>>,
) {
  const { client } = ledger
  assert.equal(await contentOf(client, 'TODAY'), 'made today')
  assert.equal((await once()).run.runId, runId)
  await ledger.as({ key: secret }).createRun({ runId: 'RIGHT' })
  const { run } = await client.getRun({ runId: 'RIGHT' })
  assert.ok(Math.abs(Date.parse(run.createdAt) - start) < hour, run.createdAt)
  const { run: ended } = await client.updateRun({ runId: 'LIVE', status: 'completed', leaseToken })
  assert.ok((ended.endedAt as string) >= (ended.startedAt as string))
  assert.ok(Math.abs(Date.parse(ended.endedAt as string) - start) < hour, ended.endedAt as string)
}

/** Reads all runs a page at a time, from the newest. */
async function pagesOf(client: Client): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: string | undefined; ; ) {
    const { runs, meta } = await client.listRuns({ limit: 2, ...(cursor && { cursor }) })
    ids.push(...runs.map(({ runId }) => runId))
    if (!meta.nextCursor) return ids
    cursor = meta.nextCursor
  }
}

for (const engine of engines) {
  for (const by of [400 * day, 3_650 * day, -400 * day, -3_650 * day]) {
    const words = `${Math.abs(by / day)} days ${by > 0 ? 'ahead' : 'behind'}`

    test(`a clock that is ${words} for two seconds costs nothing (${engine.name})`, async (t) => {
      const ledger = await ledgerAt(t, engine)
      const { client } = ledger
      const used = await inUse(ledger)
      ledger.set(by)
      await client.createRun({ runId: 'WRONG', status: 'in_progress', leaseSeconds: 60 })
      await applyRetention(ledger)
      await assert.rejects(client.forget({}), { code: 'CONFLICT', message: /time may be wrong.*clock/s })
      assert.equal((await client.forget({ dryRun: true })).hasMore, false)
      const { status, body } = await readyz(ledger)
      assert.deepEqual([status, body.status], [200, 'degraded'])
      assert.match(body.warnings?.[0] ?? '', /clock/)
      assert.equal((await client.me()).clockWarning, body.warnings?.[0])
      assert.equal((await used.once()).run.runId, used.runId)
      ledger.pass(2_000)
      ledger.set(-by)
      assert.equal((await readyz(ledger)).body.status, 'ok')
      assert.equal((await client.me()).clockWarning, undefined)
      await applyRetention(ledger)
      await requireWhole(ledger, used)
      assert.deepEqual([...new Set(await pagesOf(client))].sort(), (await pagesOf(client)).sort())
    })

    test(`a ledger opened with a clock that is ${words} loses nothing (${engine.name})`, async (t) => {
      const ledger = await ledgerAt(t, engine)
      const used = await inUse(ledger)
      ledger.pass(50 * minute)
      await ledger.client.createRun({ runId: 'LATER' })
      ledger.set(by - 50 * minute)
      const wrong = await reopened(ledger)
      await wrong.client.createRun({ runId: 'WRONG' })
      await applyRetention(wrong)
      assert.equal((await readyz(wrong)).body.status, 'degraded')
      await wrong.store.close()
      ledger.pass(2_000)
      ledger.set(-by)
      const right = await reopened(ledger)
      await applyRetention(right)
      await requireWhole(right, used)
      await right.store.close()
    })
  }

  test(`a leap that a server saw is doubted by others and after a restart, until the clock is right (${engine.name})`, async (t) => {
    const ledger = await ledgerAt(t, engine)
    const { client } = ledger
    await client.updateProject({ slug: 'default', retention: { contentDays: 5 } })
    await client.createRun({ runId: 'TODAY', content: 'made today', status: 'completed' })
    ledger.set(10 * day)
    const wrong = await openedAs(ledger, 'degraded')
    t.after(() => wrong.store.close())
    assert.match((await readyz(wrong)).body.warnings?.[0] ?? '', /leapt forward by 10 days/)
    await assert.rejects(wrong.client.forget({}), { code: 'CONFLICT' })
    await applyRetention(wrong)
    assert.equal(await contentOf(client, 'TODAY'), 'made today')
    ledger.pass(2_000)
    ledger.set(-10 * day)
    assert.equal((await readyz(wrong)).body.status, 'ok')
    await wrong.client.createRun({ runId: 'RIGHT' })
    const { run } = await client.getRun({ runId: 'RIGHT' })
    assert.ok(Math.abs(Date.parse(run.createdAt) - start) < hour, run.createdAt)
    const right = await openedAs(ledger, 'ok')
    t.after(() => right.store.close())
    assert.equal((await readyz(right)).body.status, 'ok')
  })

  test(`a leap that a server saw is trusted in the end, also after a restart (${engine.name})`, async (t) => {
    const ledger = await ledgerAt(t, engine)
    ledger.set(10 * day)
    await (await openedAs(ledger, 'degraded')).store.close()
    ledger.pass(9 * hour)
    for (const status of ['degraded', 'ok']) {
      const again = await reopened(ledger)
      assert.equal((await readyz(again)).body.status, status)
      await again.store.close()
      ledger.pass(hour)
    }
  })

  test(`a wrong clock that writes for a while is followed no longer than it is wrong (${engine.name})`, async (t) => {
    const ledger = await ledgerAt(t, engine)
    const { client } = ledger
    ledger.set(400 * day)
    const { lease } = await client.createRun({ runId: 'DURING', status: 'in_progress', leaseSeconds: 60 })
    await client.createRun({ runId: 'DEAD', status: 'in_progress', leaseSeconds: 60 })
    ledger.set(-400 * day)
    const leaseToken = lease?.token as string
    const { run } = await client.updateRun({ runId: 'DURING', leaseToken, status: 'completed' })
    for (const at of [run.startedAt, run.endedAt]) assert.ok(Math.abs(Date.parse(at as string) - start) < minute)
    await reap(ledger.store.db, ledger.store.now())
    const { run: reaped } = await client.getRun({ runId: 'DEAD' })
    assert.deepEqual([reaped.status, reaped.failure?.code], ['failed', 'LEASE_EXPIRED'])
    assert.ok((reaped.endedAt as string) >= (reaped.startedAt as string))
  })

  test(`an import refuses times in the future, unless told to accept them (${engine.name})`, async (t) => {
    const ledger = await ledgerAt(t, engine)
    ledger.set(2 * 365 * day)
    await ledger.client.createRun({ runId: 'FUTURE' })
    const text = await exportOf(ledger.store)
    const { url } = await engine.ledger(t)
    await assert.rejects(importAt(url, text, { acceptFuture: false }), {
      code: 'BAD_REQUEST',
      message: /^Line \d+: '\w+' in '\w+' is 20\d\d-.*--accept-future/,
    })
    await importAt(url, text, { acceptFuture: true })
    const { client } = await openAt(t, url)
    const store = await openStore(url, { firstKey: false })
    assert.ok(Math.abs(Date.parse(store.now()) - Date.now()) < hour)
    assert.match(store.doubt() ?? '', /730 days ahead of the clock/)
    await store.close()
    assert.equal((await client.getRun({ runId: 'FUTURE' })).run.title, null)
  })
}
