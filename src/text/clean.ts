/**
 * Escape sequences of ECMA-48: control sequences; strings that end with BEL or ST, such as titles and links; and the
 * short ones. No match extends past the start of another, so the time is linear in the length of the text.
 */
const escapes =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with them.
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-~]/g

/**
 * Control characters except tab and line break, characters that change the direction of text, and those that nobody sees,
 * except the joiners of emoji and Persian.
 */
const hostile = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\u200b\u2028\u2029\u2060-\u2064\ufeff\u{e0000}-\u{e007f}]/gu

/** Makes foreign text safe to show to people at a terminal and to agents: it moves no cursor, sets no colours, and hides nothing. */
export const clean = (text: string) => text.replace(escapes, '').replaceAll('\r\n', '\n').replace(hostile, '')

/** The same, on one line. */
export const line = (text: string) => clean(text).replace(/\s+/g, ' ').trim()

/** A value as JSON that is as safe: what `clean` removes is escaped. */
export const jsonOf = (value: unknown, indent?: number) =>
  JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\udb40[\udc00-\udc7f]/g,
    (hidden) =>
      hidden
        .split('')
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join(''),
  )
