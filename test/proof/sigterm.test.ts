import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { engines } from '../support/engines.ts'
import { adminKey, type ServerProcess, startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { requireWhole } from './log.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf, isCutOff, readBack, startWriters, type Touched } from './writers.ts'

const exitMs = 15_000

prove(
  'after SIGTERM under load, the server responds to every request in progress, and exits with 0',
  async (t, url) => {
    const touched: Touched = new Map()
    for (let end = 1; end <= size(2, 50); end++) {
      const server = await startServer(t, url)
      const writers = startWriters(t, clientOf(server), `term-${end}`, isCutOff)
      const halves = await Promise.all(Array.from({ length: 4 }, (_, n) => beginCreate(server, `half-${end}-${n}`)))
      await sleep(200 + Math.random() * 300)
      const ending = endInTime(server)
      await sleep(20)
      for (const { finish, runId } of halves) {
        const answer = await finish()
        assert.equal(answer.statusCode, 201)
        assert.equal(answer.headers.connection, 'close')
        touched.set(runId, [{ content: '', version: 1, features: [] }])
      }
      await ending
      await writers.stop()
      // A change without a response must not have happened.
      for (const [runId, [before]] of writers.touched) touched.set(runId, [before ?? null])
    }
    const server = await startServer(t, url)
    await readBack(clientOf(server), touched)
    const rows = await readRows<{ runId: string }>(url, 'select run_id as "runId" from runs')
    for (const { runId } of rows)
      assert(touched.has(runId), `the server created ${runId}, but acknowledged it to nobody`)
    await requireWhole(clientOf(server), url)
  },
)

test('a request that never ends does not delay SIGTERM', async (t) => {
  const { url } = await (engines[0] as (typeof engines)[0]).ledger(t)
  const server = await startServer(t, url)
  const { request } = await beginCreate(server, 'never')
  const cut = new Promise((resolve) => request.once('error', resolve))
  await endInTime(server)
  await cut
})

async function endInTime(server: ServerProcess) {
  const started = performance.now()
  assert.equal(await server.end('SIGTERM'), 0)
  assert(performance.now() - started < exitMs, 'it took longer than 15 s')
}

/**
 * Sends the first half of a create after the server has its head. `finish` sends the other half, and returns the
 * response.
 */
async function beginCreate({ url }: ServerProcess, runId: string) {
  const body = JSON.stringify({ runId })
  const begun: ClientRequest = request(`${url}/v1/runs`, {
    method: 'POST',
    agent: false,
    headers: {
      authorization: `Bearer ${adminKey}`,
      'content-type': 'application/json',
      'content-length': body.length,
      // A stopping server drops connections on which no request has begun.
      expect: '100-continue',
    },
  })
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    begun.once('response', (response) => resolve(response.resume()))
    begun.once('error', reject)
  })
  answer.catch(() => {})
  await Promise.race([once(begun, 'continue'), answer])
  begun.write(body.slice(0, 5))
  const finish = () => {
    begun.end(body.slice(5))
    return answer
  }
  return { runId, request: begun, finish }
}
