import assert from 'node:assert/strict'
import { type Client, ConductError, type Input } from '../src/client/client.ts'
import { testLedger } from './support/engines.ts'

type Diff = Input<'addDiffs'>['diffs'][number]
type Change = NonNullable<Diff['change']>

const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string]
const hunk = (before: string, after: string) => `@@ -1 +1 @@\n-${before}\n+${after}\n`
const change = (patch: string, more: Partial<Change> = {}): Change => ({
  status: 'modified',
  before: one,
  after: two,
  insertions: 1,
  deletions: 1,
  patch,
  ...more,
})

async function newRun(client: Client, turns = 1): Promise<string> {
  const { runId } = (await client.createRun({ status: 'in_progress' })).run
  for (let n = 1; n <= turns; n++) await client.appendTurn({ runId, n, prompt: `Turn ${n}.` })
  return runId
}

const refused = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof ConductError && error.code === code && words.test(error.message)

testLedger('a turn has the diffs that it was given, once, and its run stays as it was', async ({ client }) => {
  const runId = await newRun(client)
  const before = (await client.getRun({ runId })).run
  const diffs: Diff[] = [
    { path: 'src/b.ts', change: change(hunk('b', 'c')) },
    { path: 'src/a.ts', change: { status: 'added', mode: '100755', after: one, insertions: 0, deletions: 0 } },
  ]
  assert.deepEqual(await client.addDiffs({ runId, turn: 1, diffs }), { added: 2 })
  assert.deepEqual(await client.addDiffs({ runId, turn: 1, diffs }), { added: 0 })
  const more: Diff = { path: 'c', change: change(hunk('x', 'y')) }
  assert.deepEqual(await client.addDiffs({ runId, turn: 1, diffs: [...diffs, more] }), { added: 1 })
  assert.deepEqual((await client.getRun({ runId })).run, before)

  const { files, meta } = await client.getDiff({ runId, turn: 1 })
  assert.deepEqual(files, [
    { path: 'c', turn: 1, ...more.change },
    { path: 'src/a.ts', turn: 1, ...diffs[1]?.change },
    { path: 'src/b.ts', turn: 1, ...diffs[0]?.change },
  ])
  assert.deepEqual(meta, { total: 3, hasMore: false })
  for (const path of ['src/', 'src/b.ts']) {
    const { files } = await client.getDiff({ runId, path })
    assert.deepEqual(
      files.map(({ path }) => path),
      path === 'src/' ? ['src/a.ts', 'src/b.ts'] : ['src/b.ts'],
    )
  }
})

testLedger('another diff of the same file, or of no turn, is refused', async ({ client }) => {
  const runId = await newRun(client)
  const add = (turn: number, ...diffs: Diff[]) => client.addDiffs({ runId, turn, diffs })
  await add(1, { path: 'a', change: change(hunk('a', 'b')), whole: null })
  const others: Diff[] = [
    { path: 'a', change: change(hunk('a', 'c')), whole: null },
    { path: 'a', change: change(hunk('a', 'b'), { after: three }), whole: null },
    { path: 'a', change: change(hunk('a', 'b')) },
    { path: 'a', whole: null },
  ]
  for (const other of others) await assert.rejects(add(1, other), refused('CONFLICT', /another diff of a/))
  await assert.rejects(add(2, { path: 'b', whole: null }), refused('NOT_FOUND', /no turn 2/))
  const twice: Diff = { path: 'b', change: change(hunk('a', 'b')) }
  await assert.rejects(add(1, twice, twice), refused('VALIDATION_ERROR', /twice/))
  await assert.rejects(add(1, { path: 'b' }), refused('VALIDATION_ERROR', /a change, a whole, or both/))
})

testLedger('the diff of a run is that of the last turn that names the file', async ({ client }) => {
  const runId = await newRun(client, 3)
  const [first, second, whole] = [hunk('a', 'b'), hunk('b', 'c'), hunk('a', 'c')].map((text) => change(text)) as [
    Change,
    Change,
    Change,
  ]
  await client.addDiffs({
    runId,
    turn: 1,
    diffs: ['gone', 'kept', 'moved', 'twice'].map((path) => ({ path, change: first })),
  })
  const renamed: Change = { status: 'renamed', from: 'moved', before: two, after: two }
  await client.addDiffs({
    runId,
    turn: 2,
    diffs: [
      { path: 'gone', change: change(hunk('b', 'a')), whole: null },
      { path: 'twice', change: second, whole },
      { path: 'new', change: renamed, whole: change(first.patch ?? '', { status: 'renamed', from: 'moved' }) },
      { path: 'moved', whole: null },
    ],
  })
  const { files, meta } = await client.getDiff({ runId })
  assert.deepEqual(files, [
    { path: 'kept', turn: 1, ...first },
    { path: 'new', turn: 2, ...first, status: 'renamed', from: 'moved' },
    { path: 'twice', turn: 2, ...whole },
  ])
  assert.equal(meta.total, 3)
  const ofTurn = await client.getDiff({ runId, turn: 2 })
  assert.deepEqual(
    ofTurn.files.map(({ path, status }) => [path, status]),
    [
      ['gone', 'modified'],
      ['new', 'renamed'],
      ['twice', 'modified'],
    ],
  )
  assert.deepEqual((await client.getDiff({ runId, turn: 3 })).files, [])
  await assert.rejects(client.getDiff({ runId, turn: 4 }), refused('NOT_FOUND', /no turn 4/))
})

testLedger('a turn has no more files and no longer diffs than it may have', async ({ client }) => {
  const runId = await newRun(client, 2)
  const long = (bytes: number) => change(`${hunk('a', 'b')}+${'x'.repeat(bytes - hunk('a', 'b').length - 2)}\n`)
  const add = (turn: number, ...diffs: Diff[]) => client.addDiffs({ runId, turn, diffs })
  for (let file = 0; file < 8; file++) await add(1, { path: `${file}`, change: long(262_144), whole: long(262_144) })
  await assert.rejects(add(1, { path: 'b', change: long(100) }), refused('VALIDATION_ERROR', /2,097,252 bytes/))
  await assert.rejects(add(1, { path: 'b', change: long(262_145) }), refused('VALIDATION_ERROR', /262,144/))
  await add(1, { path: 'b', change: { status: 'modified', cut: { lines: 4, bytes: 100 } } })

  const some = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({
      path: `${from + at}`.padStart(3, '0'),
      change: change(hunk('a', 'b')),
    }))
  for (const from of [0, 100, 200, 300, 400]) await add(2, ...some(from, 100))
  await assert.rejects(add(2, ...some(500, 1)), refused('VALIDATION_ERROR', /501 files/))

  assert.equal((await client.getDiff({ runId, turn: 1 })).meta.total, 9)
  assert.equal((await client.getDiff({ runId, turn: 2, limit: 100 })).meta.total, 500)
  await assert.rejects(client.getDiff({ runId, cursor: 'x' }), refused('BAD_REQUEST', /cursor/))
})

testLedger('a long diff comes in pages', async ({ client }) => {
  const runId = await newRun(client, 2)
  const long = change(`${hunk('a', 'b')}+${'x'.repeat(262_000)}\n`)
  const paths = (turn: number) => Array.from({ length: 8 }, (_, at) => `${turn}/${at}`)
  for (const turn of [1, 2])
    for (const path of paths(turn)) await client.addDiffs({ runId, turn, diffs: [{ path, change: long }] })
  const found: string[] = []
  const sizes: number[] = []
  for (let cursor: string | undefined, isMore = true; isMore; ) {
    const { files, meta } = await client.getDiff({ runId, limit: 100, ...(cursor && { cursor }) })
    assert.equal(meta.total, 16)
    found.push(...files.map(({ path }) => path))
    sizes.push(files.reduce((sum, { patch = '' }) => sum + patch.length, 0))
    cursor = meta.nextCursor
    isMore = meta.hasMore
  }
  assert.deepEqual(found, [1, 2].flatMap(paths))
  assert.equal(sizes.length, 2)
  assert.ok(Math.max(...sizes) <= 3_000_000)
})

testLedger('files without a diff are counted', async ({ client }) => {
  const { runId } = (await client.createRun({ status: 'in_progress' })).run
  const files = ['a', 'b', 'c'].map((path) => ({ path }))
  await client.appendTurn({ runId, n: 1, files, filesOmitted: 57, changes: { files: 60 } })
  await client.addDiffs({ runId, turn: 1, diffs: [{ path: 'a', change: change(hunk('a', 'b')) }] })
  assert.equal((await client.getDiff({ runId })).meta.omitted, 59)
  assert.equal((await client.getDiff({ runId, turn: 1 })).meta.omitted, 59)
  assert.equal((await client.getDiff({ runId, path: 'a' })).meta.omitted, undefined)
})
