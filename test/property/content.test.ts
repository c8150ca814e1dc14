import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Arbitrary } from 'fast-check'
import type { Client } from '../../src/client/client.ts'
import { size } from '../proof/size.ts'
import { engines, openLedger } from '../support/engines.ts'
import { assertTrueGaps } from '../support/numbered.ts'
import fc from '../support/random.ts'

const contents = size(6, 1000)
/** The most that one readContent returns. */
const pieceBytes = 262_144

/** Appends that begin and end near the borders of parts and pieces, with characters of one to four bytes. */
const chunk = fc.record({
  unit: fc.constantFrom('a', 'ä', '€', '🚀', 'a🚀', 'äa', '€b'),
  around: fc.constantFrom(1, 7, 4096, 65_536, pieceBytes),
  off: fc.integer({ min: -5, max: 5 }),
})
type Chunk = typeof chunk extends Arbitrary<infer Value> ? Value : never

const textOf = ({ unit, around, off }: Chunk) =>
  unit.repeat(Math.max(1, Math.floor((around + off) / Buffer.byteLength(unit))))

for (const engine of engines) {
  test(`the pieces of a content add up to it, wherever it is cut (${engine.name})`, async (t) => {
    const { client } = await openLedger(t, engine, { contentLimit: 4_000_000 })
    let runs = 0
    const property = fc.asyncProperty(fc.array(chunk, { minLength: 1, maxLength: 6 }), async (chunks) => {
      const [first = '', ...more] = chunks.map(textOf)
      const runId = `R-${++runs}`
      await client.createRun({ runId, content: first })
      for (const text of more) await client.appendToRun({ runId, text })
      const whole = [first, ...more].join('')
      assert.ok((await client.getRun({ runId })).run.content === whole, 'getRun')
      assert.ok((await readAll(client, runId, 0)) === whole, 'readContent')
      for (const from of placesIn(whole)) {
        const rest = await readAll(client, runId, Buffer.byteLength(whole.slice(0, from)))
        assert.ok(rest === whole.slice(from), `readContent from ${from}`)
      }
      await client.deleteRun({ runId })
    })
    await fc.assert(property, { numRuns: contents })
  })
}

/** An append, or output that the caller dropped, or both. */
const step = fc.record({
  lines: fc.integer({ min: 0, max: 40 }),
  width: fc.constantFrom(1, 20, 90),
  unit: fc.constantFrom('a', 'ä', '🚀'),
  dropped: fc.constantFrom(0, 0, 0, 1, 40),
})
const limit = 8192

for (const engine of engines) {
  test(`a content over the limit says what is missing, and where, whoever dropped it (${engine.name})`, async (t) => {
    const { client } = await openLedger(t, engine, { contentLimit: limit })
    let runs = 0
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const runId = `R-${++runs}`
      await client.createRun({ runId })
      let whole = ''
      let offset = 0
      let written = 0
      const linesOf = (count: number, { unit, width }: (typeof steps)[number]) =>
        Array.from({ length: count }, () => `${++written} ${unit.repeat(width)}\n`).join('')
      for (const one of steps) {
        const missing = linesOf(one.dropped, one)
        const text = linesOf(one.lines, one)
        const dropped = missing === '' ? undefined : { bytes: Buffer.byteLength(missing), lines: one.dropped }
        const input = { runId, text, offset, ...(dropped && { dropped }) }
        const { next } = await client.appendToRun(input)
        whole += missing + text
        offset = next
        const { kept } = await assertTrueGaps(client, runId, whole)
        assert.ok(Buffer.byteLength(kept) <= limit)
      }
      await client.deleteRun({ runId })
    })
    await fc.assert(property, { numRuns: contents })
  })
}

/** Some positions between characters, as indexes in the text. */
function placesIn(text: string): number[] {
  const places = [1, Math.floor(text.length / 2), text.length - 2].filter((at) => at > 0 && at < text.length)
  return places.map((at) => (/[\udc00-\udfff]/.test(text[at] as string) ? at - 1 : at))
}

async function readAll(client: Client, runId: string, from: number): Promise<string> {
  let text = ''
  for (let after = from; ; ) {
    const piece = await client.readContent({ runId, after })
    if (piece.text === '') return text
    assert.ok(Buffer.byteLength(piece.text) <= pieceBytes && piece.text.isWellFormed())
    text += piece.text
    after = piece.next
  }
}
