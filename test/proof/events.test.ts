import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../src/client/client.ts'
import type { Engine } from '../support/engines.ts'
import { startServer } from '../support/server.ts'
import { beginWith, readRows } from './database.ts'
import { type Event, readLog, readOn, requireWhole } from './log.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf, isTurnedAway, startWriters } from './writers.ts'

const changes = size(150, 100_000)
/** How long a transaction stays open after writing an event. On PostgreSQL, others get their numbers meanwhile. */
const heldMs = { sqlite: 20, postgres: 300 }

prove('a reader of the log gets every change of two servers once and in order', async (t, url, engine) => {
  const [one, two] = [clientOf(await startServer(t, url)), clientOf(await startServer(t, url))]
  const writers = [one, two].map((client, n) => startWriters(t, client, `events-${n}`, isTurnedAway, 8))
  let over = false
  t.after(() => {
    over = true
  })

  async function hold() {
    let held = 0
    while (!over) {
      const commit = await beginWith(url, insertEvent(engine.name, ++held))
      await sleep(Math.random() * heldMs[engine.name])
      await commit()
      await sleep(30)
    }
    return held
  }
  async function follow(client: Client) {
    const log: Event[] = []
    while (!over) {
      await readOn(client, log)
      await sleep(10)
    }
    return log
  }
  async function write() {
    for (const one of writers) await one.until(() => one.acknowledged() >= changes / writers.length)
    for (const one of writers) await one.stop()
    over = true
  }
  const readers = Promise.all([follow(one), follow(two), follow(one), follow(two)])
  const [logs, held] = await Promise.all([readers, hold(), write()])

  const log = await readLog(one)
  for (const read of logs) assert.deepEqual(await readOn(two, read), log)
  const [count] = await readRows<{ n: number }>(url, 'select count(*) as n from events')
  assert.equal(log.length, Number(count?.n))
  const numbersHeld = log.filter(({ subject }) => subject === 'held').map(({ subjectId }) => subjectId)
  assert.deepEqual(
    numbersHeld,
    Array.from({ length: held }, (_, n) => n + 1),
  )
  const acknowledged = writers.reduce((sum, one) => sum + one.acknowledged(), 0)
  assert.equal(log.filter(({ type }) => type.startsWith('run.')).length, acknowledged)
  await requireWhole(one, url)
  t.diagnostic(`${acknowledged} changes, ${held} events of transactions that were held open`)
})

const unnumbered = { sqlite: 'events', postgres: 'pending_events' }

const insertEvent = (engine: Engine['name'], n: number) => `insert into ${unnumbered[engine]}
  (project_id, type, subject, subject_id, actor_id, at, changes)
  values (null, 'key.updated', 'held', ${n}, -1, '2026-01-31T09:30:00.000Z', '{}')`
