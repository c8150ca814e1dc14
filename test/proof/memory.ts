import type { ServerProcess } from '../support/server.ts'

/** What bin/conduct.cjs and `npm start` give to V8. */
export const asShipped = { NODE_OPTIONS: '--max-semi-space-size=8' }

/** How much memory a server has resident, in MB. */
export async function memoryOf({ url }: ServerProcess): Promise<number> {
  const text = await (await fetch(new URL('/metrics', url))).text()
  return Number(/^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1]) / 1_048_576
}
