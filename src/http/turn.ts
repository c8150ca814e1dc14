import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/**
 * Starts all requests that arrived in one turn of the event loop together, so that they share one database snapshot. The
 * snapshot begins after the last of them arrived, so each request sees everything that was committed before it.
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

/** How many unanswered requests a connection may have. Browsers never pipeline; few programs do. */
const mostUnderWay = 100

/** Closes connections that send many requests without waiting, since all of their responses would stay in memory. */
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
