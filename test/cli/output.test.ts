import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createBacklog, createLine, createTail, newestOf } from '../../src/capture/exec/lines.ts'
import { createOutput } from '../../src/capture/exec/output.ts'
import type { Gap } from '../../src/text/content.ts'
import { assertLinear, mebibyte } from '../support/linear.ts'

function collected(options: { isFull?: () => boolean; fails?: () => boolean } = {}) {
  const batches: string[] = []
  const gaps: (Gap | undefined)[] = []
  const output = createOutput({
    isFull: options.isFull ?? (() => false),
    put(text, gap) {
      if (options.fails?.()) throw new Error('database or disk is full')
      batches.push(text)
      gaps.push(gap)
    },
  })
  const write = (text: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout') =>
    output.write(stream, typeof text === 'string' ? Buffer.from(text) : text)
  /** Waits for `count` batches, at most 5 seconds. */
  const batch = async (count: number) => {
    for (let ms = 0; batches.length < count && ms < 5000; ms += 10) await new Promise((next) => setTimeout(next, 10))
  }
  return { ...output, batches, gaps, write, batch }
}

test('output is queued in whole lines and characters, and the rest at the end', async () => {
  const { batches, write, batch, end } = collected()
  const euro = Buffer.from('€')
  write(Buffer.concat([Buffer.from('one\ntw'), euro.subarray(0, 1)]))
  write('half of stderr', 'stderr')
  await batch(1)
  assert.deepEqual(batches, ['one\n'])
  write(euro.subarray(1))
  write(' o\r50 %\r')
  await batch(2)
  assert.deepEqual(batches, ['one\n', 'tw€ o\r50 %\r'])
  write(euro.subarray(0, 2))
  await end()
  assert.equal(batches.slice(2).join(''), '\uFFFDhalf of stderr')
})

test('a private key is held back until it is complete', async () => {
  const { batches, write, batch, end } = collected()
  const pem = generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
  const [begin, middle, rest] = [pem.slice(0, 20), pem.slice(20, 300), pem.slice(300)]
  write(`the key:\n${begin}`)
  await batch(1)
  write(middle)
  write('meanwhile\n', 'stderr')
  await batch(2)
  write(`${rest}after\n`)
  await end()
  const text = batches.join('')
  for (const line of pem.trim().split('\n').slice(1, -1)) assert.ok(!text.includes(line), text)
  assert.match(text, /^the key:\nmeanwhile\n[\s\S]*after\n$/)
})

test('a line without end is cut outside of secrets', async () => {
  const { batches, write, batch, end } = collected()
  const token = `ghp_${'k7Qw2ZrT9xBn4LsVd8MfYh3JcPg6RaUe5XtH'}`
  // Cutting at any fixed distance from the end would cut a secret here.
  const line = Array.from({ length: 1900 }, () => `${token}=`).join('')
  for (let at = 0; at < line.length; at += 30_011) {
    write(line.slice(at, at + 30_011))
    await batch(batches.length + (at > 60_000 ? 1 : 0))
  }
  await end()
  const text = batches.join('')
  assert.equal(text, '[masked]='.repeat(1900), text.replaceAll('[masked]=', '.'))
  assert.ok(batches.length > 1)
})

/** Output of numbered lines, which says what was put of them, and how many lines are missing in each gap. */
function numbered(options: { isFull?: () => boolean } = {}) {
  const { batches, gaps, write, end } = collected(options)
  const line = (n: number) => `${String(n).padStart(9)}\n`
  let next = 0
  const writeMore = async (count: number) => {
    for (const last = next + count; next < last; next += 100) {
      await write(Array.from({ length: 100 }, (_, i) => line(next + i)).join(''))
    }
  }
  /** Asserts that the texts and gaps make up all lines, and returns the texts between gaps. */
  const parts = () => {
    const found: string[] = []
    let at = 0
    for (const [index, text] of batches.entries()) {
      const gap = gaps[index]
      assert.equal(gap?.bytes ?? 0, (gap?.lines ?? 0) * 10)
      at += gap?.lines ?? 0
      const count = text.length / 10
      assert.ok(text === Array.from({ length: count }, (_, i) => line(at + i)).join(''), `from line ${at}`)
      at += count
      if (gap || index === 0) found.push(text)
      else found.push((found.pop() ?? '') + text)
    }
    assert.equal(at, next)
    return found
  }
  return { writeMore, parts, batches, end }
}

test('while the queue is full, output waits; the newest part stays, after a gap with its bytes and lines', async () => {
  let isFull = true
  const { writeMore, parts, batches, end } = numbered({ isFull: () => isFull })
  await writeMore(200_000)
  await new Promise((next) => setTimeout(next, 700))
  assert.deepEqual(batches, [])
  isFull = false
  await end()
  const [newest = '', ...more] = parts()
  assert.deepEqual(more, [])
  assert.ok(newest.length > 900_000 && newest.length <= 1_100_000, `${newest.length}`)
})

test('after each gap comes about as much text without one as may wait', async () => {
  let isFull = true
  const { writeMore, parts, end } = numbered({ isFull: () => isFull })
  for (let turn = 0; turn < 3; turn++) {
    isFull = true
    await writeMore(200_000)
    isFull = false
    await new Promise((next) => setTimeout(next, 1200))
    // The queue is full again before all of that is put.
    isFull = true
  }
  isFull = false
  await end()
  for (const text of parts()) assert.ok(text.length > 900_000, `${text.length}`)
})

test('the beginning of output that comes faster than it can be masked is not dropped', async () => {
  const { batches, write, end } = collected()
  const line = (n: number) => `${String(n).padStart(9)}\n`
  for (let n = 0; n < 300_000; n += 1000) await write(Array.from({ length: 1000 }, (_, i) => line(n + i)).join(''))
  await end()
  const head = Array.from({ length: 90_000 }, (_, n) => line(n)).join('')
  assert.ok(batches.join('').startsWith(head), batches[0]?.slice(0, 100))
})

test('a command that writes faster than its output can be masked does not wait for that', async () => {
  const { batches, write, end } = collected()
  const block = 'PASS test/run.test.ts (12 ms)\n'.repeat(2200)
  for (let n = 0; n < 320; n++) {
    await write(block)
    // A pipe has the next block as soon as anybody reads.
    await new Promise((next) => setImmediate(next))
  }
  await end()
  const masked = batches.join('').length
  assert.ok(masked < (320 * block.length) / 2, `${masked}`)
})

test('output that could not be queued is queued later, or reported at the end', async () => {
  let fails = true
  const { batches, write, batch, end } = collected({ fails: () => fails })
  write('one\n')
  await new Promise((next) => setTimeout(next, 700))
  fails = false
  write('two\n')
  await batch(1)
  assert.equal(batches.join(''), 'one\ntwo\n')
  fails = true
  write('three\n')
  await assert.rejects(end(), /disk is full/)
})

test('after its end, output that could not be queued keeps no timer', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  let fails = true
  const { write, end } = collected({ fails: () => fails })
  // The queue is busy with the first batch when the end comes.
  void write('line\n'.repeat(20_000))
  await assert.rejects(end(), /disk is full/)
  fails = false
  assert.equal(timers(), before)
})

test('a long line without end is collected in linear time', async () => {
  const backlog = createBacklog(mebibyte, 65_536)
  const parts = ['x', '-----BEGIN ', '-----BEGIN PRIVATE KEY-----x']
  const shapes = parts.map((part) => (length: number) => part.repeat(length / part.length))
  await assertLinear(shapes, (text) => {
    const line = createLine(backlog, 2 * mebibyte)
    for (let at = 0; at < text.length; at += 512) line.write(Buffer.from(text.slice(at, at + 512)))
    line.end()
  })
})

test('the newest part of a text begins with a line, or with a whole character', () => {
  assert.deepEqual(newestOf('short', 5), { newest: 'short', gap: { bytes: 0, lines: 0 } })
  assert.deepEqual(newestOf('a\nbcdefgh\nij\n', 8), { newest: 'ij\n', gap: { bytes: 10, lines: 2 } })
  const { newest, gap } = newestOf('😀'.repeat(9), 9)
  assert.ok(newest.isWellFormed() && newest.length > 5, newest)
  assert.equal(Buffer.byteLength(newest) + gap.bytes, 36)
})

test('a tail counts what comes before it once, with the gaps that it was told of', () => {
  const tail = createTail(16)
  tail.put('one\ntwo\n')
  tail.put('three\n', { bytes: 100, lines: 7 })
  assert.equal(tail.text(), '[108 bytes dropped here: 9 lines]\nthree\n')
  tail.put('four\nfive\nsix\n')
  assert.equal(tail.text(), '[119 bytes dropped here: 11 lines]\nfive\nsix\n')
})
