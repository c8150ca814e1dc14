import { setImmediate as turn } from 'node:timers/promises'
import sql, { empty, raw, type Sql } from 'sql-template-tag'
import type { Ctx } from '../frame/ctx.ts'
import { countWithin } from '../frame/page.ts'
import { listOf } from '../frame/pieces.ts'

type Db = Pick<Ctx, 'db'>

/**
 * What one transaction takes at most, because other writers wait for it: rows with their texts, turns and checks together,
 * links of features, events, bytes of all of these. `looked` limits the rows that one statement checks.
 */
export const most = { rows: 20, parts: 60, links: 200, events: 200, bytes: 1_048_576, looked: 1_000 }

/** The first of these rows that fit into one transaction by their bytes; at least one. */
export const firstWithin = <Row extends { bytes: number }>(rows: Row[]): Row[] =>
  rows.slice(
    0,
    countWithin(rows, ({ bytes }) => Number(bytes), most.bytes),
  )

/** The bytes of documents; 0 if there are none. `ids` are columns. */
export const bytesOf = (ids: string) =>
  sql`coalesce((select sum(d.bytes) from documents d where d.id in (${raw(ids)})), 0)`

/** The bytes of the diffs of a turn, whose id is a column. */
const diffBytesOf = (turn: string) => sql`coalesce((
  select sum(octet_length(f.facts) + ${bytesOf('f.document_id, f.whole_document_id')})
  from turn_diffs f where f.turn_id = ${raw(turn)}), 0)`

/** The bytes of a turn with its texts. */
const turnBytesOf = (table: string) =>
  sql`octet_length(${raw(table)}.facts) + ${bytesOf(`${table}.prompt_id, ${table}.answer_id`)} + ${diffBytesOf(`${table}.id`)}`

/** The bytes of a row of each table with its own texts, of which the rest is short. */
export const rowBytes = {
  runs: bytesOf('runs.document_id'),
  turns: turnBytesOf('turns'),
  specs: bytesOf('specs.document_id'),
  checks: bytesOf('checks.document_id'),
  features: sql`0`,
}

export interface SlicedRun {
  id: number
  project_id: number
  bytes: number
}

/** The next rows of a table whose texts one statement can search: those after an id, up to another. */
export async function nextRows(
  { db }: Db,
  table: keyof typeof rowBytes,
  after: number,
  until: number,
): Promise<SlicedRun[]> {
  return firstWithin(
    await db.query<SlicedRun>(sql`select id, project_id, ${rowBytes[table]} as bytes from ${raw(table)}
      where id > ${after} and id <= ${until} order by id limit ${most.looked}`),
  )
}

/** Rows `t` that belong to rows of another table, and a condition on their texts. */
export interface Owned {
  table: 'turns' | 'spec_versions'
  /** The columns of an index: with the row that they belong to, and with their place among its rows. */
  owner: string
  place: string
  bytes: Sql
  where: Sql
}

/** The rows after an id, up to another, that own one with such a text. A statement searches a limited number of bytes. */
export async function ownersOf({ db }: Db, { table, owner, place, bytes, where }: Owned, after: number, until: number) {
  const found = new Set<number>()
  const key = sql`(${raw(owner)}, ${raw(place)})`
  let last = { owner: after, place: Number.MAX_SAFE_INTEGER }
  for (; ; await turn()) {
    const rows = firstWithin(
      await db.query<typeof last & { id: number; bytes: number }>(sql`
        select t.id, ${raw(owner)} as owner, ${raw(place)} as place, ${bytes} as bytes from ${raw(table)} t
        where ${key} > (${last.owner}, ${last.place}) and ${raw(owner)} <= ${until}
        order by ${raw(owner)}, ${raw(place)} limit ${most.looked}`),
    )
    const end = rows.at(-1)
    if (!end) return [...found]
    last = end
    const owners = await db.query<{ owner: number }>(sql`
      select ${raw(owner)} as owner from ${raw(table)} t where t.id in (${listOf(rows.map(({ id }) => id))}) and ${where}`)
    for (const { owner } of owners) found.add(owner)
  }
}

/** The turns and the checks of runs, as `p`. */
const parts = {
  turns: { key: 'p.n', name: 'p.n', bytes: turnBytesOf('p') },
  checks: { key: 'p.id', name: 'p.check_id', bytes: bytesOf('p.document_id') },
}

export type PartTable = keyof typeof parts

export interface RunPart {
  id: number
  run_id: number
  /** Its place in its run: the number of a turn, the id of a check. */
  key: number
  name: string | number
  bytes: number
}

/** The next turns or checks of runs that fit into one transaction, after a place. */
export async function nextParts({ db }: Db, table: PartTable, runs: number[], after?: RunPart) {
  const { key, name, bytes } = parts[table]
  const rows = await db.query<RunPart>(sql`
    select p.id, p.run_id, ${raw(key)} as key, ${raw(name)} as name, ${bytes} as bytes from ${raw(table)} p
    where p.run_id in (${listOf(runs)}) ${after === undefined ? empty : sql`and (p.run_id, ${raw(key)}) > (${after.run_id}, ${after.key})`}
    order by p.run_id, ${raw(key)} limit ${most.parts}`)
  const first = firstWithin(rows)
  return { parts: first, isLast: rows.length < most.parts && first.length === rows.length }
}

/** How much of what `most` limits a run has, counted no further than one more than the limit. */
interface Size {
  bytes: number
  parts: number
  links: number
  /** The events about it, its turns and its checks. */
  events: number
}

/** Counts the rows of a statement. */
const upTo = (limit: number, rows: Sql) =>
  sql`(select count(*) from (select 1 as one ${rows} limit ${limit + 1}) as counted)`

const bytesIn = (table: PartTable) => sql`coalesce((select sum(${parts[table].bytes}) from (
  select * from ${raw(table)} p where p.run_id = runs.id limit ${most.parts + 1}) as p), 0)`
const partsIn = (from: Sql) => upTo(most.parts, from)

/** Counts along the index of subjects, which does not know the project: an id that many projects use counts for all. */
const ofSubject = (subject: Sql) =>
  upTo(most.events, sql`from events e where e.subject = ${subject} and e.is_append in (0, 1)`)
const ofChecks = sql`coalesce((select sum(${ofSubject(sql`c.check_id`)}) from (
  select p.check_id from checks p where p.run_id = runs.id limit ${most.parts + 1}) as c), 0)`
const ofTurns = upTo(
  most.events,
  sql`from events e where e.subject >= runs.run_id || '/' and e.subject < runs.run_id || '0'`,
)

const size = {
  bytes: sql`${bytesOf('runs.document_id')} + ${bytesIn('turns')} + ${bytesIn('checks')}`,
  // Each later attempt changes, too.
  parts: sql`${partsIn(sql`from turns p where p.run_id = runs.id`)} + ${partsIn(sql`from checks p where p.run_id = runs.id`)}
    + ${partsIn(sql`from runs p where p.retry_of = runs.id`)}`,
  links: upTo(most.links, sql`from run_features l where l.run_id = runs.id`),
  events: sql`${ofSubject(sql`runs.run_id`)} + ${ofTurns} + ${ofChecks}`,
}

/** How many of these runs, from the first on, fit into one transaction, with their events if those change; 0 if not even the first does. */
export async function countFitting({ db }: Db, runs: readonly number[], withEvents: boolean): Promise<number> {
  const first = runs.slice(0, most.rows)
  const rows = await db.query<Size & { id: number }>(sql`
    select runs.id, ${size.bytes} as bytes, ${size.parts} as parts, ${size.links} as links,
      ${withEvents ? size.events : sql`0`} as events
    from runs where runs.id in (${listOf(first)})`)
  const sizes = new Map(rows.map((row) => [row.id, row]))
  const sum: Size = { bytes: 0, parts: 0, links: 0, events: 0 }
  const fields = Object.keys(sum) as (keyof Size)[]
  const end = first.findIndex((id) => {
    // A run that is gone has no size.
    for (const field of fields) sum[field] += Number(sizes.get(id)?.[field] ?? 0)
    return fields.some((field) => sum[field] > most[field])
  })
  return end < 0 ? first.length : end
}
