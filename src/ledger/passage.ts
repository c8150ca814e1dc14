import { boundary } from './content.ts'
import { continuation, endsInWord } from './words.ts'

/** Texts are indexed by passages of this size in UTF-8 bytes: what is searched for stands together in one of them. */
export const passageBytes = 32_768

/** How far beyond its end, in bytes, the last word of a passage is followed. */
const edge = 1_000

/** The passage that holds a byte of a text. */
export const passageAt = (byte: number) => Math.floor(byte / passageBytes)

/** Where to read a text so as to know a passage of it, in bytes: with what stands just before, and what its last word goes on with. */
export function reachOf(passage: number): { from: number; to: number } {
  const start = passage * passageBytes
  return { from: Math.max(0, start - 4), to: start + passageBytes + edge }
}

/** The first byte whose passage changes when a text of `bytes` grows: its last word may go on. */
export const growsFrom = (bytes: number) => Math.max(0, bytes - edge - 4)

/** How much of a text, in bytes, is known to one who has read this passage of it: from there on `growsFrom` leads to the next. */
export const knownAfter = (passage: number) => (passage + 1) * passageBytes + edge + 4

/** A passage of a text, of which `bytes` are what `reachOf` names: without the end of a word that began before it, with the end of its last. */
export function passageText(passage: number, bytes: Buffer): string {
  const { from } = reachOf(passage)
  const start = boundary(bytes, passage * passageBytes - from, 1)
  const end = boundary(bytes, passage * passageBytes - from + passageBytes, 1)
  const before = bytes.toString('utf8', 0, start)
  const text = bytes.toString('utf8', start, end)
  const rest = bytes.toString('utf8', end)
  const begun = endsInWord(before) ? continuation(text.slice(0, edge)) : 0
  return text.slice(begun) + rest.slice(0, continuation(rest))
}

/** So many passages of one text are told apart; those of a longer one take the places of passages that were dropped. */
export const slots = 4096
/** The first passages, which are never dropped, keep their places. */
const headSlots = 8

/** The place of a passage among those of its text. */
export const slotOf = (passage: number) =>
  passage < headSlots ? passage : headSlots + ((passage - headSlots) % (slots - headSlots))

/** The passage in that place of a text of `bytes`: the last one that can be. */
export function passageIn(slot: number, bytes: number): number {
  const turns = Math.floor((passageAt(Math.max(0, bytes - 1)) - slot) / (slots - headSlots))
  return slot < headSlots || turns < 1 ? slot : slot + turns * (slots - headSlots)
}
