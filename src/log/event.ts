import { isDeepStrictEqual } from 'node:util'
import { cutMark } from '../contract/lines.ts'

/** Field → [before, after]. */
export type Changes = Record<string, [unknown, unknown]>

/** The changes between two states of a resource; empty if they are equal. */
export function differences<State extends object>(before: State, after: State): Changes {
  const moved: Changes = {}
  for (const field of Object.keys(after) as (keyof State & string)[]) {
    if (!isDeepStrictEqual(before[field], after[field])) moved[field] = [before[field], after[field]]
  }
  return moved
}

/** The changes of a new resource: all its fields. */
export function appeared(state: object): Changes {
  const filled = Object.entries(state).filter(([, value]) => value !== null && value !== undefined && !isEmpty(value))
  return Object.fromEntries(filled.map(([field, value]) => [field, [null, value]]))
}

const isEmpty = (value: unknown) => value instanceof Object && Object.keys(value).length === 0

/** The changes of a deleted resource. */
export function vanished(state: object): Changes {
  return Object.fromEntries(Object.entries(appeared(state)).map(([field, [, value]]) => [field, [value, null]]))
}

/**
 * The event fields whose strings are ids, times, hashes or words of a fixed list. All other strings are texts,
 * including those in future fields. The leaves of the seal depend on this list: a field that events already have must
 * never move into it or out of it.
 */
const facts: ReadonlySet<string> = new Set([
  ...[
    'runId',
    'runIds',
    'specId',
    'retryOf',
    'status',
    'result',
    'verdict',
    'evidence',
    'contentType',
    'costSource',
    'code',
  ],
  ...['createdAt', 'startedAt', 'endedAt', 'at', 'leaseExpiresAt', 'expiresAt', 'revokedAt', 'permissions'],
  ...['tree', 'commits', 'sha256', 'appended'],
  ...['startTree', 'commitTree', 'recorder'],
  ...['mode', 'oldMode', 'before', 'after'],
  // Of attention.
  ...['reason', 'since', 'until', 'resolvedAt'],
])

/** Whether the strings of a field are facts; undefined: it has no name. */
export const isFact = (field: string | undefined) => field !== undefined && facts.has(field)

/**
 * The field of the value that stands under `name` in the object of `field`. Names of labels are not fields. Neither is
 * `labels` in the `keep` of a retention, which is a list of such names.
 */
export const fieldIn = (field: string | undefined, name: string) =>
  field === 'labels' || (field === 'keep' && name === 'labels') ? '' : name

const hashForm = /^[0-9a-f]{64}$/

/** What replaces a text in an event: the hash of the text and its salt. */
interface Erased {
  erased: string
}

export function isErased(value: unknown): value is Erased {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return false
  const { erased } = value as { erased?: unknown }
  return typeof erased === 'string' && hashForm.test(erased)
}

/** Returns the replacement of a text. `field` is its field name; '' for the value of a label. */
type Replace = (text: string, field: string) => unknown

/** Replaces each text in the changes of an event, in the order in which JSON writes them. */
export function mapTexts<Value>(changes: Value, replace: Replace, ofErased?: (erased: Erased) => unknown): Value {
  return mapped(changes, undefined, replace, ofErased) as Value
}

const ordinary = { enumerable: true, configurable: true, writable: true }

function mapped(
  value: unknown,
  field: string | undefined,
  replace: Replace,
  ofErased: (erased: Erased) => unknown = (erased) => erased,
): unknown {
  if (typeof value === 'string') return isFact(field) ? value : replace(value, field ?? '')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one) => mapped(one, field, replace, ofErased))
  // A label may have any name, even `erased` or that of a fact.
  if (field !== 'labels' && isErased(value)) return ofErased(value)
  const copy: Record<string, unknown> = {}
  for (const [name, part] of Object.entries(value)) {
    const one = mapped(part, fieldIn(field, name), replace, ofErased)
    // Assigning to this name would set the prototype.
    if (name === '__proto__') Object.defineProperty(copy, name, { value: one, ...ordinary })
    else copy[name] = one
  }
  return copy
}

/** What readers see instead of an erased text. */
export const erasedText = '[erased]'

/** What replaces an erased name where two may not be the same. */
export const erasedName = (number: number | string) => `${erasedText} ${number}`

export const isErasedName = (name: string) => /^\[erased\] \d+(-\d+)?$/.test(name)

/** The line that replaces an erased content. */
export const erasedLine = (bytes: number) => `[${bytes.toLocaleString('en')} bytes erased]\n`

/** Whether to erase a text. `field` is its field name; '' for the value of a label. */
export type IsToGo = (text: string, field: string) => boolean

/** Fields that group figures or identify rows. Erasing a whole run, spec or project keeps them. */
const names: ReadonlySet<string> = new Set([
  ...['agent', 'model', 'commit', 'base', 'name', 'check', 'rel', 'required'],
  // Without it, the next import of past sessions would bring back what was erased.
  'session',
  // Of a pipeline.
  ...['id', 'job'],
])

/** Every text except names. */
export const everyText: IsToGo = (text, field) => text !== erasedText && !names.has(field)

/**
 * Every text that contains `part`, case-sensitively, or what titles and sentences keep of it: its beginning before a cut,
 * or its first line.
 */
export const textsWith = (part: string): IsToGo => {
  const beginning = beginningOf(part)
  const line = lineOf(part)
  return (text) =>
    text !== erasedText &&
    (text.includes(part) ||
      (beginning !== undefined && hasCut(text, part, beginning)) ||
      (line !== undefined && text.endsWith(line)))
}

/** How much of a text is looked for where only a part of it is left, in characters. */
const least = 8

/** The beginning that is looked for before a cut; undefined if the text is no longer than that. */
export function beginningOf(part: string): string | undefined {
  const beginning = [...part.slice(0, 2 * least)].slice(0, least).join('')
  return beginning === part ? undefined : beginning
}

/** The first line of a text of several, which is the end of a title; undefined if it is short. */
export function lineOf(part: string): string | undefined {
  const end = part.indexOf('\n')
  const line = part.slice(0, Math.max(end, 0)).trimEnd()
  return line.length >= least ? line : undefined
}

/** Whether a text has a beginning of `part` just before a cut. A cut may have replaced half a character. */
function hasCut(text: string, part: string, beginning: string): boolean {
  if (!text.includes(cutMark)) return false
  for (let at = text.indexOf(beginning); at >= 0; at = text.indexOf(beginning, at + 1)) {
    let length = beginning.length
    while (length < part.length && text[at + length] === part[length]) length++
    if (text.startsWith(cutMark, at + length) || text.startsWith(`\ufffd${cutMark}`, at + length)) return true
  }
  return false
}

/** Replaces each text to erase by `erasedText`. */
export const eraseIn = <Value>(value: Value, isToGo: IsToGo): Value =>
  mapTexts(value, (text, field) => (isToGo(text, field) ? erasedText : text))

/** Whether a value has a text to erase. */
export function hasTextToErase(value: unknown, isToGo: IsToGo): boolean {
  let isFound = false
  mapTexts(value, (text, field) => {
    isFound ||= isToGo(text, field)
  })
  return isFound
}

/** The changes of an event as readers see them. */
export const shownChanges = <Value>(changes: Value): Value =>
  mapTexts(
    changes,
    (text) => text,
    () => erasedText,
  )
