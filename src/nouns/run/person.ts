import { hash } from 'node:crypto'
import { invalid } from '../../contract/error.ts'
import { mailOf } from '../../contract/person.ts'
import { askerIn, type Ctx, personIn } from '../../frame/ctx.ts'
import { erasedText } from '../../log/event.ts'

/**
 * Stand for persons who were erased, so that nobody can test a guess against a hash. The first may be anybody, so a check
 * of theirs is not independent; it also stands for the persons of a key that has named several. The second is somebody
 * who was known to be none of the others of their run.
 */
export const erasedPerson = erasedText
export const erasedOther = `${erasedText} other`

/** What is stored to compare persons by; null if nothing identifies the person. */
export function personHash(person: string | null | undefined): string | null {
  if (person === erasedText) return erasedPerson
  const mail = mailOf(person)
  return mail === undefined ? null : hash('sha256', mail).slice(0, 32)
}

/** Whether a stored value is the hash of an email address. */
export const isPersonHash = (person: string | null): person is string =>
  person !== null && person !== erasedPerson && person !== erasedOther

/** Whether somebody may be one of these persons. A service is nobody. */
export function mayBeOneOf(person: string | null, persons: readonly (string | null)[]): boolean {
  if (person === null || person === erasedOther) return false
  return persons.some((one) => one !== null && (one === person || one === erasedPerson || person === erasedPerson))
}

/** Whether the caller's key is for the person whose key created a run. A service is nobody. */
export const isOfCreator = (ctx: Ctx, { creator_person: person }: { creator_person: string | null }): boolean =>
  isPersonHash(person) && person === personHash(personIn(ctx))

/** What the caller's person is compared by. Throws VALIDATION_ERROR, which names the field, if nobody knows who calls. */
export function requirePerson(ctx: Ctx, field: string): string {
  const key = personHash(askerIn(ctx))
  if (isPersonHash(key)) return key
  throw invalid(
    field,
    ctx.actor.kind === 'key'
      ? 'needs a key that names a person, and this one names none: an admin can set it with conduct key update --person'
      : 'needs a person, and git names none here: set user.email with git config',
  )
}
