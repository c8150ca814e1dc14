import sql, { join, type Sql } from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf } from '../../frame/pieces.ts'
import { type Changes, erasedText, type IsToGo } from '../../log/event.ts'
import { unpacked } from '../../log/record.ts'
import { eraseFromEvents } from '../../log/seal/seal.ts'
import { showKey } from '../../nouns/key/key.ts'
import { columns, type RunRow } from '../../nouns/run/row.ts'
import { type ErasableEvents, eventsWith, holds, inProject } from './log.ts'
import { eraseSentences } from './others.ts'
import { erasePersons } from './persons.ts'

/** A key whose texts are to be erased. */
export interface ErasedKey {
  id: number
  projectId: number | null
  /** The actor with its name; undefined for a key that acts as the local user. */
  actor: number | undefined
  /** The names that it has, and those that the log still has of it. */
  names: string[]
}

/** Throws NOT_FOUND for a key that does not exist, or that the caller may not see. */
export async function findErasedKey(ctx: Ctx, id: number): Promise<ErasedKey> {
  await showKey(ctx, id)
  const [key] = await ctx.db.query<{ name: string; project_id: number | null; actor: number | null }>(sql`
    select name, project_id, (select a.id from actors a where a.key_id = keys.id) as actor from keys where id = ${id}`)
  const pastNames = (await eventsOfKey(ctx.db, id)).flatMap(({ changes }) => changes.name ?? [])
  const names = [key?.name, ...pastNames].filter(
    (name): name is string => typeof name === 'string' && name !== erasedText,
  )
  return {
    id,
    projectId: key?.project_id ?? null,
    actor: key?.actor ?? undefined,
    names: [...new Set(names)],
  }
}

async function eventsOfKey(db: Tx, id: number): Promise<{ seq: number; changes: Changes }[]> {
  const rows = await db.query<{ seq: number; changes: string }>(sql`
    select e.seq, e.changes from events e
    where e.subject = ${String(id)} and e.subject_id = ${id} and e.type like 'key.%' order by e.seq`)
  return rows.map(({ seq, changes }) => ({ seq, changes: JSON.parse(unpacked(changes)) }))
}

/** Selects the sentences of verdicts that name the key. A short name may also be a part of other words. */
export function sentencesNaming({ names }: ErasedKey): IsToGo {
  const patterns = names.map((name) => {
    const escaped = name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'u')
  })
  return (text, field) => field === 'why' && patterns.some((pattern) => pattern.test(text))
}

/** The events of runs whose verdicts name the key. */
export function eventsNaming({ projectId, names }: ErasedKey): ErasableEvents {
  const named = names.map((name) => holds(sql`e.changes`, JSON.stringify(name).slice(1, -1)))
  const isNamed = named.length === 0 ? sql`1 = 0` : join(named, ' or ')
  return eventsWith(sql`${inProject('e', projectId)} and e.type like 'run.%' and (${isNamed})`)
}

/** The runs that the key created, wrote or checked. */
export const runsOfKey = ({ actor }: ErasedKey): Sql | undefined =>
  actor === undefined
    ? undefined
    : sql`(runs.created_by = ${actor}
        or exists (select 1 from run_writers w where w.run_id = runs.id and w.actor_id = ${actor})
        or exists (select 1 from checks c where c.run_id = runs.id and c.result_by = ${actor}))`

/** Erases from runs what the key's person is compared by, and sentences that name the key. Returns how many had any. */
export async function eraseKeyFromRuns(ctx: Ctx, ids: readonly number[], key: ErasedKey): Promise<number> {
  if (ids.length === 0) return 0
  const rows = await ctx.db.query<RunRow>(sql`
    select ${columns} from runs where runs.id in (${listOf(ids)}) order by runs.id ${ctx.db.dialect.forUpdate}`)
  const persons = await erasePersons(
    ctx,
    rows,
    () => false,
    (_, actor) => actor === key.actor,
  )
  const sentences = await eraseSentences(ctx, sql`id in (${listOf(ids)})`, sentencesNaming(key))
  return persons.union(sentences).size
}

/** Erases the name, person and machine of the key, and the name that its actor shows. Returns how many texts it had. */
export async function eraseKeyRow({ db }: Ctx, { id }: ErasedKey): Promise<number> {
  const [row] = await db.query<{ name: string; person: string | null; machine: string | null }>(sql`
    select name, person, machine from keys where id = ${id} ${db.dialect.forUpdate}`)
  const gone = Object.values(row ?? {}).filter((text) => text !== null && text !== erasedText)
  if (gone.length === 0) return 0
  const erased = (text: string | null | undefined) => (text === null ? null : erasedText)
  await db.query(sql`update keys set name = ${erasedText}, person = ${erased(row?.person)},
    machine = ${erased(row?.machine)} where id = ${id}`)
  await db.query(sql`update actors set name = ${erasedText} where key_id = ${id}`)
  return gone.length
}

/** Erases the texts of the key's own events, which say how it was named. To be called last. Returns how many had any. */
export async function eraseKeyEvents({ db }: Ctx, { id }: ErasedKey): Promise<number> {
  const seqs = (await eventsOfKey(db, id)).map(({ seq }) => seq)
  return eraseFromEvents(db, seqs, (text, field) => keyTexts.includes(field) && text !== erasedText)
}

const keyTexts = ['name', 'person', 'machine']
