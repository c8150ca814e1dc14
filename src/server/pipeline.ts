import type { Socket } from 'node:net'
import type { Listener } from './batch.ts'

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
