import { hash } from 'node:crypto'
import { invalid } from '../../contract/error.ts'
import { mailOf } from '../../contract/person.ts'
import { askerIn, type Ctx, personIn } from '../../frame/ctx.ts'

/** What is stored to compare persons by; null if nothing identifies the person. */
export function personHash(person: string | null | undefined): string | null {
  const mail = mailOf(person)
  return mail === undefined ? null : hash('sha256', mail).slice(0, 32)
}

/** Whether the caller's key is for the person whose key created a run. A service is nobody. */
export const isOfCreator = (ctx: Ctx, { creator_person: person }: { creator_person: string | null }): boolean =>
  person !== null && person === personHash(personIn(ctx))

/** What the caller's person is compared by. Throws VALIDATION_ERROR, which names the field, if nobody knows who calls. */
export function requirePerson(ctx: Ctx, field: string): string {
  const key = personHash(askerIn(ctx))
  if (key !== null) return key
  throw invalid(
    field,
    ctx.actor.kind === 'key'
      ? 'needs a key that names a person, and this one names none: an admin can set it with conduct key update --person'
      : 'needs a person, and git names none here: set user.email with git config',
  )
}
