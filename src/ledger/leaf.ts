import { hash, randomBytes } from 'node:crypto'
import type { IsToGo } from './erase.ts'
import type { Changes } from './event.ts'
import { countTexts, mapTexts } from './event-text.ts'
import { leafHash } from './tree.ts'

const saltBytes = 16

/** An event as the log stores it, which its leaf depends on. */
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

/** Spare random bytes: fetching many at once is much faster. */
let unused: Buffer = Buffer.alloc(0)
const askedAtOnce = 4096

/** Concatenated salts, one for each text of an event. */
function newSalts(changes: Changes): Buffer {
  const length = countTexts(changes) * saltBytes
  if (unused.length < length) unused = randomBytes(Math.max(length, askedAtOnce))
  const salts = unused.subarray(0, length)
  unused = unused.subarray(length)
  return salts
}

/** The hash that remains of an erased text: SHA-256(salt ‖ text), in hex. */
const textHash = (salt: Buffer, text: string) => hash('sha256', Buffer.concat([salt, Buffer.from(text)]))

/** Takes the concatenated salts one by one. Throws an Error if there are fewer salts than texts. */
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
 * The bytes of an event in the tree: JSON with each text replaced by its hash. Erasing texts does not change them.
 * Throws an Error if the numbers of salts and texts differ.
 */
export function entryOf(event: StoredEvent, salts: Buffer): string {
  const { seq, projectId, type, subject, subjectId, actorKind, keyId, at, imported } = event
  const salt = inTurn(salts)
  const changes = mapTexts(event.changes, (text) => ({ erased: textHash(salt.take(), text) }))
  if (!salt.isOver()) throw new Error('This event has more salts than texts.')
  return JSON.stringify([seq, projectId, type, subject, subjectId, actorKind, keyId, at, imported, changes])
}

/** The leaf of an event. Throws like `entryOf`. */
export const leafOf = (event: StoredEvent, salts: Buffer): Buffer => leafHash(Buffer.from(entryOf(event, salts)))

/** The leaf of a new event, and the salts of its texts. */
export function sealEvent(event: StoredEvent): { leaf: Buffer; salts: Buffer } {
  const salts = newSalts(event.changes)
  return { leaf: leafOf(event, salts), salts }
}

/**
 * The changes and salts of an event after erasing the texts that `isToGo` selects. Both text and salt are gone, and the
 * leaf is still the same.
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
