import { boundary } from '../contract/text.ts'
import { continuation, endsInWord } from './words.ts'

/** Texts are indexed in passages of this many UTF-8 bytes. The words of a search must be in one passage. */
export const passageBytes = 32_768

/** How far to follow the last word of a passage beyond its end, in bytes. */
const edge = 1_000

/** The passage that contains a byte of a text. */
export const passageAt = (byte: number) => Math.floor(byte / passageBytes)

/** The bytes to read for a passage, including those just before it and the rest of its last word. */
export function reachOf(passage: number): { from: number; to: number } {
  const start = passage * passageBytes
  return { from: Math.max(0, start - 4), to: start + passageBytes + edge }
}

/** The first byte whose passage changes when a text of `bytes` grows, because its last word may continue. */
export const growsFrom = (bytes: number) => Math.max(0, bytes - edge - 4)

/** How many bytes of a text are known after reading this passage. `growsFrom` of that leads to the next passage. */
export const knownAfter = (passage: number) => (passage + 1) * passageBytes + edge + 4

/**
 * The text of a passage from the bytes that `reachOf` names: without the rest of a word that began earlier, with the
 * whole of its last word.
 */
export function passageText(passage: number, bytes: Buffer): string {
  const { from } = reachOf(passage)
  const start = boundary(bytes, passage * passageBytes - from, 1)
  const end = boundary(bytes, passage * passageBytes - from + passageBytes, 1)
  const before = bytes.toString('utf8', 0, start)
  const text = bytes.toString('utf8', start, end)
  const rest = bytes.toString('utf8', end)
  const ending = rest.slice(0, continuation(rest))
  if (!endsInWord(before)) return text + ending
  // The passage before follows its last word up to `edge`. A longer word is cut there: this passage begins one letter
  // earlier, so that the pair of letters across the cut is in it. A letter may be two units of UTF-16.
  const begun = continuation(bytes.toString('utf8', start, passage * passageBytes - from + edge))
  const isLonger = continuation(text.slice(begun)) > 0
  return text.slice(isLonger ? Math.max(0, begun - 2) : begun) + ending
}

/**
 * How many passages of one text the index distinguishes. In a longer text, later passages reuse the slots of dropped
 * ones.
 */
export const slots = 4096
/** The first passages are never dropped and keep their slots. */
const headSlots = 8

/** The slot of a passage. */
export const slotOf = (passage: number) =>
  passage < headSlots ? passage : headSlots + ((passage - headSlots) % (slots - headSlots))

/** The passage in that slot for a text of `bytes`: the last possible one. */
export function passageIn(slot: number, bytes: number): number {
  const turns = Math.floor((passageAt(Math.max(0, bytes - 1)) - slot) / (slots - headSlots))
  return slot < headSlots || turns < 1 ? slot : slot + turns * (slots - headSlots)
}
