import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Engine, engines } from '../support/engines.ts'
import { adminKey, type ServerProcess, startServer } from '../support/server.ts'
import { heldBy, inspected } from './memory.ts'
import { size } from './size.ts'
import { clientOf } from './writers.ts'

/** In MB. */
const mayGrow = 50
const bodyBytes = 100 * 1_048_576

test('sockets that send a byte a second are closed, and the server serves others meanwhile', async (t) => {
  const server = await startWarm(t)
  // The small size leaves out bodies, because their timeout is longer.
  const bodies = size(0, 500)
  await beside(t, server, [
    ...Array.from({ length: size(50, 500) }, () =>
      dribble(server, 'POST /conduct/v1/runs HTTP/1.1\r\nHost: slow\r\nX: '),
    ),
    ...Array.from({ length: bodies }, () => dribble(server, headOfBody)),
  ])
})

test('bodies of 100 MB are refused before the server has read them', async (t) => {
  const server = await startWarm(t)
  const kinds = [true, false].flatMap((hasKey) => [true, false].map((isChunked) => ({ hasKey, isChunked })))
  const uploads = Array.from({ length: size(5, 50) }, (_, n) => upload(server, kinds[n % 4] as (typeof kinds)[0]))
  await beside(t, server, uploads)
  t.diagnostic(`answers: ${(await Promise.all(uploads)).join(' ')}`)
})

/** A server that has reached its memory size under an ordinary load. */
async function startWarm(t: TestContext): Promise<ServerProcess> {
  const sqlite = engines.find(({ name }) => name === 'sqlite') as Engine
  const server = await startServer(t, (await sqlite.ledger(t)).url, inspected)
  for (let n = 0; n < size(40, 100); n++) await Promise.all(Array.from({ length: 16 }, () => serveOne(server)))
  return server
}

async function serveOne(server: ServerProcess) {
  const { run } = await clientOf(server).createRun({ content: '# An ordinary run' })
  await clientOf(server).getRun({ runId: run.runId })
}

/**
 * Sends ordinary requests until all of `trouble` is over. Throws if a request fails, or if the server holds too much
 * memory.
 */
async function beside(t: TestContext, server: ServerProcess, trouble: Promise<unknown>[]) {
  const before = await heldBy(server)
  let over = false
  const done = Promise.all(trouble).finally(() => {
    over = true
  })
  let most = before
  while (!over) {
    await serveOne(server)
    most = Math.max(most, await heldBy(server))
    await sleep(10)
  }
  await done
  const grown = `it held up to ${Math.round(most - before)} MB more`
  t.diagnostic(grown)
  assert(most - before <= mayGrow, grown)
}

const headOfBody = [
  'POST /conduct/v1/runs HTTP/1.1',
  'Host: slow',
  `Authorization: Bearer ${adminKey}`,
  'Content-Type: application/json',
  'Content-Length: 1000000\r\n\r\n',
].join('\r\n')

/** Sends the beginning of a request, then a byte a second, until the server closes the socket. */
async function dribble({ url }: ServerProcess, beginning: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').resume()
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(beginning)
  const drop = setInterval(() => socket.write('x'), 1000)
  await closed
  clearInterval(drop)
}

/**
 * Sends a body of 100 MB as fast as the server accepts it. Returns the status, or `cut` if the server closed the
 * connection.
 */
async function upload({ url }: ServerProcess, { hasKey, isChunked }: { hasKey: boolean; isChunked: boolean }) {
  const sending = request(`${url}/v1/runs`, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'application/json',
      ...(hasKey && { authorization: `Bearer ${adminKey}` }),
      ...(!isChunked && { 'content-length': bodyBytes }),
    },
  })
  const ended = new Promise<number | 'cut'>((resolve) => {
    sending.once('response', (response) => resolve(response.resume().statusCode ?? 0))
    sending.on('error', () => resolve('cut'))
    sending.once('close', () => resolve('cut'))
  })
  const chunk = Buffer.alloc(65_536, ' ')
  let sent = 0
  const closed = new Promise((resolve) => sending.once('close', resolve))
  while (sent < bodyBytes && !sending.destroyed) {
    sent += chunk.length
    if (!sending.write(chunk)) await Promise.race([new Promise((resolve) => sending.once('drain', resolve)), closed])
  }
  sending.destroy()
  const answer = await ended
  assert(sent < bodyBytes, 'the whole body was taken')
  assert(answer === 'cut' || answer === (hasKey ? 413 : 401), `the answer was ${answer}`)
  return answer
}
