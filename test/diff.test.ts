import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sql from 'sql-template-tag'
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

testLedger('a diff is the hunks of one file and nothing else, unless it is cut or masked', async ({ client }) => {
  const runId = await newRun(client)
  const add = (path: string, given: Change) => client.addDiffs({ runId, turn: 1, diffs: [{ path, change: given }] })
  const hidden = `${hunk('a', 'b')}--- a/other\n+++ b/other\n${hunk('c', 'd')}`
  const wrong = [
    ...['words', 'words\n', '\n', hunk('a', 'b').slice(0, -1), '@@ -1 +1 @@\n', '@@ -0,0 +0,0 @@\n', hidden],
    ...[`${hunk('a', 'b')}diff --git a/x b/x\n`, `diff --git a/x b/x\n${hunk('a', 'b')}`, `${hunk('a', 'b')}+more\n`],
    ...['@@ -1,2 +1 @@\n-a\n+b\n', '@@ -1 +1 @@\n=a\n+b\n', '@@ -1 +1 @@\n-a\n-b\n'],
  ]
  for (const patch of wrong) {
    await assert.rejects(
      add('a', change(patch)),
      refused('VALIDATION_ERROR', /diffs.0.change.patch: must be the hunks/),
    )
  }
  const whole = { path: 'a', change: change(hunk('a', 'b')), whole: change('words\n') }
  await assert.rejects(
    client.addDiffs({ runId, turn: 1, diffs: [whole] }),
    refused('VALIDATION_ERROR', /diffs.0.whole.patch: must be the hunks/),
  )
  await add('masked', change('@@ -1,3 +1 @@\n-[masked]\n+b\n', { masked: true }))
  await add('cut', change('@@ -1,9 +1 @@\n-a\n', { cut: { lines: 9, bytes: 90 } }))
  const right = [
    ...['@@ -0,0 +1,2 @@\n+--- a/other\n+@@ -1 +1 @@\n', '@@ -1 +0,0 @@\n-a\n\\ No newline at end of file\n'],
    ...['@@ -1,2 +1 @@ f()\n \n-a\n@@ -9,2 +8 @@\n\n--\n', '@@ -1 +0,0 @@\n-a\n@@ -0,0 +1 @@\n+b\n'],
  ]
  for (const [at, patch] of right.entries()) await add(`right/${at}`, change(patch))
  assert.equal((await client.getDiff({ runId })).meta.total, 2 + right.length)
})

testLedger('a file is found by its path, also with ./ before it', async ({ client }) => {
  const { runId } = (await client.createRun({ status: 'in_progress' })).run
  await client.appendTurn({ runId, n: 1, prompt: 'One.', files: [{ path: 'src/a' }] })
  await client.addDiffs({ runId, turn: 1, diffs: [{ path: 'src/a', change: change(hunk('a', 'b')) }] })
  for (const path of ['./src/a', './src/', 'src/a']) {
    assert.equal((await client.getDiff({ runId, path })).meta.total, 1, path)
    for (const turn of [{}, { turn: 1 }]) {
      assert.equal((await client.listRunFiles({ runId, path, ...turn })).meta.total, 1, path)
    }
  }
})

testLedger('a diff is of a file in the work, whose path has one form', async (ledger) => {
  const { client } = ledger
  const runId = await newRun(client)
  const add = (diff: Diff) => client.addDiffs({ runId, turn: 1, diffs: [diff] })
  for (const path of ['/a/../b', '/etc/hosts', 'a/../b', 'a//b', 'a/./b', '..', 'src/', './']) {
    const words = /diffs\.0\.path: must be the path of a file from the repository's root/
    await assert.rejects(add({ path, change: change(hunk('a', 'b')) }), refused('VALIDATION_ERROR', words), path)
    const renamed = change(hunk('a', 'b'), { status: 'renamed', from: path })
    await assert.rejects(
      add({ path: 'b', change: renamed }),
      refused('VALIDATION_ERROR', /diffs\.0\.change\.from/),
      path,
    )
  }
  const diff: Diff = { path: './src/a', change: change(hunk('a', 'b'), { status: 'renamed', from: './src/b' }) }
  assert.deepEqual(await add(diff), { added: 1 })
  assert.deepEqual(await add({ ...diff, path: 'src/a' }), { added: 0 })
  const twice = ['src/c', './src/c'].map((path): Diff => ({ path, change: change(hunk('a', 'b')) }))
  await assert.rejects(client.addDiffs({ runId, turn: 1, diffs: twice }), refused('VALIDATION_ERROR', /src\/c twice/))
  const { files } = await client.getDiff({ runId })
  assert.deepEqual(
    files.map(({ path, from }) => [path, from]),
    [['src/a', 'src/b']],
  )
})

testLedger('an open turn has no diff yet', async ({ client }) => {
  const runId = await newRun(client)
  await client.appendTurn({ runId, n: 2, open: true, prompt: 'Two.' })
  assert.deepEqual(await client.getDiff({ runId, turn: 2 }), { files: [], meta: { total: 0, hasMore: false } })
  assert.deepEqual(await client.listRunFiles({ runId, turn: 2 }), { files: [], meta: { total: 0, hasMore: false } })
  await assert.rejects(client.getDiff({ runId, turn: 3 }), refused('NOT_FOUND', /no turn 3/))
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
  const long = (bytes: number) => change(hunk('a', 'x'.repeat(bytes - hunk('a', '').length)))
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
  const long = change(hunk('a', 'x'.repeat(262_000)))
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

testLedger('an erased file has the same name in the diff and in the lists of files', async ({ client }) => {
  const { runId } = (await client.createRun({ status: 'in_progress' })).run
  const paths = ['apple.ts', 'src/apple.ts', 'plum.ts']
  await client.appendTurn({ runId, n: 1, files: paths.map((path) => ({ path })) })
  await client.addDiffs({ runId, turn: 1, diffs: paths.map((path) => ({ path, change: change(hunk('x', 'y')) })) })
  for (const text of ['apple', 'plum']) await client.erase({ text })
  const pathsIn = ({ files }: { files: { path: string }[] }) => files.map(({ path }) => path).sort()
  const names = pathsIn(await client.getDiff({ runId }))
  assert.equal(new Set(names).size, 3)
  for (const name of names) assert.match(name, /^\[erased\] \d+$/)
  assert.deepEqual(pathsIn(await client.listRunFiles({ runId })), names)
  assert.deepEqual(pathsIn(await client.listRunFiles({ runId, turn: 1 })), names)
})

testLedger('erasing takes the texts and paths of diffs, and leaves their figures', async ({ client }) => {
  const runId = await newRun(client, 2)
  const renamed = change(hunk('apple', 'pear'), { status: 'renamed', from: 'old/apple.ts' })
  await client.addDiffs({ runId, turn: 1, diffs: [{ path: 'apple.ts', change: renamed }] })
  const plum: Diff = { path: 'plum.ts', change: change(hunk('x', 'plum')), whole: change(hunk('y', 'plum')) }
  await client.addDiffs({ runId, turn: 2, diffs: [plum] })
  await client.erase({ text: 'apple' })
  const { files } = await client.getDiff({ runId })
  const [erased, kept] = files
  assert.match(erased?.path ?? '', /^\[erased\] \d+$/)
  const { path: _, patch: __, ...rest } = renamed as Change & { path?: string }
  assert.deepEqual(
    { ...erased, path: undefined },
    { ...rest, path: undefined, from: '[erased]', turn: 1, erased: true },
  )
  assert.deepEqual(kept, { path: 'plum.ts', turn: 2, ...plum.whole })
  assert.deepEqual(await client.addDiffs({ runId, turn: 2, diffs: [plum] }), { added: 0 })
  await client.erase({ runId })
  const all = await client.getDiff({ runId, turn: 2 })
  assert.deepEqual([all.files[0]?.erased, all.files[0]?.insertions, all.files[0]?.before], [true, 1, one])
  const log = JSON.stringify(await client.listEvents({ limit: 100 }))
  assert.doesNotMatch(log, /plum|apple/)
})

testLedger('a diff that is sent again after its path was erased stays erased', async ({ client }) => {
  const runId = await newRun(client)
  const apple: Diff = { path: 'apple.ts', change: change(hunk('x', 'apple')) }
  await client.addDiffs({ runId, turn: 1, diffs: [apple] })
  await client.erase({ runId })
  const plum: Diff = { path: 'plum.ts', change: change(hunk('x', 'plum')) }
  assert.deepEqual(await client.addDiffs({ runId, turn: 1, diffs: [apple, plum] }), { added: 1 })
  const { files } = await client.getDiff({ runId })
  assert.deepEqual(
    files.map(({ path, erased }) => [path.replace(/ \d+$/, ''), erased]),
    [
      ['[erased]', true],
      ['plum.ts', undefined],
    ],
  )
})

testLedger('a diff goes with its run, and its text is served as a diff', async ({ client, fetch, store }) => {
  const runId = await newRun(client)
  const cut = { lines: 3, bytes: 40 }
  await client.addDiffs({
    runId,
    turn: 1,
    diffs: [
      { path: 'a b', change: change(hunk('x', 'y'), { mode: '100755', oldMode: '100644' }) },
      { path: 'long', change: change(hunk('x', 'y'), { cut }) },
    ],
  })
  const response = await fetch(`/v1/runs/${runId}/diff`, { headers: { accept: 'text/x-diff' } })
  assert.equal(response.headers.get('content-type'), 'text/x-diff; charset=utf-8')
  const head = `old mode 100644\nnew mode 100755\nindex ${one}..${two}\n--- a/a b\t\n+++ b/a b\t\n`
  const last = `diff --git a/long b/long\nindex ${one}..${two}\n--- a/long\n+++ b/long\n${hunk('x', 'y')}`
  assert.equal(
    await response.text(),
    `diff --git a/a b b/a b\n${head}${hunk('x', 'y')}# long: 3 lines of its diff were too long to record\n${last}`,
  )
  await client.deleteRun({ runId })
  assert.deepEqual(await store.db.query(sql`select id from turn_diffs`), [])
  assert.deepEqual(await store.db.query(sql`select id from documents`), [])
})

testLedger('no diff that is not whole hides one of another file', async ({ client, fetch }, t) => {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-apply-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  execFileSync('git', ['init', '--quiet'], { cwd: folder })
  writeFileSync(join(folder, 'known'), 'x\n')
  const names = '--- /dev/null\n+++ b/hidden\n'
  const added = '@@ -0,0 +1 @@\n+hidden\n'
  const marks: Partial<Change>[] = [{ masked: true }, { cut: { lines: 0, bytes: 0 } }]
  for (const mark of marks) {
    for (const other of [
      `diff --git a/hidden b/hidden\nnew file mode 100755\n${names}${added}`,
      `${names}${added}`,
      `${names}${added}`.replaceAll('\n', '\r\n'),
    ]) {
      const runId = await newRun(client)
      const diffs = [{ path: 'known', change: change(`${hunk('x', 'y')}${other}`, mark) }]
      await client.addDiffs({ runId, turn: 1, diffs })
      const response = await fetch(`/v1/runs/${runId}/diff`, { headers: { accept: 'text/x-diff' } })
      const input = await response.text()
      assert.ok(input.includes(hunk('x', 'y')))
      spawnSync('git', ['apply'], { cwd: folder, input })
      assert.equal(existsSync(join(folder, 'hidden')), false, input)
    }
  }
})

testLedger(
  'a diff that is not whole and has no line end leaves the next one on lines of its own',
  async ({ client, fetch }) => {
    const runId = await newRun(client)
    const masked = change('@@ -1 +1 @@\n-x\n+y', { masked: true })
    await client.addDiffs({
      runId,
      turn: 1,
      diffs: [
        { path: 'a', change: masked },
        { path: 'b', change: change(hunk('x', 'y')) },
      ],
    })
    const response = await fetch(`/v1/runs/${runId}/diff`, { headers: { accept: 'text/x-diff' } })
    assert.match(await response.text(), /^diff --git a\/b b\/b$/m)
  },
)
