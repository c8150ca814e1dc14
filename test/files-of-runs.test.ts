import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import type { Input } from '../src/client/client.ts'
import { pathsFinding } from '../src/contract/file-path.ts'
import { backfillNext, leaveToBackfill } from '../src/nouns/run/backfill.ts'
import { requireWhole } from './property/whole.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { assertLinear } from './support/linear.ts'

type Client = Ledger['client']

const touch = (client: Client, runId: string, ...paths: string[]) =>
  client.appendTurn({ runId, files: paths.map((path) => ({ path })) })

const found = async (client: Client, filters: Input<'listRuns'>) =>
  (await client.listRuns(filters)).runs.map(({ runId }) => runId).join(' ')

testLedger(
  'runs are found by a file that their turns wrote, and by the folders above it',
  async ({ client, store }) => {
    for (const runId of ['A', 'B', 'C'])
      await client.createRun({ runId, agent: runId === 'C' ? 'codex' : 'claude-code' })
    await touch(client, 'A', 'src/auth.ts', 'README.md')
    await touch(client, 'B', 'src/auth/session.ts', './src/auth.ts')
    await touch(client, 'C', 'src/auth.ts')
    await touch(client, 'C', 'src/auth.ts', 'odd//path', '/etc/hosts', '../outside')

    const asked: [filters: Input<'listRuns'>, runs: string][] = [
      [{ file: 'src/auth.ts' }, 'C B A'],
      [{ file: './src/auth.ts' }, 'C B A'],
      [{ file: 'src/auth.ts', order: 'asc' }, 'A B C'],
      [{ file: 'src/' }, 'C B A'],
      [{ file: 'src/auth/' }, 'B'],
      [{ file: 'src' }, ''],
      [{ file: 'src/auth' }, ''],
      [{ file: 'README.md' }, 'A'],
      [{ file: 'src/auth.ts', agent: 'codex' }, 'C'],
      [{ file: 'src/auth.ts', status: ['completed'] }, ''],
    ]
    for (const [filters, runs] of asked) assert.equal(await found(client, filters), runs, JSON.stringify(filters))
    const { results } = await client.search({ q: 'claude-code', file: 'src/auth/' })
    assert.deepEqual(
      results.map(({ subject }) => subject),
      ['B'],
    )
    const { files } = await client.listRunFiles({ runId: 'B' })
    assert.deepEqual(files.map(({ path }) => path).sort(), ['src/auth.ts', 'src/auth/session.ts'])
    await requireWhole(store.db)
  },
)

testLedger('a page of runs of a file continues behind its last run', async ({ client }) => {
  for (let n = 1; n <= 5; n++) {
    await client.createRun({ runId: `R-${n}` })
    await touch(client, `R-${n}`, 'src/a.ts')
  }
  const runs = await Array.fromAsync(client.all('listRuns', { file: 'src/', limit: 2 }))
  assert.deepEqual(
    runs.map(({ runId }) => runId),
    ['R-5', 'R-4', 'R-3', 'R-2', 'R-1'],
  )
})

testLedger('a filter by something that is no path in a repository is refused', async ({ client }) => {
  for (const file of ['/etc/hosts', '../a.ts', 'src/../a.ts', 'src//a.ts', './', '/', '.']) {
    await assert.rejects(client.listRuns({ file }), { code: 'VALIDATION_ERROR', message: /file: must be a path from/ })
  }
  const deep = 'a/'.repeat(33)
  await assert.rejects(client.search({ q: 'x', file: deep }), { code: 'VALIDATION_ERROR', message: /below level 32/ })
  await client.createRun({ runId: 'A' })
  await touch(client, 'A', `${deep}b.ts`)
  assert.equal(await found(client, { file: 'a/'.repeat(32) }), 'A')
  assert.equal(await found(client, { file: `${deep}b.ts` }), 'A')
})

testLedger('a run is not found by what it has restored, erased or taken with it', async (ledger) => {
  const { client, store } = ledger
  for (const runId of ['A', 'B', 'C']) {
    await client.createRun({ runId })
    await touch(client, runId, 'src/auth/session.ts', 'src/plum.ts', 'docs/plum/a.md')
  }
  await client.appendTurn({ runId: 'A', restored: ['src/auth/session.ts', './docs/plum/a.md'] })
  const all = async () =>
    Object.fromEntries(
      await Promise.all(
        ['src/', 'src/auth/', 'src/auth/session.ts', 'docs/', 'docs/plum/', 'src/plum.ts'].map(
          async (file) => [file, await found(client, { file })] as const,
        ),
      ),
    )
  assert.deepEqual(await all(), {
    ...{ 'src/': 'C B A', 'src/auth/': 'C B', 'src/auth/session.ts': 'C B' },
    ...{ 'docs/': 'C B', 'docs/plum/': 'C B', 'src/plum.ts': 'C B A' },
  })
  await client.appendTurn({ runId: 'A', files: [{ path: 'docs/b.md' }], restored: ['docs/b.md'] })
  assert.equal(await found(client, { file: 'docs/b.md' }), 'A', 'a file that is both counts as written')

  let answer = await client.erase({ text: 'plum' })
  while (answer.hasMore) answer = await client.erase({ text: 'plum', cursor: answer.nextCursor })
  assert.deepEqual(await all(), {
    ...{ 'src/': 'C B', 'src/auth/': 'C B', 'src/auth/session.ts': 'C B' },
    ...{ 'docs/': 'A', 'docs/plum/': '', 'src/plum.ts': '' },
  })
  await client.deleteRun({ runId: 'C' })
  assert.equal(await found(client, { file: 'src/auth/' }), 'B')
  await requireWhole(store.db)
  const rest = await store.db.query(sql`select path from run_paths where path like '%plum%' or path like '%erased%'`)
  assert.deepEqual(rest, [])
})

/** Makes the ledger one that an earlier version wrote, whose upgrade has left everything to be filled in. */
const asBefore = ({ store }: Ledger) =>
  store.db.tx(async (tx) => {
    await tx.query(sql`delete from run_paths`)
    await tx.query(sql`delete from run_models`)
    await tx.query(sql`update runs set author_person = null`)
    await leaveToBackfill(tx)
  })

testLedger('what an upgrade left is filled in, in slices, also while runs go on', async (ledger) => {
  const { client, store } = ledger
  for (let n = 1; n <= 6; n++) {
    await client.createRun({ runId: `R-${n}`, author: `Ada <ADA${n % 2}@example.com>` })
    await touch(client, `R-${n}`, ...Array.from({ length: 90 }, (_, at) => `src/part-${at}/a.ts`))
  }
  await asBefore(ledger)
  assert.ok(await backfillNext(store.db, 'run_paths'))
  const [first] = await store.db.query<{ runs: number }>(
    sql`select count(distinct run_id) as runs from run_paths where path = 'src/'`,
  )
  assert.ok(first && first.runs > 0 && first.runs < 6, `a slice has some of the runs, not ${first?.runs}`)
  await client.appendTurn({ runId: 'R-1', restored: ['src/part-7/a.ts'] })
  await touch(client, 'R-1', 'src/new.ts')
  for (let n = 0; await backfillNext(store.db); n++) assert.ok(n < 20)
  assert.equal(await found(client, { file: 'src/part-7/' }), 'R-6 R-5 R-4 R-3 R-2')
  assert.equal(await found(client, { file: 'src/new.ts' }), 'R-1')
  assert.equal(await found(client, { author: 'ada1@example.com' }), 'R-5 R-3 R-1')
  await requireWhole(store.db)
})

testLedger('a list fills in what it needs before it answers', async (ledger) => {
  const { client, store } = ledger
  await client.createRun({ runId: 'A', author: 'Ada <ada@example.com>', usage: { model: 'opus' } })
  await touch(client, 'A', 'src/a.ts')
  await asBefore(ledger)
  assert.equal(await found(client, { file: 'src/' }), 'A')
  assert.equal(await found(client, { author: 'ada@example.com' }), 'A')
  assert.equal(await found(client, { model: 'opus' }), 'A')
  assert.deepEqual(await store.db.query(sql`select name from backfills`), [])
})

test('a path takes linear time, however many folders it names', () =>
  assertLinear([(length) => `${'a/'.repeat(length / 2)}x`], pathsFinding, 32_768))
