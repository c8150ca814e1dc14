import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Folds } from '../../src/web/log/folds.ts'
import { LogLines } from '../../src/web/log/lines.ts'
import { blank, openPage } from '../support/browser.ts'
import { assertLinear } from '../support/linear.ts'

const groupsOf = (text: string) => {
  const lines = new LogLines()
  lines.append(text)
  return lines.groups.all.map(({ start, end, title, isFolded }) => [start, end, title, isFolded])
}

test('the groups of GitHub, Azure and GitLab logs are found', () => {
  assert.deepEqual(groupsOf('::group::Install\na\n::endgroup::\nb\n'), [[0, 2, 'Install', true]])
  assert.deepEqual(groupsOf('2026-01-01T00:00:00.1Z ##[group]Run tests\nx\n2026-01-01T00:00:00.2Z ##[endgroup]\n'), [
    [0, 2, 'Run tests', true],
  ])
  const start = (name: string, title: string, options = '') =>
    `\x1b[0Ksection_start:1560896352:${name}${options}\r\x1b[0K\x1b[36;1m${title}\x1b[0m\n`
  const end = (name: string) => `\x1b[0Ksection_end:1560896353:${name}\r\x1b[0K`
  const gitlab = `${start('a', 'Prepare')}x\n${end('a')}${start('b', 'Script', '[collapsed=true]')}y\n${end('b')}\nz\n`
  assert.deepEqual(groupsOf(gitlab), [
    [0, 1, 'Prepare', false],
    [2, 4, 'Script', true],
  ])
})

test('a group mark without its counterpart folds nothing', () => {
  assert.deepEqual(groupsOf('::group::Open\na\nb\n'), [[0, undefined, 'Open', true]])
  assert.deepEqual(groupsOf('::endgroup::\nsection_end:1:a\rx\n'), [])
  assert.deepEqual(groupsOf('a ::group::b\nthe group:: c\nsection_start without\n'), [])
  assert.deepEqual(groupsOf('::group::A\n::group::B\nx\n::endgroup::\n::endgroup::\n'), [
    [0, 4, 'A', true],
    [1, 3, 'B', true],
  ])
})

test('a group counts the lines in it that report an error', () => {
  const lines = new LogLines()
  const inner = '::group::B\n\x1b[31mError\x1b[0m: x\n::endgroup::\n'
  lines.append(`error before\n::group::A\n${inner}0 errors\nfailed\n::endgroup::\nerror after\n`)
  assert.deepEqual(
    lines.groups.all.map(({ title, errors }) => [title, errors]),
    [
      ['A', 2],
      ['B', 1],
    ],
  )
})

test('each line is a row, except folded ones', () => {
  const group = (start: number, end: number) => ({ start, end, title: '', isFolded: true, errors: 0 })
  const folds = new Folds([group(1, 3), group(2, 3), group(6, 6), group(7, 9)])
  assert.equal(folds.rows(12), 8)
  const lines = Array.from({ length: 8 }, (_, row) => folds.lineAt(row))
  assert.deepEqual(lines, [0, 1, 4, 5, 6, 7, 10, 11])
  for (const [row, line] of lines.entries()) assert.equal(folds.rowOf(line), row, String(line))
  assert.deepEqual(
    [2, 3, 8, 9].map((line) => folds.rowOf(line)),
    [1, 1, 5, 5],
  )
  assert.deepEqual([new Folds([]).rows(3), new Folds([]).lineAt(2), new Folds([]).rowOf(2)], [3, 2, 2])
})

test('a megabyte of group marks is read in linear time', () =>
  assertLinear(
    ['::group::a\n', '::endgroup::\n', 'section_start:1:a\r\n', 'section_end:1:a\r', 'section_start:'].map(
      (piece) => (length) => `${piece.repeat(length / piece.length)}\n`,
    ),
    (text) => new LogLines().append(text),
  ))

test('a group is folded, and unfolds on a click and for a search hit in it', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const many = Array.from({ length: 300 }, (_, n) => `package ${n}\n`).join('')
  const content = `begin\n::group::Install\n${many}::endgroup::\n::group::Test\nok\nerror: broken\n::endgroup::\nend\n`
  await client.createRun({ title: 'CI', content, contentType: 'text/x-terminal', status: 'failed' })
  await page.goto(`${home}#/runs/default/RUN-001`)
  const log = page.locator('.log .screen')
  const install = log.getByRole('button', { name: 'Install' })
  await install.getByText('301 lines').waitFor()
  await log.getByText('end', { exact: true }).waitFor()
  assert.equal(await log.getByText('package 1', { exact: true }).count(), 0)
  assert.equal(await install.getAttribute('aria-expanded'), 'false')
  await install.click()
  await log.getByText('package 1', { exact: true }).waitFor()
  await install.click()
  // A group with an error is not folded at first.
  const tests = log.getByRole('button', { name: 'Test' })
  assert.equal(await tests.getAttribute('aria-expanded'), 'true')
  await log.getByText('error: broken').waitFor()
  await page.getByRole('button', { name: 'Unfold all' }).click()
  await page.getByRole('button', { name: 'Fold all' }).click()
  assert.equal(await tests.textContent(), '▸Test 3 lines 1 error line')
  await page.getByRole('button', { name: 'First error' }).click()
  assert.equal(await log.locator('.marked .text').textContent(), 'error: broken')
  await page.getByPlaceholder('Find in the log').fill('package 222')
  await log.locator('.marked').getByText('package 222').waitFor()
  await page.getByRole('button', { name: 'Fold all' }).click()
  assert.equal(await log.locator('.marked').count(), 0)
  await page.getByRole('button', { name: 'Unfold all' }).click()
  await page.goto(`${home}?again#/runs/default/RUN-001?line=150`)
  await log.locator('.marked').getByText('package 147').waitFor()
})

test('a group whose end mark arrives before its line break is folded once the line ends', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const content = '::group::Install\npackage 1\n::endgroup::'
  const { run } = await client.createRun({
    title: 'CI',
    content,
    contentType: 'text/x-terminal',
    status: 'in_progress',
  })
  await page.goto(`${home}#/runs/default/RUN-001`)
  const line = page.locator('.log .screen').getByText('package 1')
  await line.waitFor()
  await client.appendToRun({ runId: run.runId, text: '\n' })
  await line.waitFor({ state: 'detached' })
})
