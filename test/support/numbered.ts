import assert from 'node:assert/strict'
import type { Client } from '../../src/client/client.ts'

/** The whole content of a run: its texts, in bytes, and the gaps between them. */
async function readWhole(client: Client, runId: string) {
  const texts: string[] = []
  const gaps: { bytes: number; lines: number | null; kept: string }[] = []
  for (let after = 0; ; ) {
    const piece = await client.readContent({ runId, after })
    if (piece.next === after) return { kept: texts.join(''), gaps, dropped: piece.dropped }
    const bytes = Buffer.from(piece.text)
    let from = 0
    for (const { at, length, bytes: missing, lines } of piece.gaps) {
      texts.push(bytes.toString('utf8', from, at))
      gaps.push({ bytes: missing, lines, kept: texts.join('') })
      from = at + length
    }
    texts.push(bytes.toString('utf8', from))
    after = piece.next
  }
}

/**
 * Asserts that a content is `whole` except for its gaps, that these have the bytes and lines of what is missing, and that
 * no line is anywhere but where it belongs.
 */
export async function assertTrueGaps(client: Client, runId: string, whole: string) {
  const { kept, gaps, dropped } = await readWhole(client, runId)
  const bytes = Buffer.from(whole)
  let at = 0
  let from = 0
  for (const gap of [...gaps, { bytes: 0, lines: 0, kept }]) {
    const text = Buffer.from(gap.kept.slice(from))
    assert.ok(bytes.subarray(at, at + text.length).equals(text), `the text from byte ${at}`)
    const missing = bytes.toString('utf8', at + text.length, at + text.length + gap.bytes)
    assert.equal(gap.lines, missing.split('\n').length - 1)
    at += text.length + gap.bytes
    from = gap.kept.length
  }
  assert.equal(at, bytes.length)
  const sum = (field: 'bytes' | 'lines') => gaps.reduce((total, gap) => total + (gap[field] ?? 0), 0)
  assert.deepEqual(dropped, gaps.length === 0 ? null : { bytes: sum('bytes'), lines: sum('lines') })
  return { kept, gaps }
}
