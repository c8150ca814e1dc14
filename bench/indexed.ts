import { setTimeout as sleep } from 'node:timers/promises'
import { isBehind } from '../src/find/follow.ts'
import { openStore } from '../src/operations/open.ts'

/** Waits until the servers on that database have indexed all words. */
export async function untilIndexed(databaseUrl: string): Promise<void> {
  await using store = await openStore(databaseUrl)
  while (await isBehind(store.db)) await sleep(100)
}
