import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { firstBytes } from '../src/contract/text.ts'
import { cutOf, type Gap, gapOf, markerOf, pieces, readMarker, type StoredPiece } from '../src/text/content.ts'
import { type Engine, engines, type Ledger, openLedger, testLedger } from './support/engines.ts'
import { assertTrueGaps } from './support/numbered.ts'
import fc, { anyCharacter } from './support/random.ts'

const contentOf = async ({ client }: Ledger) => (await client.getRun({ runId: 'A' })).run.content

/** The content as a reader receives it that follows it from `after`. */
async function follow({ client }: Ledger, after = 0) {
  let text = ''
  for (;;) {
    const part = await client.readContent({ runId: 'A', after })
    text += part.text
    if (part.next === after) return { text, next: after, truncated: part.truncated }
    after = part.next
  }
}

testLedger('fifty simultaneous appends are all stored whole', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'A', content: 'first\n' })
  const lines = Array.from({ length: 50 }, (_, n) => `line ${n} ${'é'.repeat(n * 7)}\n`)
  await Promise.all(lines.map((text) => client.appendToRun({ runId: 'A', text })))
  const content = await contentOf(ledger)
  assert.ok(content.startsWith('first\n'))
  assert.deepEqual(content.split('\n').slice(1, -1).sort(), lines.map((line) => line.slice(0, -1)).sort())
  assert.deepEqual(await follow(ledger), { text: content, next: Buffer.byteLength(content), truncated: false })
  assert.equal((await client.getRun({ runId: 'A' })).run.version, 51)
})

testLedger('the error for an append at a wrong offset names the right one', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'A' })
  const { run } = await client.appendToRun({ runId: 'A', text: '# Über\n', offset: 0 })
  assert.equal(run.title, 'Über')
  await assert.rejects(client.appendToRun({ runId: 'A', text: 'x', offset: 7 }), {
    code: 'CONFLICT',
    message: /has 8 bytes/,
  })
  await client.appendToRun({ runId: 'A', text: 'x', offset: 8 })
  // The same appends again, as after a lost response.
  for (const [offset, text] of [
    [8, 'x'],
    [0, '# Über\n'],
    [2, 'Ü'],
    [7, '\nx'],
  ] as const) {
    assert.equal((await client.appendToRun({ runId: 'A', text, offset })).run.version, 3)
  }
  for (const [offset, text] of [
    [8, 'y'],
    [7, '\nxy'],
    [3, 'Ü'],
  ] as const) {
    await assert.rejects(client.appendToRun({ runId: 'A', text, offset }), { code: 'CONFLICT', message: /has 9 bytes/ })
  }
  assert.equal((await client.appendToRun({ runId: 'A', text: '' })).run.version, 3)
  assert.deepEqual(await client.readContent({ runId: 'A', after: 8 }), {
    text: 'x',
    next: 9,
    truncated: false,
    dropped: null,
    gaps: [],
  })
  assert.deepEqual(await client.readContent({ runId: 'A', after: 99 }), {
    text: '',
    next: 9,
    truncated: false,
    dropped: null,
    gaps: [],
  })
})

testLedger('an update can replace appended content, and equal content is no change', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'A', content: 'one' })
  await client.appendToRun({ runId: 'A', text: ' two' })
  assert.equal((await client.updateRun({ runId: 'A', content: 'one two' })).run.version, 2)
  assert.equal((await client.updateRun({ runId: 'A', content: 'three' })).run.version, 3)
  assert.equal(await contentOf(ledger), 'three')
})

testLedger(
  'content over the limit keeps its beginning and its end, with a line about the gap between them',
  async (ledger) => {
    const { client } = ledger
    await client.createRun({ runId: 'A' })
    const lines = Array.from({ length: 200 }, (_, n) => `line ${String(n).padStart(4, '0')} ü${'.'.repeat(20)}\n`)
    for (const text of lines) await client.appendToRun({ runId: 'A', text })
    const content = await contentOf(ledger)
    const total = Buffer.byteLength(lines.join(''))
    const [, head = '', dropped = '', newest = ''] =
      /^([\s\S]*)\n\[([\d,]+) bytes dropped here: [\d,]+ lines\]\n([\s\S]*)$/.exec(content) ?? []
    assert.ok(lines.join('').startsWith(head) && Buffer.byteLength(head) > 470, 'the head is the beginning')
    assert.ok(lines.join('').endsWith(newest) && newest.length > 2000, 'the newest is the end')
    assert.equal(Buffer.byteLength(head) + Number(dropped.replace(/,/g, '')) + Buffer.byteLength(newest), total)
    assert.ok(Buffer.byteLength(content) <= 4096 + 100)
    assert.deepEqual(await follow(ledger), { text: content, next: total, truncated: true })
    assert.equal((await follow(ledger, total - 10)).text, newest.slice(-10))
    await client.appendToRun({ runId: 'A', text: 'x', offset: total })
  },
  { contentLimit: 4096 },
)

testLedger(
  'large contents are read in pieces',
  async (ledger) => {
    const { client } = ledger
    const content = '漢字'.repeat(150_000)
    await client.createRun({ runId: 'A', content })
    await client.appendToRun({ runId: 'A', text: content.slice(0, 10_000) })
    const first = await client.readContent({ runId: 'A' })
    assert.ok(Buffer.byteLength(first.text) <= 262_144 && first.next === Buffer.byteLength(first.text))
    assert.equal((await follow(ledger)).text, content + content.slice(0, 10_000))
  },
  { contentLimit: 2_000_000 },
)

test('text is cut without splitting a character', () => {
  const text = fc.string({ unit: anyCharacter, maxLength: 60 }).map((raw) => raw.toWellFormed())
  fc.assert(
    fc.property(text, fc.integer({ min: 4, max: 20 }), (text, most) => {
      const all = pieces(text, most)
      assert.equal(all.join(''), text)
      assert.ok(all.every((piece) => Buffer.byteLength(piece) <= most && piece.isWellFormed()))
    }),
  )
  fc.assert(
    fc.property(text, fc.nat(60), (text, most) => {
      const piece = firstBytes(text, most)
      assert.ok(text.startsWith(piece) && Buffer.byteLength(piece) <= most && !piece.includes('\ufffd'.repeat(2)))
    }),
  )
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), fc.integer({ min: 64, max: 256 }), (texts, limit) => {
      const parts = partsOf(texts)
      const whole = Buffer.from(texts.join(''))
      if (whole.length <= limit) return
      const { from, to, gap } = cutOf(parts, whole.length, limit)
      assert.ok(whole.toString('utf8', 0, from).isWellFormed() && whole.toString('utf8', to).isWellFormed())
      assert.ok(from < to && from + whole.length - to <= limit)
      assert.deepEqual(gap, gapOf(whole.toString('utf8', from, to)))
    }),
  )
})

function partsOf(texts: string[]): StoredPiece[] {
  let start = 0
  return texts
    .filter((text) => text !== '')
    .map((text) => {
      const part = { start, text, dropped: 0 }
      start += Buffer.byteLength(text)
      return part
    })
}

test('the line about a gap says what is missing, and can be read again', () => {
  for (const [gap, line] of [
    [{ bytes: 5_832_592, lines: 59_635 }, '\n[5,832,592 bytes dropped here: 59,635 lines]\n'],
    [{ bytes: 40, lines: 1 }, '\n[40 bytes dropped here: 1 line]\n'],
    [{ bytes: 1_234, lines: null }, '\n[1,234 bytes dropped here]\n'],
  ] as [Gap, string][]) {
    assert.equal(markerOf(gap), line)
    assert.deepEqual(readMarker(line), gap)
  }
  assert.equal(readMarker('[1,234 bytes erased]\n'), undefined)
})

testLedger(
  'what a caller dropped and what the ledger drops is one gap, with all bytes and lines of both',
  async (ledger) => {
    const { client } = ledger
    const lines = Array.from({ length: 1000 }, (_, n) => `line ${String(n).padStart(4, '0')} ü${'.'.repeat(20)}\n`)
    const some = (from: number, to: number) => lines.slice(from, to).join('')
    await client.createRun({ runId: 'A' })
    const { next } = await client.appendToRun({ runId: 'A', text: some(0, 50), offset: 0 })
    assert.equal(next, Buffer.byteLength(some(0, 50)))
    const first = { runId: 'A', text: some(70, 90), dropped: { ...gapOf(some(50, 70)), lines: 20 }, offset: next }
    const appended = await client.appendToRun(first)
    assert.equal((await client.appendToRun(first)).run.version, appended.run.version, 'the same again')
    assert.deepEqual((await client.appendToRun(first)).next, appended.next)
    const before = await client.readContent({ runId: 'A' })
    assert.deepEqual(before.dropped, { bytes: Buffer.byteLength(some(50, 70)), lines: 20 })
    assert.deepEqual([before.truncated, before.gaps.length], [true, 1])
    assert.match(before.text, /line 0049.*\n\n\[660 bytes dropped here: 20 lines\]\nline 0070/)
    await assertTrueGaps(client, 'A', some(0, 90))
    await client.appendToRun({ runId: 'A', text: some(90, 300) })
    const middle = await client.readContent({ runId: 'A' })
    const [cut] = middle.gaps
    assert.equal(middle.gaps.length, 1)
    // Somebody who has read further than where the cut begins learns that.
    assert.deepEqual((await client.readContent({ runId: 'A', after: 1000 })).gaps, [{ ...cut, at: 0 }])
    assert.ok((cut?.start ?? 1000) < 1000 && cut?.start === cut?.at)
    await assertTrueGaps(client, 'A', some(0, 300))
    await client.appendToRun({ runId: 'A', text: some(990, 1000), dropped: { ...gapOf(some(300, 990)), lines: 690 } })
    await client.appendToRun({ runId: 'A', text: '' })
    const after = await client.readContent({ runId: 'A' })
    await assertTrueGaps(client, 'A', some(0, 1000))
    assert.equal(await contentOf(ledger), after.text)
  },
  { contentLimit: 4096 },
)

testLedger('the whole content is a text file for clients that ask for text', async (ledger) => {
  const { client, fetch } = ledger
  await client.createRun({ runId: 'A', content: 'é\n'.repeat(200_000) })
  await client.appendToRun({ runId: 'A', text: 'end\n', dropped: { bytes: 12, lines: 2 } })
  const read = (accept: string, query = '') => fetch(`/v1/runs/A/content${query}`, { headers: { accept } })
  const response = await read('text/plain')
  assert.equal(await response.text(), await contentOf(ledger))
  assert.deepEqual(
    ['content-type', 'content-disposition'].map((name) => response.headers.get(name)),
    ['text/plain; charset=utf-8', 'attachment; filename="A.log"'],
  )
  assert.equal((await read('text/plain', '?after=3')).status, 422)
  for (const accept of ['application/json, text/plain', '*/*']) {
    assert.match((await read(accept)).headers.get('content-type') ?? '', /^application\/json/)
  }
  assert.equal((await fetch('/v1/runs/B/content', { headers: { accept: 'text/plain' } })).status, 404)
})

testLedger('a piece of the content never splits a character', async (ledger) => {
  const { client } = ledger
  // 262,143 bytes, then characters of several bytes across the end of one response, in parts of their own.
  await client.createRun({ runId: 'A', content: `${'a'.repeat(262_141)}é` })
  for (const text of ['😀'.repeat(2000), 'é'.repeat(30_000), 'end']) await client.appendToRun({ runId: 'A', text })
  const { content } = (await client.getRun({ runId: 'A' })).run
  assert.equal((await follow(ledger)).text, content)
  const { text, next } = await client.readContent({ runId: 'A', after: 262_142 })
  assert.ok(text.startsWith('😀'), 'a place inside a character is one before the next')
  assert.equal(262_143 + Buffer.byteLength(text), next)
})

test('a text of many appended lines takes few more pages than its bytes fill (sqlite)', async (t) => {
  const { client, url } = await openLedger(t, engines[0] as Engine)
  await client.createRun({ runId: 'LOG' })
  const line = '- 12:04:31 npm test: 412 passed, 0 failed, 3 skipped in 12.7 s\n'
  for (let n = 0; n < 500; n++) await client.appendToRun({ runId: 'LOG', text: line })
  const db = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true })
  t.after(() => db.close())
  const row = db.prepare(`select sum(pgsize) as bytes from dbstat where name = 'document_parts'`).get()
  assert.ok(Number(row?.bytes) < 500 * line.length * 1.4, `${row?.bytes} bytes for ${500 * line.length}`)
})
