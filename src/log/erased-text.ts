import { hash } from 'node:crypto'
import { mapTexts } from './event-text.ts'

/** What readers see instead of an erased text. */
export const erasedText = '[erased]'

/** What replaces an erased name where two may not be the same. */
export const erasedName = (number: number | string) => `${erasedText} ${number}`

/** What replaces an erased name that must stay different from others, and the same where it stands again. */
export const erasedNameOf = (name: string) => erasedName(Number.parseInt(hash('sha256', name).slice(0, 11), 16))

export const isErasedName = (name: string) => /^\[erased\] \d+(-\d+)?$/.test(name)

/** The line that replaces an erased content. */
export const erasedLine = (bytes: number) => `[${bytes.toLocaleString('en')} bytes erased]\n`

/** Whether to erase a text. `field` is its field name; '' for the value of a label. */
export type IsToGo = (text: string, field: string) => boolean

/** Fields that group figures or identify rows. Erasing a whole run, spec or project keeps them. */
const names: ReadonlySet<string> = new Set([
  ...['agent', 'model', 'commit', 'base', 'name', 'rel', 'required'],
  // Of a pipeline.
  ...['id', 'job'],
])

/** Every text except names. */
export const everyText: IsToGo = (text, field) => text !== erasedText && !names.has(field)

/** Every text that contains `part`, case-sensitively. */
export const textsWith =
  (part: string): IsToGo =>
  (text) =>
    text !== erasedText && text.includes(part)

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
