import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { isLeader, startJobs } from '../src/server/jobs/scheduler.ts'
import { testLedger } from './support/engines.ts'

testLedger('a server takes a job whose holder is silent, or had a clock that was ahead', async ({ store: { db } }) => {
  const held = (until: string) =>
    db.tx((tx) => tx.query(sql`update job_leaders set server = 'other', until = ${until} where job = 'tidy'`))
  const now = '2026-07-15T12:00:00.000Z'
  assert.ok(await isLeader(db, 'tidy', now))
  assert.ok(await isLeader(db, 'tidy', now), 'its own lease')
  for (const [until, isFree] of [
    ['2026-07-15T11:59:59.000Z', true],
    ['2026-07-15T12:00:01.000Z', false],
    ['2026-07-15T12:03:05.000Z', false],
    ['2026-07-15T12:06:01.000Z', true],
    ['2026-08-14T12:03:00.000Z', true],
  ] as const) {
    await held(until)
    assert.equal(await isLeader(db, 'tidy', now), isFree, until)
  }
})

testLedger('a server that stops leaves its jobs to the next one at once', async ({ store: { db, now } }) => {
  const { promise: worked, resolve: step } = Promise.withResolvers<boolean>()
  const tidy = async () => {
    step(true)
    return false
  }
  const jobs = startJobs(db, [{ name: 'tidy', everyMs: 1, isExclusive: true, step: tidy }], now, assert.fail)
  await worked
  await jobs.stop()
  const held = () => db.query(sql`select job from job_leaders`)
  // The end does not wait long for a slow database.
  const end = performance.now() + 20_000
  while ((await held()).length > 0 && performance.now() < end) await sleep(20)
  assert.deepEqual(await held(), [])
})
