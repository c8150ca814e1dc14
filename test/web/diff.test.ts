import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { colouredLines, languageOf } from '../../src/web/diff/colours.ts'
import { hunksOf, linesOf, piecesOf, splitRows, unifiedRows } from '../../src/web/diff/patch.ts'
import { wordsOf } from '../../src/web/diff/words.ts'
import { blank, openPage } from '../support/browser.ts'

const patch = `@@ -10,5 +10,5 @@ function hold()
 const a = 1
-const b = 'old'
+const b = 'new'
+const c = 3
-const d = 4
 end
@@ -20,2 +20,3 @@
 x
+y
\\ No newline at end of file
`

test('a diff is read with its line numbers, also one that was cut', () => {
  const [first, second, ...more] = hunksOf(patch)
  assert.equal(more.length, 0)
  assert.deepEqual(
    first?.lines.map(({ kind, old, now }) => [kind, old, now]),
    [
      ['same', 10, 10],
      ['removed', 11, 11],
      ['added', 12, 11],
      ['added', 12, 12],
      ['removed', 12, 13],
      ['same', 13, 13],
    ],
  )
  assert.deepEqual([first?.skipped, first?.heading, second?.skipped, second?.heading], [9, 'function hold()', 6, ''])
  assert.equal(second?.lines[1]?.isUnended, true)
  const created = hunksOf('@@ -0,0 +1,9 @@\n+a\n+b')
  assert.deepEqual(
    created.map(({ skipped, lines }) => [skipped, lines.map(({ now }) => now)]),
    [[0, [1, 2]]],
  )
  assert.deepEqual(hunksOf('no diff\n+a'), [])
  // A hunk without old lines comes after the line that it names.
  assert.deepEqual(hunksOf('@@ -4,0 +5,1 @@\n+a')[0]?.skipped, 4)
  // A heading is a line of the file, which may contain what only some take for the end of a line.
  const [, after] = hunksOf('@@ -1 +1 @@\n-a\n+b\n@@ -50 +50 @@ text = "x\u2028y\rz"\n-c\n+d')
  assert.deepEqual([after?.skipped, after?.lines[0]?.old, after?.heading], [48, 50, 'text = "x\u2028y\rz"'])
})

test('a changed line is beside the one it replaces, and only its changed words are marked', () => {
  const [hunk] = hunksOf(patch)
  const lines = hunk?.lines ?? []
  const rows = splitRows(lines)
  assert.deepEqual(
    rows.map(({ left, right }) => [left?.text, right?.text]),
    [
      ['const a = 1', 'const a = 1'],
      ["const b = 'old'", "const b = 'new'"],
      [undefined, 'const c = 3'],
      ['const d = 4', undefined],
      ['end', 'end'],
    ],
  )
  assert.deepEqual(linesOf(unifiedRows(lines)), lines)
  const words = wordsOf(unifiedRows(lines))
  const [, before, after] = lines
  assert.deepEqual([before && words.get(before), after && words.get(after)], [[[11, 14]], [[11, 14]]])
  const [other] = hunksOf('@@ -1 +1 @@\n-const a = 1\n+throw new Refused()\n')
  assert.equal(wordsOf(unifiedRows(other?.lines ?? [])).size, 0)
})

test('long unchanged parts are folded, and no piece is long', () => {
  const same = (count: number) => ' same\n'.repeat(count)
  const [hunk] = hunksOf(`@@ -1,60 +1,60 @@\n${same(20)}-a\n+b\n${same(30)}+c\n${same(6)}`)
  const pieces = piecesOf(unifiedRows(hunk?.lines ?? []))
  assert.deepEqual(
    pieces.map(({ rows, isFolded }) => [rows.length, isFolded]),
    [
      [17, true],
      [8, false],
      [24, true],
      [10, false],
    ],
  )
  const [long] = hunksOf(`@@ -1,999 +1,999 @@\n${'-a\n'.repeat(999)}${'+b\n'.repeat(999)}`)
  for (const rowsOf of [unifiedRows, splitRows]) {
    const rows = rowsOf(long?.lines ?? [])
    const pieces = piecesOf(rows)
    assert.ok(pieces.every(({ rows }) => rows.length <= 200))
    assert.deepEqual(
      pieces.flatMap(({ rows }) => rows),
      rows,
    )
  }
})

test('the language of a file follows from its name, and a text without a language stays as it is', () => {
  for (const [path, language] of [
    ['src/a.tsx', 'typescript'],
    ['Dockerfile', 'dockerfile'],
    ['a/Makefile', 'makefile'],
    ['x.PY', 'python'],
    ['constructor', undefined],
    ['a.__proto__', undefined],
    ['LICENSE', undefined],
  ] as const) {
    assert.equal(languageOf(path), language, path)
  }
  assert.deepEqual(colouredLines(['a', 'b'], undefined), [[{ text: 'a', tone: '' }], [{ text: 'b', tone: '' }]])
})

interface File {
  path: string
  patch?: string
  [name: string]: unknown
}

/** Serves diffs to the page, in pages of 100 files. */
async function serveDiff(page: Page, files: File[]) {
  await page.route('**/v1/runs/*/diff?*', (route) => {
    const from = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0)
    const some = files.slice(from, from + 100).map((file) => ({ turn: 1, status: 'modified', ...file }))
    const nextCursor = from + 100 < files.length ? String(from + 100) : undefined
    return route.fulfill({ json: { files: some, meta: { total: files.length, hasMore: false, nextCursor } } })
  })
}

async function openDiff(t: Parameters<typeof openPage>[0], files: File[], query = '') {
  const shown = await openPage(t, blank)
  await shown.client.createRun({ runId: 'R', status: 'completed' })
  await shown.client.appendTurn({ runId: 'R', prompt: 'Go on', files: [{ path: 'src/a.ts', insertions: 1 }] })
  await serveDiff(shown.page, files)
  await shown.page.goto(`${shown.home}#/runs/default/R?view=changes${query}`)
  return shown
}

test('a diff is shown unified and side by side, in colours, with notes and a link to each line', async (t) => {
  const { page, home } = await openDiff(t, [
    { path: 'src/a.ts', insertions: 3, deletions: 2, patch },
    { path: 'src/b.ts', status: 'renamed', from: 'src/old.ts', patch: '@@ -1 +1 @@\n-a\n+b\n', shared: true },
    { path: 'c.png', status: 'added', mode: '100644', binary: true, bytes: 1234 },
    { path: 'd.txt', masked: true, cut: { lines: 12, bytes: 90 }, patch: '@@ -1 +1,13 @@\n-a\n+‮b\n' },
    { path: 'e.sh', oldMode: '100644', mode: '100755' },
    { path: 'f.txt', withheld: true },
  ])
  const file = (path: string) => page.getByRole('region', { name: path, exact: true })
  const first = file('src/a.ts')
  await first.locator('.tone-word', { hasText: 'const' }).first().waitFor()
  assert.deepEqual(await first.locator('.word').allTextContents(), ['old', 'new'])
  await first.getByText('9 unchanged lines').waitFor()
  assert.equal(await first.locator('.diff-row').count(), 8)
  for (const [path, words] of [
    ['src/b.ts', 'renamed from src/old.ts'],
    ['src/b.ts', 'another session wrote it, too'],
    ['c.png', 'Binary file, 1,234 bytes.'],
    ['d.txt', 'secrets are masked'],
    ['d.txt', '12 lines of the diff are missing'],
    ['d.txt', '\\u202e'],
    ['e.sh', 'mode 100644 → 100755'],
    ['f.txt', 'The project does not record texts of changes.'],
  ] as const) {
    await file(path).getByText(words).first().waitFor()
  }
  await page.getByRole('button', { name: 'Side by side' }).click()
  await first.locator('.split .diff-row').nth(6).waitFor()
  assert.equal(await first.locator('.diff-row').count(), 7)

  await first.getByRole('link', { name: 'Line 12', exact: true }).click()
  await page.waitForURL(/file=src%2Fa.ts&line=R12$/)
  await first.locator('.marked', { hasText: 'const c = 3' }).waitFor()
  const address = page.url()
  await page.goto(`${home}?again${new URL(address).hash}`)
  await first.locator('.split .marked', { hasText: 'const c = 3' }).waitFor()

  await page.keyboard.press('j')
  await page.keyboard.press('j')
  const focused = () => page.evaluate(() => document.activeElement?.closest('.file-diff')?.getAttribute('aria-label'))
  assert.equal(await focused(), 'src/b.ts')
  await page.keyboard.press('k')
  assert.equal(await focused(), 'src/a.ts')
  await page.keyboard.press('Enter')
  await first.locator('.patch').waitFor({ state: 'detached' })
})

test('300 files, one of them with 20,000 lines, are drawn as far as they are in sight', async (t) => {
  const long = `@@ -0,0 +1,20000 @@\n${Array.from({ length: 20_000 }, (_, n) => `+const line${n} = "some text"`).join('\n')}`
  const files = Array.from({ length: 300 }, (_, n) => ({
    path: `src/file-${String(n).padStart(3, '0')}.ts`,
    insertions: n === 1 ? 20_000 : 3,
    deletions: 2,
    patch: n === 1 ? long : patch,
  }))
  const { page, home } = await openDiff(t, files)
  const list = page.getByRole('navigation', { name: 'Changed files' })
  await page.getByRole('region', { name: 'src/file-000.ts' }).locator('.tone-word').first().waitFor()
  assert.equal(await list.getByRole('link').count(), 300)
  const drawn = () => page.locator('.diff-row').count()
  assert.ok((await drawn()) < 2000, `${await drawn()} lines`)

  await list.getByRole('link').filter({ hasText: 'file-299.ts' }).click()
  await page.getByRole('region', { name: 'src/file-299.ts' }).locator('.tone-word').first().waitFor()
  await page.waitForURL(/file=src%2Ffile-299.ts$/)
  assert.ok((await drawn()) < 3000, `${await drawn()} lines`)

  await page.goto(`${home}?again#/runs/default/R?view=changes&file=src/file-001.ts&line=R15000`)
  const asked = page.locator('.diff-row.marked', { hasText: 'line14999' })
  await asked.waitFor()
  await page.waitForFunction(() => {
    const { top = -1 } = document.querySelector('.diff-row.marked')?.getBoundingClientRect() ?? {}
    return top >= 0 && top < innerHeight
  })
  assert.ok((await drawn()) < 2000, `${await drawn()} lines`)
})

test('of a turn with more files than it lists, the page says how many have no diff', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (const [runId, isShown] of [
    ['SHOWN', true],
    ['BARE', false],
  ] as const) {
    await client.createRun({ runId, status: 'completed' })
    const files = [{ path: 'a.ts' }, { path: 'b.ts' }]
    await client.appendTurn({ runId, n: 1, files, filesOmitted: 57, changes: { files: 59 } })
    const diff = { path: 'a.ts', change: { status: 'modified' as const, patch: '@@ -1 +1 @@\n-a\n+b\n' } }
    if (isShown) await client.addDiffs({ runId, turn: 1, diffs: [diff] })
    const words = isShown
      ? '58 more files changed, whose diff is not shown.'
      : '57 more files changed, which no turn lists.'
    for (const turn of isShown ? ['', '&turn=1'] : ['']) {
      await page.goto(`${home}#/runs/default/${runId}?view=changes${turn}`)
      await page.getByText(words).waitFor()
    }
  }
})

test('a diff that cannot be read again stays with the error above it, but not once texts were erased', async (t) => {
  const { page, client, live } = await openDiff(t, [{ path: 'src/a.ts', patch: '@@ -1 +1 @@\n-a\n+hunter2\n' }])
  const text = page.getByRole('region', { name: 'src/a.ts' }).getByText('hunter2')
  await text.waitFor()
  await live
  await page.unroute('**/v1/runs/*/diff?*')
  await page.route('**/v1/runs/*/diff?*', (route) =>
    route.fulfill({ status: 500, json: { error: 'Sorry', code: 'INTERNAL_ERROR' } }),
  )
  await client.appendTurn({ runId: 'R', prompt: 'Go on' })
  await page.getByRole('alert').getByText('Sorry').waitFor()
  await text.waitFor()
  await client.erase({ runId: 'R' })
  await text.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Try again' }).waitFor()
})
