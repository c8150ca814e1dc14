import type { IncomingMessage, ServerResponse } from 'node:http'

export type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/**
 * Starts the requests that arrive in one tick of the event loop as a batch, so that they share one database snapshot. The
 * snapshot begins after the last of them arrived, so each request sees everything that was committed before it.
 */
export function inBatches(listen: Listener): Listener {
  let arrived: [IncomingMessage, ServerResponse][] = []

  function startBatch() {
    const batch = arrived
    arrived = []
    for (const [incoming, outgoing] of batch) listen(incoming, outgoing)
  }

  return (incoming, outgoing) => {
    if (arrived.push([incoming, outgoing]) === 1) setImmediate(startBatch)
  }
}
