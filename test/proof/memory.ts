import { once } from 'node:events'
import type { ServerProcess } from '../support/server.ts'

/** What bin/conduct.cjs and `npm start` give to V8. */
export const asShipped = { NODE_OPTIONS: '--max-semi-space-size=8' }

/** The same, with a way for tests to collect garbage, and an allocator that returns freed memory at once. */
export const inspected = {
  NODE_OPTIONS: `${asShipped.NODE_OPTIONS} --inspect=127.0.0.1:0`,
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '32768',
}

/** How much memory a server has resident, in MB. */
export async function memoryOf({ url }: ServerProcess): Promise<number> {
  const text = await (await fetch(new URL('/metrics', url))).text()
  return Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]) / 1_048_576
}

/** How much memory a server holds, in MB: what it has resident once its garbage is collected. It was started as `inspected`. */
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
