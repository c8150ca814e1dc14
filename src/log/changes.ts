import type { Changes } from './event.ts'

/** The changes of an append and nothing else: a log of many lines has as many of these. */
type Appended = [before: number, added: number, sha256: string]

/**
 * The changes of an event as the log stores them. A plain append is stored as `[before, added, digest in base64url]`.
 */
export function packed(changes: Changes): string {
  return JSON.stringify(appendedIn(changes) ?? changes)
}

/** The JSON of stored changes. */
export function unpacked(stored: string): string {
  return stored.startsWith('[') ? JSON.stringify(changesIn(stored)) : stored
}

/** The changes of an event, as they were before they were stored. Throws a SyntaxError for what is no JSON. */
function changesIn(stored: string): Changes {
  const parsed = JSON.parse(stored)
  return Array.isArray(parsed) ? changesOf(parsed as Appended) : parsed
}

function changesOf([before, added, digest]: Appended): Changes {
  const appended = Buffer.from(digest, 'base64url').toString('hex')
  return { content: [before === 0 ? null : { bytes: before }, { bytes: before + added, appended }] }
}

function appendedIn({ content, ...others }: Changes): Appended | undefined {
  if (!content || Object.keys(others).length > 0) return undefined
  const [before, after] = content as [Size | null, Size | null]
  if (!isSize(after, ['bytes', 'appended']) || !/^[0-9a-f]{64}$/.test(after.appended ?? '')) return undefined
  if (before !== null && !(isSize(before, ['bytes']) && before.bytes > 0)) return undefined
  const from = before?.bytes ?? 0
  return [from, after.bytes - from, Buffer.from(after.appended as string, 'hex').toString('base64url')]
}

interface Size {
  bytes: number
  appended?: string
}

/** Whether these are all of its fields. */
const isSize = (size: Size | null, fields: string[]): size is Size =>
  size !== null && Object.keys(size).join() === fields.join()
