import type { Span } from './span.ts'

/** A Cookie or Set-Cookie header, or the option of curl that sends one. */
const header = /(?:\bcookie["']?\s?[:,]\s?|\s--cookie[ =]|\bcurl\b[^\n&|;]{0,200}?\s-b\s)["']?(?<pairs>[^\n]{1,4096})/gi

/** A cookie that its name or its value marks as one of a session. */
const cookie =
  /(?<=\b[\w.-]{0,40}(?:sess|sid|auth|token|jwt|login|remember|__host-|__secure-)[\w.-]{0,40}=)[^\s;"',…]{6,}|(?<==)(?=[^\s;"',\d]{0,99}\d)[^\s;"',]{16,}/gi

/** The values of session cookies. */
export function cookiesIn(text: string): Span[] {
  return [...text.matchAll(header)].flatMap((match) => {
    const pairs = match.groups?.pairs ?? ''
    const from = match.index + match[0].length - pairs.length
    return [...pairs.matchAll(cookie)].map(({ 0: whole, index }) => ({
      start: from + index,
      end: from + index + whole.length,
    }))
  })
}
