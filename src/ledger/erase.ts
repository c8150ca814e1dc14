import { mapTexts } from './event-text.ts'

/** What readers see in the place of a text that was erased. */
export const erasedText = '[erased]'

/** The line that stands in the place of a content that was erased. */
export const erasedLine = (bytes: number) => `[${bytes.toLocaleString('en')} bytes erased]\n`

/** Whether a text is to be erased. `field` is the name under which it stands; '' for the value of a label. */
export type IsToGo = (text: string, field: string) => boolean

/** Fields by which figures are grouped and rows are told apart. They stay when a whole run, spec or project is erased. */
const names: ReadonlySet<string> = new Set(['agent', 'model', 'commit', 'base', 'name', 'rel'])

/** Every text but names. */
export const everyText: IsToGo = (text, field) => text !== erasedText && !names.has(field)

/** Every text in which `part` stands, letter by letter. */
export const textsWith =
  (part: string): IsToGo =>
  (text) =>
    text !== erasedText && text.includes(part)

/** A value with `erasedText` in the place of each text that is to go. */
export const eraseIn = <Value>(value: Value, isToGo: IsToGo): Value =>
  mapTexts(value, (text, field) => (isToGo(text, field) ? erasedText : text))

/** The changes of an event as readers see them. */
export const shownChanges = <Value>(changes: Value): Value =>
  mapTexts(
    changes,
    (text) => text,
    () => erasedText,
  )
