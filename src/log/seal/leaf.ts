import { hash, randomBytes } from 'node:crypto'
import { type Changes, type IsToGo, mapTexts } from '../event.ts'
import type { EventHead } from '../event-id.ts'
import { scanTexts } from '../scan-texts.ts'
import { leafHash } from './tree.ts'

const saltBytes = 16

/** The fields of a stored event that its leaf covers. */
export interface StoredEvent extends EventHead {
  imported: number
  changes: Changes
}

/** Random bytes for salts; those before `used` are taken. Fetching many at once is much faster. */
let random: Buffer = Buffer.alloc(0)
let used = 0
const fetchedAtOnce = 4096

/** Makes the salts of one event. */
function newSalts() {
  let begin = used
  return {
    /** Returns the next salt. */
    take(): Buffer {
      if (random.length - used < saltBytes) {
        random = Buffer.concat([random.subarray(begin, used), randomBytes(fetchedAtOnce)])
        used -= begin
        begin = 0
      }
      used += saltBytes
      return random.subarray(used - saltBytes, used)
    },
    /** Returns all salts that were taken, concatenated. */
    all: () => random.subarray(begin, used),
  }
}

/** Holds a salt and its text while they are hashed. Longer texts get a buffer of their own. */
const scratch = Buffer.alloc(4096)

/** The hash that stands for a text: SHA-256(salt ‖ text), in hex. */
function textHash(salt: Buffer, text: string): string {
  // UTF-8 has at most three bytes for each UTF-16 code unit.
  const together = saltBytes + 3 * text.length <= scratch.length ? scratch : Buffer.alloc(saltBytes + 3 * text.length)
  together.set(salt)
  const length = saltBytes + together.write(text, saltBytes)
  return hash('sha256', together.subarray(0, length))
}

/** Reads concatenated salts one by one. `take` throws an Error when there are too few. */
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
 * Returns the bytes of an event in the tree: JSON, with a hash in place of each text. Erasing texts does not change them.
 * Throws an Error when there are more or fewer salts than texts.
 */
export function entryOf(event: StoredEvent, salts: Buffer): string {
  const salt = inTurn(salts)
  const entry = entryBy(event, salt.take)
  if (!salt.isOver()) throw new Error('This event has more salts than texts.')
  return entry
}

/** Returns the entry of an event. `take` gives a salt for each text. */
function entryBy(event: StoredEvent, take: () => Buffer): string {
  const changes = mapTexts(event.changes, (text) => ({ erased: textHash(take(), text) }))
  return JSON.stringify([...headOf(event), changes])
}

/** Returns the leaf of an event. Throws as `entryOf` does. */
export const leafOf = (event: StoredEvent, salts: Buffer): Buffer => leafHash(Buffer.from(entryOf(event, salts)))

/** An event with the JSON of its changes. */
type EventWithJson = Omit<StoredEvent, 'changes'> & { changes: string }

/**
 * Makes salts for the texts of an event that is new to the tree, and returns them with its leaf. Throws a SyntaxError for
 * changes that are not JSON.
 */
export function sealEvent(event: EventWithJson): { leaf: Buffer; salts: Buffer } {
  const salts = newSalts()
  const changes = scanTexts(event.changes, (text) => `{"erased":"${textHash(salts.take(), text)}"}`)
  if (changes === undefined) return sealParsed({ ...event, changes: JSON.parse(event.changes) })
  const entry = `${JSON.stringify(headOf(event)).slice(0, -1)},${changes}]`
  return { leaf: leafHash(Buffer.from(entry)), salts: salts.all() }
}

function sealParsed(event: StoredEvent): { leaf: Buffer; salts: Buffer } {
  const salts = newSalts()
  const leaf = leafHash(Buffer.from(entryBy(event, salts.take)))
  return { leaf, salts: salts.all() }
}

/** The part of an entry before the changes. */
const headOf = ({
  seq,
  projectId,
  type,
  subject,
  subjectId,
  actorKind,
  keyId,
  at,
  imported,
}: EventWithJson | StoredEvent) => [...[seq, projectId, type, subject, subjectId, actorKind, keyId, at, imported]]

/**
 * Erases the texts that `isToGo` names, with their salts. Returns the remaining changes and salts, which give the same leaf.
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
