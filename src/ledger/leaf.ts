import { hash, randomBytes } from 'node:crypto'
import type { IsToGo } from './erase.ts'
import type { Changes } from './event.ts'
import { countTexts, mapTexts } from './event-text.ts'
import { leafHash } from './tree.ts'

const saltBytes = 16

/** An event as the log stores it: what its leaf rests on. */
export interface StoredEvent {
  seq: number
  projectId: number | null
  type: string
  subject: string
  subjectId: number
  actorKind: string | null
  keyId: number | null
  at: string
  imported: number
  changes: Changes
}

/** Random bytes that are not used yet: to ask for many at once takes much less time. */
let unused: Buffer = Buffer.alloc(0)
const askedAtOnce = 4096

/** One salt for each text of an event, in a row. */
function newSalts(changes: Changes): Buffer {
  const length = countTexts(changes) * saltBytes
  if (unused.length < length) unused = randomBytes(Math.max(length, askedAtOnce))
  const salts = unused.subarray(0, length)
  unused = unused.subarray(length)
  return salts
}

/** The hash that a text leaves behind: SHA-256(salt ‖ text), in hex. */
const textHash = (salt: Buffer, text: string) => hash('sha256', Buffer.concat([salt, Buffer.from(text)]))

/** Takes the salts of a row one after the other. Throws an Error for a row that ends before the texts do. */
function inTurn(salts: Buffer) {
  let next = 0
  return {
    take(): Buffer {
      const salt = salts.subarray(next, next + saltBytes)
      next += saltBytes
      if (salt.length < saltBytes) throw new Error('A text of this event has no salt.')
      return salt
    },
    isOver: () => next === salts.length,
  }
}

/**
 * The bytes of an event in the tree: JSON, with the hash of each text in its place. They stay the same when texts are
 * erased. Throws an Error when there are more or fewer salts than texts.
 */
export function entryOf(event: StoredEvent, salts: Buffer): string {
  const { seq, projectId, type, subject, subjectId, actorKind, keyId, at, imported } = event
  const salt = inTurn(salts)
  const changes = mapTexts(event.changes, (text) => ({ erased: textHash(salt.take(), text) }))
  if (!salt.isOver()) throw new Error('This event has more salts than texts.')
  return JSON.stringify([seq, projectId, type, subject, subjectId, actorKind, keyId, at, imported, changes])
}

/** The leaf of an event. Throws as `entryOf` does. */
export const leafOf = (event: StoredEvent, salts: Buffer): Buffer => leafHash(Buffer.from(entryOf(event, salts)))

/** The leaf of an event that is new to the tree, and the salts of its texts. */
export function sealEvent(event: StoredEvent): { leaf: Buffer; salts: Buffer } {
  const salts = newSalts(event.changes)
  return { leaf: leafOf(event, salts), salts }
}

/**
 * The changes and salts of an event after the texts that `isToGo` names are erased. Neither text nor salt remains, and the
 * leaf stays the same.
 */
export function eraseTexts(changes: Changes, salts: Buffer, isToGo: IsToGo) {
  const salt = inTurn(salts)
  const kept: Buffer[] = []
  const rest = mapTexts(changes, (text, field) => {
    const own = salt.take()
    if (isToGo(text, field)) return { erased: textHash(own, text) }
    kept.push(own)
    return text
  })
  return { changes: rest, salts: Buffer.concat(kept) }
}
