import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/**
 * Takes up together the requests that arrive in one turn of the event loop. They share one snapshot of the database, which
 * begins after the last of them has arrived, so each sees all that was committed before it was sent.
 */
export function inTurns(listen: Listener): Listener {
  let arrived: [IncomingMessage, ServerResponse][] = []

  function takeUp() {
    const batch = arrived
    arrived = []
    for (const [incoming, outgoing] of batch) listen(incoming, outgoing)
  }

  return (incoming, outgoing) => {
    if (arrived.push([incoming, outgoing]) === 1) setImmediate(takeUp)
  }
}

/** How many requests one connection may have under way: browsers send one after the other, few programs pipeline. */
const mostUnderWay = 100

/** Closes a connection that sends requests and does not wait for their answers, which would all be kept in memory. */
export function limitPipelines(listen: Listener): Listener {
  const underWay = new WeakMap<Socket, number>()
  const count = (socket: Socket, more: 1 | -1) => {
    const now = (underWay.get(socket) ?? 0) + more
    underWay.set(socket, now)
    return now
  }

  return (incoming, outgoing) => {
    const { socket } = incoming
    if (count(socket, 1) > mostUnderWay) {
      socket.destroy()
      return
    }
    outgoing.once('close', () => count(socket, -1))
    listen(incoming, outgoing)
  }
}
