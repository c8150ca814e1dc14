import { createHmac } from 'node:crypto'
import type { Tx } from '../engine/db.ts'
import { erasedName, type IsToGo, isErasedName } from './event.ts'
import { signingKey } from './seal/checkpoint.ts'

/** Returns what replaces a name. */
export type NewName = (name: string) => string

/**
 * What replaces erased names that must stay different from others, and the same where they stand again, also in a later
 * erasure. The number depends on a secret of the ledger, so that no reader and no export can test a guess of the name.
 */
export async function newNames(db: Tx): Promise<NewName> {
  const { privateKey } = await signingKey(db)
  return (name) => {
    const digest = createHmac('sha256', privateKey).update(`erased name\n${name}`).digest('hex')
    return erasedName(Number.parseInt(digest.slice(0, digits), 16))
  }
}

/** A name after an erasure. With `form`, other spellings of the name get the same new one. */
export const nameAfter = (name: string, field: string, isToGo: IsToGo, newName: NewName, form = name): string =>
  isToGo(name, field) && !isErasedName(name) ? newName(form) : name

/** 44 bits, which a number holds exactly. */
const digits = 11
