import { isSource } from '../root.ts'

/**
 * Escape sequences of ECMA-48: control sequences; strings that end with BEL or ST, such as titles and links; and the
 * short ones. No match extends past the start of another, so the time is linear in the length of the text.
 */
const escapes =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with them.
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-~]/g

/** Control characters except tab and line break, and characters that change the direction of text. */
const hostile = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu

/** Makes foreign text safe for a terminal: it cannot move the cursor, set colours, or pass for something else. */
export const clean = (text: string) => text.replace(escapes, '').replaceAll('\r\n', '\n').replace(hostile, '')

/** The same, on one line. */
export const line = (text: string) => clean(text).replace(/\s+/g, ' ').trim()

/** A value as JSON that is safe for a terminal: control characters are escaped. */
export const jsonOf = (value: unknown, indent?: number) =>
  JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/**
 * How users call this program: `conduct`, or through npm in a checkout, where there is no such command. Without
 * `--silent`, npm prints a heading into the output.
 */
export const called = isSource ? 'npm run --silent conduct --' : 'conduct'

/** Joins words into a shell command, with quotes where needed. */
export function commandLine(words: string[]): string {
  const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
  return words.map(quoted).join(' ')
}
