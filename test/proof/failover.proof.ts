import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConductError } from '../../src/client/client.ts'
import { startServer } from '../support/server.ts'
import { Cluster } from './cluster.ts'
import { requireWhole } from './log.ts'
import { size } from './size.ts'
import { clientOf, readBack, startWriters } from './writers.ts'

const backMs = 15_000
const requestMs = 35_000
const signals = ['SIGSTOP', 'SIGKILL', 'SIGINT'] as const

test('failovers to a synchronous standby under load lose nothing, and writes go on within 15 s', async (t) => {
  const cluster = await Cluster.start(t)
  const server = await startServer(t, cluster.url)
  let longest = 0
  const client = clientOf(server)
  for (let round = 0; round < size(1, 20); round++) {
    await cluster.renew(true)
    let asked = performance.now()
    const writers = startWriters(t, client, `failover-${round}`, ({ status }: ConductError) => status === 503)
    const acknowledge = (changes: number) => {
      const wanted = writers.acknowledged() + changes
      return writers.until(() => writers.acknowledged() >= wanted)
    }
    await acknowledge(50)
    asked = performance.now()
    await cluster.failover(signals[round % signals.length] as (typeof signals)[number])
    // What the old primary had not answered yet is no sign that the new one takes writes.
    await client.createRun({}).catch(() => {})
    await acknowledge(20)
    const took = performance.now() - asked
    longest = Math.max(longest, took)
    assert(took < backMs, `writes went on after ${Math.round(took)} ms`)
    const stopping = performance.now()
    await writers.stop()
    assert(performance.now() - stopping < requestMs, 'a request was not answered within 35 s')
    await readBack(client, writers.touched)
    t.diagnostic(`${signals[round % signals.length]}: writes went on after ${Math.round(took)} ms`)
  }
  await requireWhole(client, cluster.primaryUrl)
  t.diagnostic(`writes went on after ${Math.round(longest)} ms at most`)
})
