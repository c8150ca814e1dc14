import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as nextTick } from 'node:timers/promises'
import { inBatches, limitPipelines } from '../src/server/listener.ts'

function exchangeOn(socket: Socket): [IncomingMessage, ServerResponse] {
  const incoming = new IncomingMessage(socket)
  return [incoming, new ServerResponse(incoming)]
}

test('requests that arrive in one tick of the event loop start together, in their order', async () => {
  const started: IncomingMessage[] = []
  const listen = inBatches((incoming) => started.push(incoming))
  const exchanges = Array.from({ length: 3 }, () => exchangeOn(new Socket()))
  for (const exchange of exchanges.slice(0, 2)) listen(...exchange)
  await Promise.resolve()
  assert.equal(started.length, 0, 'more may arrive')
  await nextTick()
  listen(...(exchanges[2] as (typeof exchanges)[0]))
  assert.equal(started.length, 2)
  await nextTick()
  assert.deepEqual(
    started,
    exchanges.map(([incoming]) => incoming),
  )
})

test('a connection may have 100 requests in progress, and is closed when it sends more', () => {
  let started = 0
  const listen = limitPipelines(() => started++)
  const socket = new Socket()
  const [first, ...others] = Array.from({ length: 100 }, () => exchangeOn(socket))
  for (const exchange of [first as (typeof others)[0], ...others]) listen(...exchange)
  first?.[1].emit('close')
  listen(...exchangeOn(socket))
  assert.deepEqual([started, socket.destroyed], [101, false], 'an answered one makes room')
  listen(...exchangeOn(socket))
  assert.deepEqual([started, socket.destroyed], [101, true])
})
