/**
 * Escape sequences by ECMA-48: control sequences; those that carry text up to BEL or ST, such as titles and links; the short
 * ones. None reaches over the beginning of another, so any text is read in time that grows with its length.
 */
const escapes =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with them.
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-~]/g

/** Control characters but tab and line break, and those that turn the direction of text. */
const hostile = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu

/** A text from elsewhere as a terminal may get it: it cannot move the cursor, colour, or pretend. */
export const clean = (text: string) => text.replace(escapes, '').replaceAll('\r\n', '\n').replace(hostile, '')

/** The same on one line. */
export const line = (text: string) => clean(text).replace(/\s+/g, ' ').trim()

/** A value as JSON that a terminal may get: what would steer it is escaped. */
export const jsonOf = (value: unknown, indent?: number) =>
  JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
