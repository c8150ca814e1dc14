import { mailOf } from '../../contract/person.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { requireFilled } from './backfill.ts'
import type { RunFilters } from './filters.ts'
import type { Filters } from './path.ts'
import { personHash, requirePerson } from './person.ts'
import { pathOfFilter } from './touched.ts'

type Given = Omit<RunFilters, 'createdAfter' | 'createdBefore'>

/**
 * The filters that a caller gives, as walks through runs take them. Throws VALIDATION_ERROR for `mine` without a person,
 * and for a file that is not a path; UNAVAILABLE while an index that they need is being built.
 */
export async function readyFilters(ctx: Ctx, { mine, author, file, ...others }: Given): Promise<Filters> {
  const isMail = author !== undefined && mailOf(author) === author.toLowerCase()
  const persons = [
    ...new Set([...(mine ? [requirePerson(ctx, 'mine')] : []), ...(isMail ? [personHash(author) ?? ''] : [])]),
  ]
  const path = file === undefined ? undefined : pathOfFilter(file)
  if (persons.length > 0) await requireFilled(ctx.db, 'author_person')
  if (path !== undefined) await requireFilled(ctx.db, 'run_paths')
  if (others.model !== undefined) await requireFilled(ctx.db, 'run_models')
  return {
    ...others,
    ...(author !== undefined && !isMail && { author }),
    ...(persons.length > 0 && { persons }),
    ...(path !== undefined && { file: path }),
  }
}
