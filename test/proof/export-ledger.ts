import { DatabaseSync } from 'node:sqlite'
import { createClient } from '../../src/client/client.ts'
import { sealNext } from '../../src/log/seal/seal.ts'
import { openStore } from '../../src/operations/open.ts'
import { createApp } from '../../src/server/app.ts'
import { base } from '../support/engines.ts'
import { adminKey } from '../support/server.ts'

/**
 * Creates a ledger with at least that many sealed events in a new SQLite file. The API makes the first ones, from runs
 * with turns, texts and checks. The others repeat these in the log, because a million requests would take an hour.
 */
export async function fillLedger(url: string, events: number): Promise<void> {
  await populate(url)
  repeatEvents(url.slice('sqlite:'.length), events)
  const store = await openStore(url, { adminKey })
  while (await sealNext(store.db));
  const app = createApp({ store, rateLimit: 0 })
  await createClient({ url: base, key: adminKey, fetch: (request) => app.fetch(request) }).getCheckpoint()
  await store.close()
}

async function populate(url: string): Promise<void> {
  const store = await openStore(url, { adminKey })
  const app = createApp({ store, rateLimit: 0 })
  const client = createClient({ url: base, key: adminKey, fetch: (request) => app.fetch(request) })
  await client.createSpec({ specId: 'S-1', title: 'Log in', content: '- [ ] form\n- [x] tests' })
  const large = '# Log\n'.padEnd(1_000_000, 'The tests pass: 漢字, ü and 😀.\n')
  await client.createRun({ runId: 'LARGE', content: large.slice(0, 500_000) })
  for (let n = 1; n <= 100; n++) {
    const runId = `R-${n}`
    const labels = { team: `team ${n}`, tier: '1' }
    await client.createRun({ runId, specId: 'S-1', title: `Run "${n}"`, content: `text ${n}`, labels, agent: 'codex' })
    await client.appendTurn({
      runId,
      n: 1,
      prompt: `go ${n}`,
      answer: 'done',
      files: [{ path: 'src/a.ts', insertions: n }],
    })
    await client.linkFeatures({ runId, features: [{ name: `part ${n % 7}` }] })
    await client.createCheck({ runId, name: 'tests', result: 'pass', content: 'All tests pass.' })
    await client.updateRun({ runId, status: 'completed', usage: { inputTokens: n, costUsd: 0.1 * n } })
  }
  await client.deleteRun({ runId: 'R-100' })
  await store.close()
}

function repeatEvents(path: string, events: number): void {
  const db = new DatabaseSync(path)
  const columns = db
    .prepare('select name from pragma_table_info(?)')
    .all('events')
    .map(({ name }) => String(name))
    .filter((name) => name !== 'seq')
    .join(', ')
  const newest = Number(db.prepare('select max(seq) as newest from events').get()?.newest)
  db.exec(`
    insert into events (seq, ${columns})
    with recursive numbers (n) as (select ${newest + 1} union all select n + 1 from numbers where n < ${events})
    select n, ${columns} from numbers join events on seq = 1 + n % ${newest}`)
  db.close()
}
