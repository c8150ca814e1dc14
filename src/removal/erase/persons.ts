import { isDeepStrictEqual } from 'node:util'
import sql from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf, piecesOf } from '../../frame/pieces.ts'
import { erasedText, type IsToGo } from '../../log/event.ts'
import { personsOf } from '../../nouns/run/check/verdict.ts'
import { erasedOther, erasedPerson, isPersonHash, mayBeOneOf, personHash } from '../../nouns/run/person.ts'
import type { RunRow } from '../../nouns/run/row.ts'

/** Whether to erase what a person is compared by, where the actor with that number acted for them. */
export type IsPersonToGo = (hash: string, actor: number) => boolean

export const everyPerson: IsPersonToGo = () => true

type Run = Pick<RunRow, 'id' | 'created_by' | 'creator_person' | 'author' | 'author_person'>

interface Writer {
  run_id: number
  actor_id: number
  person: string | null
}

interface Check {
  id: number
  run_id: number
  result_by: number
  result_person: string | null
}

/**
 * Erases the hashes of persons of runs and their checks, so that nobody can test a guess of a mail address. Every check stays
 * as independent as it was. Returns the runs that had such a hash. The caller has locked the runs.
 */
export async function erasePersons(
  { db }: Pick<Ctx, 'db'>,
  runs: readonly Run[],
  isToGo: IsToGo,
  isPersonToGo: IsPersonToGo,
): Promise<Set<number>> {
  const gone = new Set<number>()
  if (runs.length === 0) return gone
  const ids = listOf(runs.map(({ id }) => id))
  const allWriters = await db.query<Writer>(sql`
    select run_id, actor_id, person from run_writers where run_id in (${ids}) and person is not null`)
  const allChecks = await db.query<Check>(sql`
    select id, run_id, result_by, result_person from checks where run_id in (${ids}) and result_person is not null`)
  const [writersOf, checksOf] = [Map.groupBy(allWriters, byRun), Map.groupBy(allChecks, byRun)]
  for (const run of runs) {
    const writers = writersOf.get(run.id) ?? []
    const author = run.author !== null && isToGo(run.author, 'author') ? erasedText : run.author
    const left = (hash: string | null, actor: number) =>
      isPersonHash(hash) && isPersonToGo(hash, actor) ? erasedPerson : hash
    const before = { ...run, author_person: run.author_person ?? personHash(run.author) }
    const after = { author_person: personHash(author), creator_person: left(run.creator_person, run.created_by) }
    const written = writers.map((writer) => ({ ...writer, person: left(writer.person, writer.actor_id) }))
    const persons = { before: personsOf(before, writers), after: personsOf(after, written) }
    const checks = (checksOf.get(run.id) ?? []).map((check) => ({
      ...check,
      mark: markOf(check, persons, isPersonToGo),
    }))
    await markChecks(
      db,
      checks.filter(({ mark }) => mark !== undefined),
    )
    const [isSame, isMarked] = [isDeepStrictEqual(persons.before, persons.after), checks.some(({ mark }) => mark)]
    if (!isSame) await writePersons(db, run.id, after, written)
    if (!isSame || isMarked) gone.add(run.id)
  }
  return gone
}

const byRun = ({ run_id }: { run_id: number }) => run_id

type Persons = ReturnType<typeof personsOf>

/** What replaces the hash of the person who recorded a check; undefined if it stays. */
function markOf(
  { result_person: hash, result_by }: Check,
  persons: { before: Persons; after: Persons },
  isPersonToGo: IsPersonToGo,
): string | undefined {
  if (!isPersonHash(hash)) return undefined
  const isOwn = mayBeOneOf(hash, persons.before)
  if (!isPersonToGo(hash, result_by) && mayBeOneOf(hash, persons.after) === isOwn) return undefined
  return isOwn ? erasedPerson : erasedOther
}

async function markChecks(db: Tx, checks: readonly { id: number; mark: string | undefined }[]): Promise<void> {
  for (const [mark, some] of Map.groupBy(checks, ({ mark }) => mark)) {
    for (const piece of piecesOf(some)) {
      const ids = listOf(piece.map(({ id }) => id))
      await db.query(sql`update checks set result_person = ${mark} where id in (${ids})`)
    }
  }
}

async function writePersons(
  db: Tx,
  run: number,
  { author_person, creator_person }: Pick<Run, 'author_person' | 'creator_person'>,
  writers: readonly Writer[],
): Promise<void> {
  await db.query(sql`update runs set author_person = ${author_person}, creator_person = ${creator_person}
    where id = ${run}`)
  await db.query(sql`update attention set author_person = ${author_person} where run_id = ${run}`)
  for (const { actor_id, person } of writers.filter(({ person }) => person === erasedPerson)) {
    await db.query(sql`update run_writers set person = ${person} where run_id = ${run} and actor_id = ${actor_id}`)
  }
}
