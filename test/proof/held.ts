import { createClient } from '../../src/client/client.ts'
import { openStore } from '../../src/operations/open.ts'
import { createApp } from '../../src/server/app.ts'
import { base } from '../support/engines.ts'
import { adminKey } from '../support/server.ts'
import { requireWhole } from './log.ts'
import { readBack, type Touched } from './writers.ts'

/** Asserts that the ledger at that URL is complete, and contains the touched runs. */
export async function requireHeld(url: string, touched: Touched) {
  await using store = await openStore(url, { adminKey })
  const app = createApp({ store, rateLimit: 0 })
  const client = createClient({ url: base, key: adminKey, attempts: 1, fetch: (request) => app.fetch(request) })
  await readBack(client, touched)
  await requireWhole(client, url)
}
