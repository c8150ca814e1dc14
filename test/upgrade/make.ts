import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '../support/setup.ts'
import { type Answers, answersOf } from './answers.ts'
import { type Code, codeOf, fixCourse } from './code.ts'
import { dumpPostgres } from './dump-postgres.ts'
import { dumpSqlite } from './dump-sqlite.ts'
import { populate, type Story } from './populate.ts'
import { adminKey, base } from './teller.ts'

// Makes test/upgrade/ledger/v<N>.{sqlite.sql,postgres.sql,json} with the code of a checkout:
//   node test/upgrade/make.ts [checkout, by default this one]

const here = fileURLToPath(new URL('.', import.meta.url))
const [checkout = join(here, '../..')] = process.argv.slice(2)
const code = await codeOf(resolve(checkout))
const folder = mkdtempSync(join(tmpdir(), 'conduct-dump-'))
const { postgres, url, remove } = await startPostgres()
try {
  const path = join(folder, 'conduct.db')
  const made = { sqlite: await make(code, `sqlite:${path}`), postgres: await make(code, url) }
  assert.deepEqual(lasting(made.postgres), lasting(made.sqlite), 'both engines must return the same')
  const version = versionOf(path)
  const write = (name: string, text: string) => writeFileSync(join(here, 'ledger', `v${version}.${name}`), text)
  write('sqlite.sql', dumpSqlite(path))
  write('postgres.sql', await dumpPostgres(url))
  write('json', `${JSON.stringify(made.sqlite, null, 1)}\n`)
  process.stdout.write(`test/upgrade/ledger/v${version}.*\n`)
} finally {
  await postgres.stop()
  remove()
  rmSync(folder, { recursive: true })
}

async function make(code: Code, url: string): Promise<{ story: Story; answers: Answers }> {
  fixCourse()
  const story = await populate(code, url)
  const store = await code.openStore(url, { adminKey, now: () => Date.parse(story.endedAt) })
  const app = code.createApp({ store, rateLimit: 0 })
  const options = { url: base, key: adminKey, attempts: 1, fetch: (request: Request) => app.fetch(request) }
  const answers = await answersOf((project) => code.createClient({ ...options, ...(project && { project }) }))
  await store.close()
  return { story, answers }
}

/** Leaves out when keys were last used, which servers note at varying times. */
function lasting({ story, answers }: { story: Story; answers: Answers }) {
  return { story, answers: { ...answers, keys: answers.keys.map(({ lastUsedAt, ...key }) => key) } }
}

function versionOf(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true })
  const row = db.prepare('select max(version) as version from schema_versions').get()
  db.close()
  return row?.version as number
}
