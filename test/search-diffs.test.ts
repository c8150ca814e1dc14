import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import type { Client, Input } from '../src/client/client.ts'
import { diffWords } from '../src/engine/migrations/later.ts'
import { migrate } from '../src/engine/migrations/migrate.ts'
import { latestVersion, schema, schemaAt } from '../src/engine/migrations/schema.ts'
import { indexMore } from '../src/find/follow.ts'
import { emptyNext, newPlace } from '../src/removal/empty-project.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { exportOf, importAt, openAt } from './support/exported.ts'

/** The version of the schema with the words of diffs. */
const versionWith = schema.first + schema.later.indexOf(diffWords) + 1

type Diff = Input<'addDiffs'>['diffs'][number]

/** The diff of a file, whose lines have their signs. */
function diffOf(path: string, ...lines: string[]): Diff {
  const count = (sign: string) => lines.filter((line) => line.startsWith(' ') || line.startsWith(sign)).length
  const patch = `@@ -1,${count('-')} +1,${count('+')} @@\n${lines.join('\n')}\n`
  return { path, change: { status: 'modified', patch } }
}

async function turnWith(client: Client, runId: string, ...diffs: Diff[]): Promise<void> {
  await client.createRun({ runId, status: 'in_progress' })
  await client.appendTurn({ runId, n: 1, prompt: 'Go.' })
  await client.addDiffs({ runId, turn: 1, diffs })
}

async function indexAll({ store }: Pick<Ledger, 'store'>): Promise<void> {
  while (await indexMore(store.db, 5));
}

/** Searches while texts may wait for the index, and once more when it has them all. Asserts that both find the same. */
const finder = (ledger: Pick<Ledger, 'client' | 'store'>) => async (q: string) => {
  const find = async () =>
    (await ledger.client.search({ q })).results.map(({ type, subject, title }) => `${type} ${subject} ${title}`)
  const found = await find()
  await indexAll(ledger)
  assert.deepEqual(await find(), found, `the index finds '${q}' where a scan does`)
  return found
}

testLedger('a search finds what turns wrote, by words of the lines and by paths', async (ledger) => {
  const { client } = ledger
  const login = diffOf('src/auth/login.ts', ' const form = newForm()', '-form.add("walrus")', '+form.add("passkey")')
  await turnWith(client, 'A', login, diffOf('src/other.ts', '-gnu', '+okapi'))
  const find = finder(ledger)
  const hit = 'diff A/1 src/auth/login.ts'
  for (const q of ['passkey', 'walrus', 'form.add', 'login.ts', 'src/auth/', 'A/1 walrus'])
    assert.deepEqual(await find(q), [hit], q)
  assert.deepEqual(await find('newForm'), [], 'a line that stayed was not written')
  assert.deepEqual(await find('walrus okapi'), [], 'words of two files')

  const { results } = await client.search({ q: 'passkey', type: ['diff'] })
  assert.deepEqual(
    results.map(({ type, project, subject, title, snippet, status }) => ({
      type,
      project,
      subject,
      title,
      snippet,
      status,
    })),
    [
      {
        type: 'diff',
        project: 'default',
        subject: 'A/1',
        title: 'src/auth/login.ts',
        snippet: '…form.add("**passkey**")',
        status: null,
      },
    ],
  )
  const [run] = (await client.search({ q: 'passkey', group: 'run' })).results
  assert.deepEqual(
    [run?.type, run?.subject, run?.parts?.map(({ type, title }) => [type, title])],
    ['run', 'A', [['diff', 'src/auth/login.ts']]],
  )
})

testLedger('what other texts have in id and title comes before the files of diffs', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'OLD', title: 'Login with a passkey' })
  await turnWith(client, 'NEW', diffOf('src/login.ts', '-a', '+b'))
  assert.deepEqual(await finder(ledger)('login'), ['run OLD Login with a passkey', 'diff NEW/1 src/login.ts'])
})

testLedger('a long diff is found by words from its beginning to its end', async (ledger) => {
  const { client } = ledger
  const filler = Array.from({ length: 4_000 }, (_, n) => `+const filler${n} = ${n} // and so on`)
  await turnWith(client, 'LONG', diffOf('long.ts', '+walrus', ...filler, '+okapi'))
  const find = finder(ledger)
  for (const q of ['walrus', 'okapi', 'filler2000']) assert.deepEqual(await find(q), ['diff LONG/1 long.ts'], q)
})

testLedger('diffs that come later are found, too, and those of other turns as well', async (ledger) => {
  const { client } = ledger
  const find = finder(ledger)
  await turnWith(client, 'A', diffOf('a.ts', '+walrus'))
  assert.deepEqual(await find('walrus'), ['diff A/1 a.ts'])
  await client.addDiffs({ runId: 'A', turn: 1, diffs: [diffOf('b.ts', '+walrus')] })
  await client.appendTurn({ runId: 'A', n: 2, prompt: 'On.' })
  const moved: Diff = { path: 'a.ts', whole: diffOf('a.ts', '+zebra').change }
  await client.addDiffs({ runId: 'A', turn: 2, diffs: [moved, diffOf('b.ts', '-walrus')] })
  assert.deepEqual(await find('walrus'), ['diff A/2 b.ts', 'diff A/1 b.ts', 'diff A/1 a.ts'])
  assert.deepEqual(await find('zebra'), [], 'what a run wrote in all is what its turns wrote')
})

testLedger('erased, expired and deleted diffs are gone from search and from its index', async (ledger) => {
  const { client, store, as, advance } = ledger
  const find = finder(ledger)
  const runs = ['ERASED', 'PART', 'EXPIRED', 'DELETED']
  for (const runId of runs) await turnWith(client, runId, diffOf(`${runId}.ts`, `+walrus${runId}`))
  await client.createProject({ slug: 'shop' })
  await turnWith(as({ project: 'shop' }), 'SHOP', diffOf('SHOP.ts', '+walrusSHOP'))
  const left = async () => [await hitsOf(ledger, 'walrus'), await areIndexed(ledger, [...runs, 'SHOP'])]
  const all = [...runs, 'SHOP']
  await find('walrus')
  assert.deepEqual(await left(), [all, all])

  await client.erase({ runId: 'ERASED' })
  await client.erase({ text: 'walrusPART' })
  const others = ['EXPIRED', 'DELETED', 'SHOP']
  assert.deepEqual(await left(), [others, others])
  await client.deleteRun({ runId: 'DELETED' })
  await client.deleteProject({ slug: 'shop', confirm: 'shop' })
  const place = newPlace()
  while (await emptyNext(store.db, store.now(), place));
  await find('walrus')
  assert.deepEqual(await left(), [['EXPIRED'], ['EXPIRED']])

  await client.updateRun({ runId: 'EXPIRED', status: 'completed' })
  await client.updateProject({ slug: 'default', retention: { contentDays: 1 } })
  advance(3 * 86_400_000)
  await client.forget({})
  await find('walrus')
  assert.deepEqual(await left(), [[], []])
  const entries = await store.db.query(sql`select subject_id from search_entries where type = 'diff'`)
  assert.equal(entries.length, 3, 'the index knows no deleted diff')
})

/** The runs with a word in their diffs, in the order of the ids of their hits. */
async function hitsOf({ client }: Pick<Ledger, 'client'>, q: string): Promise<string[]> {
  const { results } = await client.search({ q, type: ['diff'] })
  return results.map(({ subject }) => subject.replace('/1', '')).reverse()
}

/** Those of the runs whose word the index of words has. */
async function areIndexed({ store: { db } }: Pick<Ledger, 'store'>, runs: string[]): Promise<string[]> {
  const found: string[] = []
  for (const runId of runs) {
    const words = { groups: [[`wwalrus${runId.toLowerCase()}`]] }
    const rows = await db.query(
      sql`select 1 as one from search_words where ${db.dialect.matches(sql`search_words`, words)}`,
    )
    if (rows.length > 0) found.push(runId)
  }
  return found
}

testLedger('an upgrade and an import find the diffs that are there', async (ledger, t) => {
  const { client, store, engine } = ledger
  const moved: Diff = { path: 'moved.ts', whole: diffOf('moved.ts', '+walrus').change }
  await turnWith(client, 'A', diffOf('a.ts', '+walrus'), moved)
  await indexAll(ledger)
  const { db } = store
  await db.tx(async (tx) => {
    await tx.query(sql`delete from search_entries where type = 'diff'`)
    await tx.query(sql`drop index search_entries_of_turn`)
    await tx.query(sql`alter table search_entries drop column turn_id`)
    await tx.query(sql`delete from schema_versions where version >= ${versionWith}`)
  })
  await migrate(db, () => {}, schemaAt(versionWith))
  // The later versions are still there.
  for (let version = versionWith + 1; version <= latestVersion; version++) {
    await db.tx((tx) => tx.query(sql`insert into schema_versions (version) values (${version})`))
  }
  assert.deepEqual(await finder(ledger)('walrus'), ['diff A/1 a.ts'])

  const url = await engine.freshUrl(t)
  await importAt(url, await exportOf(store))
  const imported = await openAt(t, url)
  assert.deepEqual(await finder(imported)('walrus'), ['diff A/1 a.ts'])
  await imported.client.deleteRun({ runId: 'A' })
  assert.deepEqual(await finder(imported)('walrus'), [])
})
