/**
 * Escape sequences of ECMA-48: control sequences; strings that end with BEL or ST, such as titles and links; and the
 * short ones. No match extends past the start of another, so the time is linear in the length of the text.
 */
const escapes =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with them.
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-~]/g

/** Control characters except tab and line break, and characters that change the direction of text or that nobody sees: tags. */
const hostile = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu

/** Makes foreign text safe to show to people at a terminal and to agents: it moves no cursor, sets no colours, and hides nothing. */
export const clean = (text: string) => text.replace(escapes, '').replaceAll('\r\n', '\n').replace(hostile, '')

/** The same, on one line. */
export const line = (text: string) => clean(text).replace(/\s+/g, ' ').trim()

/** A value as JSON that is as safe: what `clean` removes is escaped. */
export const jsonOf = (value: unknown, indent?: number) =>
  JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\udb40[\udc00-\udc7f]/g,
    (hidden) =>
      hidden
        .split('')
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join(''),
  )
