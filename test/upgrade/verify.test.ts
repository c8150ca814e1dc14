import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { openStore } from '../../src/operations/open.ts'
import { createApp } from '../../src/server/app.ts'
import { verify } from '../../src/verify/verify.ts'
import { engines } from '../support/engines.ts'
import { loadPostgres } from './dump-postgres.ts'
import { loadSqlite } from './dump-sqlite.ts'
import { adminKey, base } from './teller.ts'

const folder = join(import.meta.dirname, 'ledger')

for (const engine of engines) {
  for (const version of [4, 14]) {
    test(`verify finds no fault in an upgraded ledger of version ${version} (${engine.name})`, async (t) => {
      const url = await engine.freshUrl(t)
      const dump = readFileSync(join(folder, `v${version}.${engine.name}.sql`), 'utf8')
      if (engine.name === 'sqlite') loadSqlite(url.slice('sqlite:'.length), dump)
      else await loadPostgres(url, dump)
      const { story } = JSON.parse(readFileSync(join(folder, `v${version}.json`), 'utf8'))
      const store = await openStore(url, { now: () => Date.parse(story.endedAt) })
      t.after(() => store.close())
      const app = createApp({ store, rateLimit: 0 })
      const client = createClient({ url: base, key: adminKey, attempts: 1, fetch: (request) => app.fetch(request) })
      const { events, faults } = await verify(client, [])
      assert.ok(events > 50)
      assert.deepEqual(faults, [])
    })
  }
}
