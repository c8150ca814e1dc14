import { hash } from 'node:crypto'

/** A person in git's notation: `Ada Example <ada@example.com>`. */
export const personPattern = /^[^<>]+ <[^<>\s@]+@[^<>\s@]+>$/

/** The mail address in a person, in lower case; undefined if there is none. */
export function mailOf(person: string | null | undefined): string | undefined {
  const [, mail = person ?? ''] = /<([^<>]*)>\s*$/.exec(person ?? '') ?? []
  return /^\S+@\S+$/.test(mail.trim()) ? mail.trim().toLowerCase() : undefined
}

/** What is stored to compare persons by; null if nothing identifies the person. */
export function personHash(person: string | null | undefined): string | null {
  const mail = mailOf(person)
  return mail === undefined ? null : hash('sha256', mail).slice(0, 32)
}
