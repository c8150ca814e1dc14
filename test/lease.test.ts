import assert from 'node:assert/strict'
import { reap } from '../src/nouns/run/take-lease.ts'
import { openStore } from '../src/operations/open.ts'
import { type Ledger, testLedger } from './support/engines.ts'

const leased = async ({ client }: Ledger, runId = 'A', leaseSeconds = 60) => {
  const { run, lease } = await client.createRun({ runId, leaseSeconds })
  assert.ok(lease)
  return { run, leaseToken: lease.token, expiresAt: lease.expiresAt }
}

const seconds = (from: string | null, to: string | null) => (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000

testLedger('a lease sets a run to in_progress, and shows its token once, or again in a replay', async (ledger) => {
  const { client, fetch } = ledger
  const { run, expiresAt } = await leased(ledger)
  assert.deepEqual([run.status, run.leaseExpiresAt, seconds(run.createdAt, expiresAt)], ['in_progress', expiresAt, 60])
  assert.ok(run.startedAt && run.lastSeenAt)
  const post = () =>
    fetch('/v1/runs', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
      body: '{"runId":"B","leaseSeconds":10}',
    })
  assert.equal(await (await post()).text(), await (await post()).text())
  await assert.rejects(client.createRun({ leaseSeconds: 5 }), { code: 'VALIDATION_ERROR', message: /10 to 86400/ })
  await assert.rejects(client.createRun({ leaseSeconds: 60, status: 'completed' }), { code: 'VALIDATION_ERROR' })
})

testLedger(
  'a leased run accepts checks and links without the token, and its end by a key with write',
  async (ledger) => {
    const { client, as } = ledger
    await leased(ledger)
    const held = { code: 'LEASE_HELD' }
    await assert.rejects(client.updateRun({ runId: 'A', title: 'x' }), held)
    await assert.rejects(client.updateRun({ runId: 'A', status: 'failed', title: 'x', labels: { a: 'b' } }), {
      ...held,
      message:
        /: send its Lease-Token, or leave out title, labels: without the token, a key with write can send only status 'failed' and failure\.$/,
    })
    await assert.rejects(client.updateRun({ runId: 'A', status: 'completed' }), held)
    await assert.rejects(client.appendToRun({ runId: 'A', text: 'x' }), held)
    await assert.rejects(client.heartbeat({ runId: 'A' }), held)
    await assert.rejects(client.deleteRun({ runId: 'A' }), held)
    await assert.rejects(client.updateRun({ runId: 'A', leaseSeconds: 60 }), held)
    await client.createCheck({ runId: 'A', result: 'pass' })
    await client.linkFeatures({ runId: 'A', featureIds: [1] })

    const agent = as({ key: (await client.createKey({ name: 'a', permissions: ['agent'] })).secret })
    const { lease } = await agent.createRun({ runId: 'B', leaseSeconds: 60 })
    await assert.rejects(agent.updateRun({ runId: 'B', status: 'failed' }), {
      ...held,
      message: /: send its Lease-Token, or end it with status 'failed' and a key with write\.$/,
    })
    const { run } = await client.updateRun({ runId: 'B', status: 'failed' })
    assert.deepEqual([run.failure?.code, run.leaseExpiresAt], ['CANCELLED', null])
    await assert.rejects(agent.updateRun({ runId: 'B', title: 'x', leaseToken: lease?.token }), {
      code: 'LEASE_LOST',
      message: /'first admin' changed last, at 2/,
    })
  },
)

testLedger(
  'each write of the holder renews the lease; a heartbeat changes no version and adds no event',
  async (ledger) => {
    const { client } = ledger
    const { leaseToken, expiresAt } = await leased(ledger)
    const count = async () => (await client.listEvents({ limit: 100 })).events.length
    const before = await count()
    ledger.advance(30_000)
    const beat = (await client.heartbeat({ runId: 'A', leaseToken })).run
    assert.deepEqual([beat.version, seconds(expiresAt, beat.leaseExpiresAt) >= 30, await count()], [1, true, before])
    ledger.advance(30_000)
    const { run } = await client.appendToRun({ runId: 'A', text: 'log', leaseToken })
    assert.ok(seconds(beat.leaseExpiresAt, run.leaseExpiresAt) >= 30)
    const longer = await client.updateRun({ runId: 'A', leaseSeconds: 600, leaseToken })
    assert.deepEqual(longer.lease, { token: leaseToken, expiresAt: longer.run.leaseExpiresAt })
    assert.equal(longer.run.version, 2, 'the append alone changed the run')
    const ended = (await client.updateRun({ runId: 'A', leaseSeconds: 0, leaseToken })).run
    assert.deepEqual([ended.status, ended.leaseExpiresAt], ['in_progress', null])
    ledger.advance(1e9)
    assert.equal(
      (await client.updateRun({ runId: 'A', title: 'late' })).run.status,
      'in_progress',
      'no lease, no reaper',
    )
  },
)

testLedger('a run does not end before it started, even if its lease does', async (ledger) => {
  const { client, store, advance } = ledger
  const startedAt = new Date(Date.parse(store.now()) + 120_000).toISOString()
  await client.createRun({ runId: 'A', startedAt, leaseSeconds: 10 })
  advance(11_000)
  await assert.rejects(client.heartbeat({ runId: 'A', leaseToken: 'no' }), { code: 'LEASE_LOST' })
  await reap(store.db, store.now())
  const { run } = await client.getRun({ runId: 'A' })
  assert.deepEqual([run.status, run.endedAt], ['failed', startedAt])
})

testLedger('the end of a run ends its lease, and the holder can still append', async (ledger) => {
  const { client } = ledger
  const { leaseToken } = await leased(ledger)
  const { run } = await client.updateRun({ runId: 'A', status: 'completed', leaseToken })
  assert.deepEqual([run.leaseExpiresAt, run.status], [null, 'completed'])
  await client.appendToRun({ runId: 'A', text: 'late words', leaseToken })
  await client.updateRun({ runId: 'A', title: 'by another' })
  await assert.rejects(client.appendToRun({ runId: 'A', text: 'too late', leaseToken }), { code: 'LEASE_LOST' })
})

testLedger('an expired lease fails the run as of that time, with one event', async (ledger) => {
  const { client, store } = ledger
  const { expiresAt } = await leased(ledger)
  ledger.advance(300_000)
  await Promise.all([reap(store.db, store.now()), reap(store.db, store.now())])
  const { run } = await client.getRun({ runId: 'A' })
  assert.deepEqual(
    [run.status, run.failure?.code, run.endedAt, run.leaseExpiresAt],
    ['failed', 'LEASE_EXPIRED', expiresAt, null],
  )
  const { events } = await client.listEvents({ limit: 100, subject: 'A', type: ['run.updated'] })
  assert.deepEqual(
    events.map(({ actor, changes }) => [actor.kind, changes.status]),
    [['system', ['in_progress', 'failed']]],
  )
})

testLedger('whoever comes first after a lease expired, the log does not blame them for it', async (ledger) => {
  const { client } = ledger
  await leased(ledger)
  ledger.advance(300_000)
  await client.updateRun({ runId: 'A', title: 'Taken over' })
  const { events } = await client.listEvents({ subject: 'A', type: ['run.updated'] })
  assert.deepEqual(
    events.map(({ actor, changes }) => [actor.kind, Object.keys(changes).includes('status')]),
    [
      ['system', true],
      ['key', false],
    ],
  )
})

testLedger('any store that opens the ledger fails the runs of servers that died', async (ledger) => {
  await leased(ledger, 'A', 10)
  const other = await openStore(ledger.url, { now: () => Date.now() + 60_000 })
  await other.close()
  assert.equal((await ledger.client.getRun({ runId: 'A' })).run.status, 'failed')
})

testLedger('a holder that returns with its token resumes the run, reaped or not', async (ledger) => {
  const { client, store } = ledger
  for (const runId of ['REAPED', 'NOT-REAPED']) {
    const { leaseToken } = await leased(ledger, runId, 10)
    await client.appendToRun({ runId, text: 'one\n', leaseToken })
    ledger.advance(30_000)
    if (runId === 'REAPED') await reap(store.db, store.now())
    await client.appendToRun({ runId, text: 'two\n', offset: 4, leaseToken })
    const { run } = await client.getRun({ runId })
    assert.deepEqual([run.status, run.failure, run.endedAt, run.content], ['in_progress', null, null, 'one\ntwo\n'])
    assert.ok(seconds(store.now(), run.leaseExpiresAt) > 5)
    ledger.advance(30_000)
    assert.equal((await client.updateRun({ runId, status: 'completed', leaseToken })).run.status, 'completed')
  }
})

testLedger(
  'a run whose start is minutes ahead is lost once it has expired and was retried',
  async ({ client, advance }) => {
    const startedAt = new Date(Date.now() + 240_000).toISOString()
    const { lease } = await client.createRun({ runId: 'A', startedAt, leaseSeconds: 30 })
    advance(60_000)
    await client.createRun({ runId: 'B', retryOf: 'A' })
    const end = client.updateRun({ runId: 'A', leaseToken: lease?.token, status: 'completed' })
    await assert.rejects(end, { code: 'LEASE_LOST' })
  },
)

testLedger('a retry of a run that still works takes nothing from its holder', async (ledger) => {
  const { client, as, advance } = ledger
  const { leaseToken } = await leased(ledger, 'A', 10)
  const other = as({ key: (await client.createKey({ name: 'eve', permissions: ['agent'] })).secret })
  await other.createRun({ runId: 'EARLY', retryOf: 'A' })
  advance(20_000)
  const { run } = await client.heartbeat({ runId: 'A', leaseToken })
  assert.equal(run.status, 'in_progress')
})

testLedger('a holder loses a run that someone else has changed or retried meanwhile', async (ledger) => {
  const { client } = ledger
  const changed = await leased(ledger, 'CHANGED', 10)
  const retried = await leased(ledger, 'RETRIED', 10)
  ledger.advance(30_000)
  await client.updateRun({ runId: 'CHANGED', title: 'taken over' })
  await client.createRun({ runId: 'AGAIN', retryOf: 'RETRIED' })
  const lost = (message: RegExp) => ({ code: 'LEASE_LOST', message })
  await assert.rejects(
    client.heartbeat({ runId: 'CHANGED', leaseToken: changed.leaseToken }),
    lost(/'first admin' changed/),
  )
  await assert.rejects(
    client.heartbeat({ runId: 'RETRIED', leaseToken: retried.leaseToken }),
    lost(/retried as 'AGAIN'/),
  )
  await assert.rejects(client.heartbeat({ runId: 'AGAIN', leaseToken: 'nonsense' }), { code: 'LEASE_LOST' })
})

testLedger('a holder whose run another key has leased since learns which key did, and when', async (ledger) => {
  const { client, as } = ledger
  const agent = as({ key: (await client.createKey({ name: 'first', permissions: ['agent'] })).secret })
  const { lease } = await agent.createRun({ runId: 'A', leaseSeconds: 60 })
  const { run } = await agent.updateRun({ runId: 'A', leaseSeconds: 0, leaseToken: lease?.token })
  ledger.advance(5_000)
  const taken = await client.updateRun({ runId: 'A', leaseSeconds: 60 })
  assert.deepEqual([taken.run.version, taken.run.updatedBy.name], [run.version, 'first admin'])
  assert.ok(taken.run.updatedAt > run.updatedAt)
  await assert.rejects(agent.updateRun({ runId: 'A', title: 'mine', leaseToken: lease?.token }), {
    code: 'LEASE_LOST',
    message: new RegExp(`'first admin' changed last, at ${taken.run.updatedAt}`),
  })
  const renewed = await client.heartbeat({ runId: 'A', leaseToken: taken.lease?.token })
  assert.equal(renewed.run.updatedAt, taken.run.updatedAt, 'renewing a lease is not a change')
})

testLedger('a run can be leased again after its lease has ended', async (ledger) => {
  const { client } = ledger
  const first = await leased(ledger, 'A', 10)
  ledger.advance(30_000)
  const { run, lease } = await client.updateRun({ runId: 'A', leaseSeconds: 60 })
  assert.deepEqual([run.status, run.failure, run.endedAt], ['in_progress', null, null])
  assert.notEqual(lease?.token, first.leaseToken)
  await assert.rejects(client.heartbeat({ runId: 'A', leaseToken: first.leaseToken }), { code: 'LEASE_LOST' })
  await client.heartbeat({ runId: 'A', leaseToken: lease?.token, leaseSeconds: 100 })
  await client.createRun({ runId: 'B' })
  await client.heartbeat({ runId: 'B' })
  await assert.rejects(client.heartbeat({ runId: 'B', leaseSeconds: 60 }), {
    code: 'CONFLICT',
    message: /PATCH leaseSeconds/,
  })
})

testLedger('another caller that changes nothing does not keep the lapsed holder from resuming', async (ledger) => {
  const { client } = ledger
  const { leaseToken } = await leased(ledger, 'A', 10)
  await client.updateRun({ runId: 'A', agent: 'ci', leaseToken })
  ledger.advance(30_000)
  assert.equal((await client.updateRun({ runId: 'A', agent: 'ci' })).run.status, 'failed')
  await client.appendToRun({ runId: 'A', text: '' })
  await client.appendToRun({ runId: 'A', text: 'back', leaseToken })
  assert.equal((await client.getRun({ runId: 'A' })).run.status, 'in_progress')
})

testLedger('many leases that expire together all fail their runs', async (ledger) => {
  const { client, store } = ledger
  await Promise.all(Array.from({ length: 130 }, () => client.createRun({ leaseSeconds: 10 })))
  ledger.advance(30_000)
  assert.equal(await reap(store.db, store.now()), true, 'a bounded number at a time')
  assert.equal(await reap(store.db, store.now()), false)
  assert.equal((await client.listRuns({ status: ['in_progress'] })).runs.length, 0)
})

testLedger('the holder can propose the token of a new run, or of the first lease of a run', async (ledger) => {
  const { client, fetch } = ledger
  const leaseToken = 'a proposal has no blanks'.replaceAll(' ', '-').padEnd(128, '!')
  const { lease } = await client.createRun({ runId: 'A', leaseSeconds: 60, leaseToken })
  assert.equal(lease?.token, leaseToken)
  await client.createRun({ runId: 'B' })
  const taken = await client.updateRun({ runId: 'B', leaseSeconds: 60, leaseToken })
  assert.deepEqual([taken.lease?.token, taken.run.status], [leaseToken, 'in_progress'])
  for (const runId of ['A', 'B']) {
    await assert.rejects(client.appendToRun({ runId, text: 'x' }), { code: 'LEASE_HELD' })
    await client.appendToRun({ runId, text: 'x', leaseToken })
  }
  const post = () =>
    fetch('/v1/runs', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k', 'lease-token': leaseToken },
      body: '{"runId":"C","leaseSeconds":60}',
    })
  assert.equal(await (await post()).text(), await (await post()).text())
})

testLedger('a proposed token takes over no lease, and has 32 to 128 visible characters', async ({ client }) => {
  const wrong = { code: 'VALIDATION_ERROR', message: /leaseToken/ }
  for (const leaseToken of ['x'.repeat(31), 'x'.repeat(129), `${'x'.repeat(32)} y`]) {
    await assert.rejects(client.createRun({ leaseSeconds: 60, leaseToken }), wrong, leaseToken)
  }
  const leaseToken = 'x'.repeat(32)
  await assert.rejects(client.createRun({ leaseToken }), wrong)
  await client.createRun({ runId: 'A', leaseSeconds: 60 })
  await assert.rejects(client.updateRun({ runId: 'A', leaseSeconds: 60, leaseToken }), { code: 'LEASE_LOST' })
  await client.updateRun({ runId: 'A', status: 'failed' })
  await assert.rejects(client.updateRun({ runId: 'A', leaseSeconds: 60, leaseToken }), { code: 'LEASE_LOST' })
  await client.createRun({ runId: 'B' })
  await assert.rejects(client.updateRun({ runId: 'B', leaseSeconds: 0, leaseToken }), { code: 'LEASE_LOST' })
})
