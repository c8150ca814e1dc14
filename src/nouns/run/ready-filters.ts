import { invalid } from '../../contract/error.ts'
import { mailOf } from '../../contract/person.ts'
import { type Ctx, personIn } from '../../frame/ctx.ts'
import { requireFilled } from './backfill.ts'
import type { RunFilters } from './filters.ts'
import type { Filters } from './path.ts'
import { personHash } from './person.ts'
import { pathOfFilter } from './touched.ts'

type Given = Omit<RunFilters, 'createdAfter' | 'createdBefore'>

/**
 * The filters that a caller gives, as walks through runs take them. Throws VALIDATION_ERROR for `mine` without a person,
 * and for a file that is not a path; UNAVAILABLE while an index that they need is being built.
 */
export async function readyFilters(ctx: Ctx, { mine, author, file, ...others }: Given): Promise<Filters> {
  const isMail = author !== undefined && mailOf(author) === author.toLowerCase()
  const persons = [...new Set([...(mine ? [myself(ctx)] : []), ...(isMail ? [personHash(author) ?? ''] : [])])]
  const path = file === undefined ? undefined : pathOfFilter(file)
  if (persons.length > 0) await requireFilled(ctx.db, 'author_person')
  if (path !== undefined) await requireFilled(ctx.db, 'run_paths')
  return {
    ...others,
    ...(author !== undefined && !isMail && { author }),
    ...(persons.length > 0 && { persons }),
    ...(path !== undefined && { file: path }),
  }
}

/** What the runs of the caller's person are found by. */
function myself(ctx: Ctx): string {
  const person = personHash(personIn(ctx))
  if (person !== null) return person
  throw invalid(
    'mine',
    ctx.actor.kind === 'key'
      ? 'needs a key that is for a person, and this one is for nobody: an admin can say whose it is with conduct key update'
      : 'needs a person, and git names none here: set user.email with git config',
  )
}
