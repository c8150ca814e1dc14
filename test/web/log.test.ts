import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Growing } from '../../src/web/data/runs/growing.ts'
import { isError } from '../../src/web/log/groups.ts'
import { LogLines, longestLine, plainOf } from '../../src/web/log/lines.ts'
import { missingWords } from '../../src/web/log/numbers.ts'
import { blank, openPage } from '../support/browser.ts'
import { assertLinear } from '../support/linear.ts'

const esc = String.fromCharCode(27)
const red = `${esc}[31m`
const reset = `${esc}[0m`

const linesOf = (...texts: string[]) => {
  const lines = new LogLines()
  for (const text of texts) lines.append(text)
  return lines
}

test('a line has the colours that earlier lines set, and its other escape sequences are removed', () => {
  const lines = linesOf(`${red}one\ntw`, `o${reset}\nthree ${esc}[2K${esc}]0;title${String.fromCharCode(7)}end\n`)
  assert.deepEqual(
    [0, 1, 2].map((at) => lines.coloured(at)),
    [`${red}one`, `${red}two${reset}`, 'three end'],
  )
  assert.deepEqual(
    [0, 1, 2].map((at) => lines.plain(at)),
    ['one', 'two', 'three end'],
  )
  assert.equal(lines.count, 3)
  assert.equal(linesOf(` 10%\r 50%\r100%\r\n`).plain(0), '100%')
  assert.equal(plainOf(`a${esc}[1;31mb${esc}(c${esc}`), 'abc')
})

test('a long line is cut by what is visible, so that colours neither shorten it nor are cut themselves', () => {
  const word = `${red}ab${reset}`
  const line = word.repeat(longestLine)
  const coloured = linesOf(line).coloured(0)
  assert.equal(plainOf(coloured), 'ab'.repeat(longestLine / 2))
  assert.ok(line.startsWith(coloured))
  const short = word.repeat(longestLine / 4)
  assert.equal(linesOf(short).coloured(0), short)
})

test('the first error is the first line that reports one', () => {
  const errors = ['error: x', 'FAIL test/a.ts', 'not ok 3 - b', '  ✖ c', '2 failed', 'panicked at main.rs', 'Errors: 1']
  const others = ['0 errors', 'no failures', 'failed 0', 'errors: 0', 'ok 3', 'terrors', 'all passed']
  assert.deepEqual(
    errors.filter((line) => !isError(line)),
    [],
  )
  assert.deepEqual(others.filter(isError), [])
  assert.equal(linesOf('ok\n', `${red}error${reset}: x\nerror\n`).firstError(), 1)
  assert.equal(linesOf('ok\n').firstError(), -1)
})

test('a megabyte of escape sequences is read in linear time', () =>
  assertLinear(
    [esc, `${esc}[`, `${esc}]`, `${esc}[1;`, `${esc}[31m`].map(
      (piece) => (length) => `${piece.repeat(length / piece.length)}\nend\n`,
    ),
    (text) => {
      const lines = linesOf(text)
      assert.equal(lines.plain(1), 'end')
      lines.coloured(0)
      lines.plain(0)
    },
  ))

test('terminal output keeps its lines and colours, and markup in it is plain text', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const content = `# not a heading\n*no* emphasis\n${red}not ok 3 - broken${reset}\n<b>no markup</b>\n`
  const { run } = await client.createRun({ title: 'Tests', content, contentType: 'text/x-terminal', status: 'failed' })
  await client.createCheck({
    runId: run.runId,
    name: 'tests',
    result: 'fail',
    content,
    contentType: 'text/x-terminal',
  })
  await page.goto(`${home}#/runs/default/RUN-001`)
  const log = page.locator('.log .screen')
  assert.equal(await log.locator('[class*=ansi-red]').textContent(), 'not ok 3 - broken')
  assert.equal(await log.locator('h3, em, b').count(), 0)
  await log.getByText('<b>no markup</b>').waitFor()
  await page.locator('.checks summary').click()
  await page.locator('.checks [class*=ansi-red]').waitFor()

  await page.getByRole('button', { name: 'First error' }).last().click()
  assert.equal(await log.locator('.marked .text').textContent(), 'not ok 3 - broken')
  await log.getByRole('link', { name: 'Line 2', exact: true }).click()
  await page.waitForURL(/line=2/)
  await log.locator('.marked').getByText('*no* emphasis').waitFor()
  await page.goto(`${home}?again#/runs/default/RUN-001?view=raw&line=4`)
  await log.locator('.marked').getByText('<b>no markup</b>').waitFor()
  assert.equal(await log.locator('[class*=ansi-]').count(), 0)
})

test('what a log is asked for is in the window, and a copy of it is plain text', async (t) => {
  const { page, client, context, home } = await openPage(t, blank, { viewport: { width: 1280, height: 720 } })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const line = (n: number) => `${red}${n === 300 ? 'error' : 'line'}${reset} ${n}\n`
  const content = Array.from({ length: 400 }, (_, n) => line(n + 1)).join('')
  const checks = Array.from({ length: 9 }, (_, n) => ({ runId: 'LOG', name: `check ${n}`, result: 'pass' as const }))
  await client.createRun({ runId: 'LOG', contentType: 'text/x-terminal', content, status: 'failed' })
  for (const check of checks) await client.createCheck(check)
  await page.goto(`${home}#/runs/default/LOG`)
  const isInSight = async (words: string) => {
    await page.locator('.marked').getByText(words).waitFor()
    const { y = 0 } = (await page.locator('.marked').boundingBox()) ?? {}
    assert.ok(y > 60 && y < 700, `${words} at ${y}`)
  }
  await page.getByRole('button', { name: 'First error' }).click()
  await isInSight('error 300')
  await page.evaluate(() => scrollTo(0, 0))
  await page.getByPlaceholder('Find in the log').fill('line 350')
  await isInSight('line 350')
  await page.goto(`${home}?again#/runs/default/LOG?line=200`)
  await isInSight('line 200')
  await page.getByRole('button', { name: 'Copy the log' }).click()
  await page.waitForFunction(() => {
    const known = globalThis as { copied?: string }
    navigator.clipboard.readText().then((text) => {
      known.copied = text
    })
    return known.copied?.startsWith('line 1\nline 2\n')
  })
})

test('a log of 10 MB can be read, searched and scrolled, and only the visible lines are drawn', async (t) => {
  const { page, client, home } = await openPage(t, blank, { contentLimit: 20_000_000 })
  const line = (n: number) => `line ${n} ${'x'.repeat(86)}\n`
  const block = (n: number) => Array.from({ length: 5000 }, (_, at) => line(n * 5000 + at + 1)).join('')
  const { run } = await client.createRun({ title: 'Long', contentType: 'text/x-terminal', status: 'in_progress' })
  for (let n = 0; n < 20; n++) await client.appendToRun({ runId: run.runId, text: block(n) })
  await page.goto(`${home}#/runs/default/RUN-001`)
  const log = page.locator('.log .screen')
  // On a busy machine, 10 MB take longer than anything else that the tests wait for.
  await log.getByText('line 100000 ').waitFor({ timeout: 60_000 })
  assert.ok((await log.locator('.lines > div').count()) < 200)
  await page.getByPlaceholder('Find in the log').fill('line 54321 ')
  await log.locator('.marked').getByText('line 54321 ').waitFor()
  await page.getByText('1 of 1', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'End' }).click()
  await log.getByText('line 100000 ').waitFor()
})

test('after a gap, lines have the numbers that they had when they were written', () => {
  const growing = new Growing('one\ntwo\nthr')
  growing.appendGap('\n[9 bytes dropped here: 5 lines]\n', { bytes: 9, lines: 5 })
  growing.append('eight\nnine\n')
  growing.appendGap('\n[4 bytes dropped here]\n', { bytes: 4, lines: null })
  growing.append('x\n')
  const lines = new LogLines()
  growing.pieces.forEach((piece, at) => {
    const hole = growing.holes.get(at)
    if (hole) lines.appendHole(hole)
    else lines.append(piece)
  })
  const { numbers, count } = lines
  const shown = Array.from({ length: count }, (_, at) => [numbers.of(at), lines.plain(at)])
  assert.deepEqual(shown, [
    [1, 'one'],
    [2, 'two'],
    [3, 'thr'],
    [undefined, ''],
    [8, 'eight'],
    [9, 'nine'],
    [undefined, ''],
    [undefined, 'x'],
  ])
  assert.deepEqual(
    [1, 3, 4, 7, 8, 9, 10, 99].map((line) => numbers.indexOf(line)),
    [0, 2, 3, 3, 4, 5, 6, 6],
  )
  const holes = [...growing.holes.values()].map(missingWords)
  assert.deepEqual(holes, ['9 bytes: lines 3 to 7', '4 bytes'])
})

test('a log with a gap says how much is missing and where, links to true lines, and can be downloaded', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const line = (n: number) => `line ${n}\n`
  const some = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => line(from + n)).join('')
  const { run } = await client.createRun({ title: 'Long', contentType: 'text/x-terminal', status: 'completed' })
  const { runId } = run
  await client.appendToRun({ runId, text: some(1, 101) })
  const missing = some(101, 70_001)
  await client.appendToRun({ runId, text: some(70_001, 70_101), dropped: { bytes: missing.length, lines: 69_900 } })
  await page.goto(`${home}#/runs/default/RUN-001?line=70050`)
  const log = page.locator('.log .screen')
  await log.locator('.marked').getByText('line 70050', { exact: true }).waitFor()
  await log.getByRole('link', { name: 'Line 70051', exact: true }).click()
  await page.waitForURL(/line=70051/)
  const words = `${missing.length.toLocaleString('en')} bytes: lines 101 to 70,000 missing`
  assert.match((await page.locator('.log [role=note]').textContent()) ?? '', new RegExp(`^${words}\\.`))
  await page.getByText('70,100 lines', { exact: true }).waitFor()
  await page.goto(`${home}?again#/runs/default/RUN-001?line=500`)
  await log.locator('.marked').getByText(`${words} here`).waitFor()
  const downloading = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download the log' }).click()
  const download = await downloading
  const { content } = (await client.getRun({ runId })).run
  assert.deepEqual(
    [download.suggestedFilename(), readFileSync(await download.path(), 'utf8')],
    ['RUN-001.log', content],
  )
})

/**
 * Measures the longest text that the page has processed since `longest` was set to 0, and the most characters that it
 * has split between two frames.
 */
const notingLongest = `
  'use strict'
  globalThis.longest = 0
  for (const name of ['split', 'slice', 'replace', 'matchAll', 'lastIndexOf', 'includes', 'toLowerCase', 'trim']) {
    const real = String.prototype[name]
    String.prototype[name] = function (...args) {
      if (this.length > longest) longest = this.length
      return real.apply(this, args)
    }
  }
  const join = Array.prototype.join
  Array.prototype.join = function (...args) {
    const text = join.apply(this, args)
    if (text.length > longest) longest = text.length
    return text
  }
  globalThis.mostSplit = 0
  let splitNow = 0
  const split = String.prototype.split
  String.prototype.split = function (...args) {
    splitNow += this.length
    mostSplit = Math.max(mostSplit, splitNow)
    return split.apply(this, args)
  }
  const begin = () => {
    splitNow = 0
    requestAnimationFrame(begin)
  }
  requestAnimationFrame(begin)`

test('a long log is split over several frames, and an append costs only its own length', async (t) => {
  const { page, client, home } = await openPage(t, blank, { contentLimit: 5_000_000, before: notingLongest })
  const lines = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => `\x1b[32mline ${from + n}\x1b[0m ${'x'.repeat(80)}\n`).join('')
  const { run } = await client.createRun({ title: 'Long', contentType: 'text/x-terminal', status: 'in_progress' })
  for (let n = 0; n < 4; n++) await client.appendToRun({ runId: run.runId, text: lines(n * 5000, 5000) })
  await page.goto(`${home}#/runs/default/RUN-001`)
  const log = page.locator('.log .screen')
  await log.getByText('line 19999 ').waitFor()
  await page.getByPlaceholder('Find in the log').fill('line 1999')
  await page.getByText('1 of 11', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Follow' }).click()
  const longest = () => page.evaluate('longest')
  assert.ok(Number(await longest()) > 100_000, 'the text was read once')
  const mostSplit = Number(await page.evaluate('mostSplit'))
  assert.ok(mostSplit < 1_000_000, `split ${mostSplit} characters before a frame`)

  await page.evaluate('longest = 0')
  await client.appendToRun({ runId: run.runId, text: lines(19_990, 20) })
  await log.getByText('line 20009 ').waitFor()
  await page.getByText('1 of 21', { exact: true }).waitFor()
  const after = Number(await longest())
  assert.ok(after > 0 && after < 20_000, `went through ${after} characters`)
})

test('a growing text can be searched, and its colours continue, across appends', () => {
  const lines = linesOf('one\ntw')
  assert.deepEqual(lines.find('w'), [1])
  lines.append(`o\n${red}three\nfour`)
  assert.deepEqual([lines.count, lines.ended], [4, 3])
  assert.deepEqual(lines.find('o', 1), [1, 3])
  assert.equal(lines.coloured(3), `${red}four`)
  const growing = new Growing('a')
  growing.append('')
  growing.append('bc')
  assert.deepEqual([growing.pieces, growing.length, String(growing)], [['a', 'bc'], 3, 'abc'])
})

test('a log is followed until the user pauses it, and only appended text is read', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const content = Array.from({ length: 200 }, (_, n) => `line ${n}\n`).join('')
  const { run } = await client.createRun({
    title: 'Live',
    content,
    contentType: 'text/x-terminal',
    status: 'in_progress',
  })
  await page.goto(`${home}#/runs/default/RUN-001`)
  const log = page.locator('.log .screen')
  await log.getByText('line 199').waitFor()
  const reads: string[] = []
  let runReads = 0
  page.on('response', (response) => {
    // The last one may still be on its way when the test ends.
    if (response.url().includes('/content')) {
      response.text().then(
        (text) => reads.push(text),
        () => {},
      )
    }
    if (response.url().endsWith('/RUN-001')) runReads++
  })
  const append = (text: string) => client.appendToRun({ runId: run.runId, text })
  await append('the first more\n')
  await log.getByText('the first more').waitFor()
  // The browser reports the last scrolling only now.
  await page.evaluate(() => {
    const pause = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Pause')
    pause?.click()
    document.querySelector('.screen')?.dispatchEvent(new Event('scroll'))
  })
  await page.getByRole('button', { name: 'Follow' }).waitFor()
  for (let n = 0; n < 60; n++) await append(`more ${n}\n`)
  await page.getByText('261 lines').waitFor()
  assert.equal(await log.getByText('more 59').count(), 0)
  await page.getByRole('button', { name: 'Follow' }).click()
  await log.getByText('more 59').waitFor()
  assert.ok(reads.length > 0)
  assert.deepEqual(
    reads.filter((text) => text.includes('line 1')),
    [],
  )
  // One read is allowed, because the event stream connects after the page was drawn.
  assert.ok(runReads <= 1, `${runReads} times`)
})
