import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { verify } from '../../src/verify/verify.ts'
import { adminKey, type ServerProcess, startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { createMany } from './fill.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf, isCutOff, readBack, startWriters } from './writers.ts'

const runs = size(300, 20_000)

const clientIn = (server: ServerProcess, project: string) => createClient({ url: server.url, key: adminKey, project })

const dayMs = 86_400_000
const ended = (days: number) => new Date(Date.now() - days * dayMs).toISOString()

/** The number of rows that the rest of a `select count(*) from` statement selects. */
async function countOf(url: string, from: string): Promise<number> {
  const [row] = await readRows<{ n: number | string }>(url, `select count(*) as n from ${from}`)
  return Number(row?.n)
}

/** Calls `livez` until `work` is done. Returns the response times in milliseconds, sorted. */
async function whileProbed(server: ServerProcess, work: Promise<void>): Promise<number[]> {
  const { origin } = new URL(server.url)
  const times: number[] = []
  let isOver = false
  const done = work.finally(() => {
    isOver = true
  })
  while (!isOver) {
    const started = performance.now()
    await (await fetch(`${origin}/livez`)).text()
    times.push(performance.now() - started)
    await sleep(5)
  }
  await done
  return times.sort((a, b) => a - b)
}

const percentile = (sorted: number[], share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)

prove('a deleted project is removed in slices, despite kills and beside writers', async (t, url) => {
  let server = await startServer(t, url)
  await clientOf(server).createProject({ slug: 'shop' })
  await createMany(clientIn(server, 'shop'), runs, (n) => ({
    ...{ runId: `S-${n}`, title: `kirsche ${n}`, content: 'A line of a log.\n'.repeat(20), specId: `SPEC-${n % 50}` },
  }))
  const [project] = await readRows<{ id: number }>(url, "select id from projects where slug = 'shop'")
  await clientOf(server).deleteProject({ slug: 'shop', confirm: 'shop' })
  const started = performance.now()
  const left = () => countOf(url, `runs where project_id = ${project?.id}`)
  for (let kill = 1; kill <= size(2, 10) && (await left()) > 0; kill++) {
    const writers = startWriters(t, clientOf(server), `kill-${kill}`, isCutOff, 4)
    await sleep(1_000 + Math.random() * 500)
    await server.end('SIGKILL')
    await writers.stop()
    server = await startServer(t, url)
    await readBack(clientOf(server), writers.touched)
  }
  const times = await whileProbed(server, isGone(url, left))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  for (const table of ['specs', 'features', 'checks', 'turns', 'spec_totals']) {
    assert.equal(await countOf(url, `${table} where project_id = ${project?.id}`), 0, table)
  }
  assert.equal(await countOf(url, `events where project_id = ${project?.id} and changes like '%kirsche%'`), 0)
  assert.deepEqual((await verify(clientOf(server), [])).faults, [])
  t.diagnostic(
    `${runs} runs in ${seconds} s; livez meanwhile: p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms`,
  )
})

/** Waits until the runs of a project and the texts of its events are gone. */
async function isGone(url: string, left: () => Promise<number>): Promise<void> {
  while ((await left()) > 0) await sleep(100)
  while ((await countOf(url, "events where changes like '%kirsche%'")) > 0) await sleep(100)
}

prove('retention removes old runs in slices, beside writers, and keeps the others', async (t, url) => {
  const server = await startServer(t, url)
  const client = clientOf(server)
  await createMany(clientIn(server, 'default'), runs, (n) => ({
    ...{ runId: `S-${n}`, title: `kirsche ${n}`, content: 'A line of a log.\n'.repeat(20) },
    ...{ status: 'completed', startedAt: ended(500), endedAt: ended(n % 4 === 0 ? 400 : n % 4 === 1 ? 100 : 1) },
  }))
  await client.updateProject({ slug: 'default', retention: { contentDays: 90, runDays: 365 } })
  const writers = startWriters(t, client, 'beside', isCutOff, 4)
  const started = performance.now()
  const times = await whileProbed(server, forgetAll(client))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  await writers.stop()
  await readBack(client, writers.touched)
  const ofOurs = `runs where run_id like 'S-%'`
  assert.equal(await countOf(url, ofOurs), runs - Math.floor(runs / 4))
  assert.equal(await countOf(url, `${ofOurs} and title like 'kirsche%'`), runs - 2 * Math.floor(runs / 4))
  assert.deepEqual((await verify(client, [])).faults, [])
  t.diagnostic(
    `${runs / 2} of ${runs} runs in ${seconds} s; livez meanwhile: p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms`,
  )
})

async function forgetAll(client: ReturnType<typeof clientOf>): Promise<void> {
  let answer = await client.forget({})
  while (answer.hasMore) answer = await client.forget({ cursor: answer.nextCursor })
}
