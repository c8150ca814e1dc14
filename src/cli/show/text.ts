import { stripVTControlCharacters } from 'node:util'

/** Control characters but tab and line break, and those that turn the direction of text. */
const hostile = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu

/** A text from elsewhere as a terminal may get it: it cannot move the cursor, colour, or pretend. */
export const clean = (text: string) => stripVTControlCharacters(text).replaceAll('\r\n', '\n').replace(hostile, '')

/** The same on one line. */
export const line = (text: string) => clean(text).replace(/\s+/g, ' ').trim()

/** A value as JSON that a terminal may get: what would steer it is escaped. */
export const jsonOf = (value: unknown, indent?: number) =>
  JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
