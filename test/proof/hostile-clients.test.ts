import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type ServerProcess, startServer } from '../support/server.ts'
import { asShipped, memoryOf } from './memory.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf } from './writers.ts'

const seconds = size(4, 1800)
/** The small size may share its processor with other work, so only a server that hangs would take that long. */
const mostMs = size(5000, 200)
const mostMb = 300
/** The size of garbage on the heap that may be left uncollected. */
const garbageMb = 60

prove('clients without a key that are slow, greedy or wrong delay nobody, and leave nothing', async (t, url) => {
  const server = await startServer(t, url, asShipped)
  await serveOne(server)
  const before = { heap: await heapOf(server), sockets: socketsOf(server) }
  const port = Number(new URL(server.url).port)
  const worker = new Worker(new URL('./hostile.ts', import.meta.url), { workerData: { port } })
  t.after(() => worker.terminate())

  const { slowest, longest, most } = await watch(server, performance.now() + seconds * 1000)
  worker.postMessage('leave')
  await once(worker, 'message')
  const [probe, wall, memory] = [slowest, longest, most].map(Math.round)
  t.diagnostic(`slowest probe ${probe} ms, ${wall} ms with the wait for a processor; most memory ${memory} MB`)
  assert.ok(slowest < mostMs, `a probe took ${slowest} ms`)
  assert.ok(most < mostMb, `the server took ${most} MB`)

  // Connections of this process are included.
  await soon('the connections are closed', async () => socketsOf(server) <= before.sockets + 3)
  await soon('the heap is collected', async () => {
    await serveOne(server)
    return (await heapOf(server)) <= before.heap + garbageMb
  })
  await soon('those that left and those that came too often are counted', async () => {
    const metrics = await metricsOf(server)
    return ['499', '429'].every((status) => metrics.includes(`operation="createSession",status="${status}"`))
  })
  assert.doesNotMatch(await metricsOf(server), /status="5/)
  assert.doesNotMatch(server.output(), /"level":50|Error/)
  assert.equal(await server.end('SIGTERM'), 0)
})

/**
 * Uses the server until `end`, as a load balancer and a client with a key do. The time of the slowest probe does not
 * include its wait for a processor.
 */
async function watch(server: ServerProcess, end: number) {
  const livez = new URL('/livez', server.url)
  let slowest = 0
  let longest = 0
  let most = 0
  while (performance.now() < end) {
    const begun = performance.now()
    const waitedBefore = waitedMs(server)
    const { status } = await fetch(livez)
    const took = performance.now() - begun
    slowest = Math.max(slowest, took - (waitedMs(server) - waitedBefore))
    longest = Math.max(longest, took)
    assert.equal(status, 200)
    await serveOne(server)
    most = Math.max(most, await memoryOf(server))
    await sleep(20)
  }
  return { slowest, longest, most }
}

/**
 * How long the main threads of the server and of this process were ready to run while other work had the processor. 0
 * where the system does not tell.
 */
function waitedMs({ process: { pid } }: ServerProcess): number {
  if (process.platform !== 'linux') return 0
  const waited = (id: number | undefined) => Number(readFileSync(`/proc/${id}/schedstat`, 'utf8').split(' ')[1]) / 1e6
  return waited(pid) + waited(process.pid)
}

async function serveOne(server: ServerProcess) {
  const { run } = await clientOf(server).createRun({ content: '# An ordinary run' })
  await clientOf(server).getRun({ runId: run.runId })
}

const metricsOf = async ({ url }: ServerProcess) => (await fetch(new URL('/metrics', url))).text()

/** The size of all JavaScript objects, in MB. */
async function heapOf(server: ServerProcess): Promise<number> {
  return Number(/^nodejs_heap_size_used_bytes (\d+)$/m.exec(await metricsOf(server))?.[1]) / 1_048_576
}

/** The number of open sockets of the server. 0 where the system does not tell. */
function socketsOf({ process: { pid } }: ServerProcess): number {
  if (process.platform !== 'linux') return 0
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter((name) => linkOf(`${folder}/${name}`).startsWith('socket:')).length
}

/** Where a link leads; nowhere if it is gone. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** Waits until something is so. Fails after a minute. */
async function soon(what: string, isSo: () => Promise<boolean>) {
  const end = performance.now() + 60_000
  while (!(await isSo())) {
    assert.ok(performance.now() < end, `not within a minute: ${what}`)
    await sleep(50)
  }
}
