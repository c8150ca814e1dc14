import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import type { Event } from '../../src/log/fields.ts'

/** A message as it arrived. */
export interface Received {
  headers: IncomingHttpHeaders
  path: string
  body: string
  type: string
  events: Event[]
  at: number
}

/** How a receiver responds. */
export type Respond = (response: ServerResponse, message: Received) => unknown

export const accept: Respond = (response) => response.writeHead(204).end()
export const status =
  (code: number, headers: Record<string, string> = {}): Respond =>
  (response) =>
    response.writeHead(code, headers).end('an answer')
/** Never responds. */
export const hang: Respond = () => {}

/** Listens on 127.0.0.1 and keeps every message until `t` ends. */
export async function openReceiver(t: { after(end: () => unknown): void }, respond: Respond = accept) {
  const received: Received[] = []
  let answer = respond
  let connections = 0
  let wake = () => {}
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    // Messages to people have no events.
    const { type = '', data } = request.headers['content-type'] === 'application/json' ? JSON.parse(body) : {}
    const message = {
      headers: request.headers,
      path: request.url ?? '',
      body,
      type,
      events: data?.events ?? [],
      at: Date.now(),
    }
    received.push(message)
    answer(response, message)
    wake()
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    connections: () => connections,
    respond(by: Respond) {
      answer = by
    },
    /** Resolves once `reached` holds; checks it after every message. */
    async until(reached: (received: Received[]) => boolean) {
      while (!reached(received)) await new Promise<void>((resolve) => (wake = resolve))
    },
    events: () => received.flatMap(({ events }) => events),
  }
}

export type Receiver = Awaited<ReturnType<typeof openReceiver>>

/**
 * Throws unless the message has a signature by that secret. Ignores its time, because the clock of a test may be ahead.
 */
export function verify(secret: string, { headers, body }: Received): void {
  const id = headers['webhook-id'] as string
  const at = new Date(Number(headers['webhook-timestamp']) * 1000)
  const wanted = new Webhook(secret).sign(id, at, body)
  assert.ok(String(headers['webhook-signature']).split(' ').includes(wanted), 'no signature by this secret')
}

/** Like a receiver: throws for a message that standardwebhooks would not accept now. */
export const verifyNow = (secret: string, { headers, body }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>)
