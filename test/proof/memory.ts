import { once } from 'node:events'
import type { ServerProcess } from '../support/server.ts'

/** Those V8 options of bin/frugal.cjs that NODE_OPTIONS may have; without the others, a server takes more memory. */
export const asShipped = { NODE_OPTIONS: '--max-semi-space-size=8' }

/** The same, with an inspector that can collect garbage, and an allocator that returns freed memory at once. */
export const inspected = {
  NODE_OPTIONS: `${asShipped.NODE_OPTIONS} --inspect=127.0.0.1:0`,
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '32768',
}

/** The resident memory of a server, in MB. */
export async function memoryOf({ url }: ServerProcess): Promise<number> {
  const text = await (await fetch(new URL('/metrics', url))).text()
  return Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]) / 1_048_576
}

/**
 * The resident memory of a server after a garbage collection, in MB. The server must have been started as `inspected`.
 */
export async function heldBy(server: ServerProcess): Promise<number> {
  const address = /ws:\/\/\S+/.exec(server.output())?.[0]
  if (address === undefined) throw new Error('The server was not started as `inspected`.')
  const inspector = new WebSocket(address)
  await once(inspector, 'open')
  inspector.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }))
  await once(inspector, 'message')
  inspector.close()
  return memoryOf(server)
}
