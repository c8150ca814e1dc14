/** A person in git's notation: `Ada Example <ada@example.com>`. */
export const personPattern = /^[^<>]+ <[^<>\s@]+@[^<>\s@]+>$/

/** The email address in a person, in lower case; undefined if there is none. */
export function mailOf(person: string | null | undefined): string | undefined {
  const [, mail = person ?? ''] = /<([^<>]*)>\s*$/.exec(person ?? '') ?? []
  return /^\S+@\S+$/.test(mail.trim()) ? mail.trim().toLowerCase() : undefined
}

/** A person without the mail address, if there is a name before it. */
export function nameOf(person: string): string {
  const [name = ''] = person.split('<', 1)
  return name.trim() || person
}
