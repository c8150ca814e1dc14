import { ConductError } from '../contract/error.ts'
import type { Order } from '../contract/field.ts'

/** Where a page ended: the position of the last row in the order (createdAt, id). */
export interface Position {
  createdAt: string
  id: number
}

/** Earlier versions also stored years of six digits with a sign. */
const position = /^(asc|desc) ((?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([1-9]\d{0,15})$/

export function encodeCursor(order: Order, at: Position): string {
  return Buffer.from(`${order} ${at.createdAt} ${at.id}`).toString('base64url')
}

/** Decodes a cursor of that order. Throws BAD_REQUEST for any text that `encodeCursor` did not return for it. */
export function decodeCursor(order: Order, cursor: string): Position {
  const match = position.exec(Buffer.from(cursor, 'base64url').toString('latin1'))
  const [, itsOrder, createdAt, id] = match ?? []
  const found = createdAt && id ? { createdAt, id: Number(id) } : undefined
  if (!found || encodeCursor(itsOrder as Order, found) !== cursor) throw notACursor(cursor)
  if (itsOrder !== order) {
    throw new ConductError(
      'BAD_REQUEST',
      `The cursor belongs to a list with order=${itsOrder}, and this list has order=${order}: start again without the cursor.`,
    )
  }
  return found
}

/**
 * Where a page of search results ended. Matches in id and title come first, then matches in content, each newest first.
 */
export interface Hit {
  place: 'head' | 'body'
  entry: number
}

export function encodeHit({ place, entry }: Hit): string {
  return Buffer.from(`${place} ${entry}`).toString('base64url')
}

/** Throws BAD_REQUEST for any text that `encodeHit` did not return. */
export function decodeHit(cursor: string): Hit {
  const [, place, entry] =
    /^(head|body) ([1-9]\d{0,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  const found = { place: place as Hit['place'], entry: Number(entry) }
  if (!place || encodeHit(found) !== cursor) throw notACursor(cursor)
  return found
}

const notACursor = (cursor: string) =>
  new ConductError('BAD_REQUEST', `The cursor '${cursor}' does not come from a list: start again without it.`)
