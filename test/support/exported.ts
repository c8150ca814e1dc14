import { Readable } from 'node:stream'
import { createClient } from '../../src/client/client.ts'
import { localActor } from '../../src/contract/actor.ts'
import { exportLedger } from '../../src/export/export.ts'
import { type ImportOptions, importLedger } from '../../src/export/import.ts'
import { openDb, openStore, type Store } from '../../src/operations/open.ts'
import { createApp } from '../../src/server/app.ts'
import { base } from './engines.ts'

/** All lines of an export of an open ledger. */
export const exportOf = async ({ db }: Pick<Store, 'db'>, withKeys = false) =>
  (await Array.fromAsync(exportLedger(db, { withKeys }))).join('')

/** All lines of an export of the database at that URL. */
export async function exportAt(url: string, withKeys = false): Promise<string> {
  await using store = await openStore(url, { firstKey: false })
  return await exportOf(store, withKeys)
}

/** Imports an export, given whole or in pieces, into the database at that URL. The clock of a test may be ahead. */
export async function importAt(url: string, source: string | AsyncIterable<Uint8Array>, given?: ImportOptions) {
  const options = { acceptFuture: true, ...given }
  const db = await openDb(url, () => {})
  try {
    return await importLedger(db, typeof source === 'string' ? Readable.from([Buffer.from(source)]) : source, options)
  } finally {
    await db.close()
  }
}

/** Opens the database at that URL until the end of the test, with clients: the local user's, or with a key. */
export async function openAt(t: { after(end: () => unknown): void }, url: string) {
  let ahead = 0
  const store = await openStore(url, { firstKey: false, now: () => Date.now() + ahead })
  t.after(() => store.close())
  const as = (key?: string) => {
    const app = createApp({ store, rateLimit: 0, ...(key === undefined && { actor: localActor }) })
    return createClient({ url: base, key, attempts: 1, fetch: (request) => app.fetch(request) })
  }
  const advance = (ms: number) => {
    ahead += ms
  }
  return { store, as, client: as(), advance }
}
