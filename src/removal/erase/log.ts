import { setImmediate as turn } from 'node:timers/promises'
import sql, { join, raw, type Sql } from 'sql-template-tag'
import { cutMark } from '../../contract/lines.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { beginningOf, lineOf } from '../../log/event.ts'

/** How to find the events of an erasure. */
export interface ErasableEvents {
  /** Selects the `seq` of the first `limit` events after one, up to another, in their order. */
  next(after: number, until: number, limit: number): Sql
  /** How many events one such statement may read; missing if it finds them by their subjects. */
  reads?: number
}

/** How a column writes a text, such as in JSON. */
type Written = (text: string) => string
const asItIs: Written = (text) => text

/** Whether a column contains a text exactly, which `like` cannot decide on either engine. */
export const holds = (column: Sql, text: string, written = asItIs) =>
  sql`replace(${column}, ${written(text)}, '') <> ${column}`

/** Whether a column contains a text, or may contain what titles and sentences keep of it. */
export function mayHold(column: Sql, text: string, written = asItIs): Sql {
  const beginning = beginningOf(text)
  const isWhole = holds(column, text, written)
  if (beginning === undefined) return isWhole
  const hasBeginning = holds(column, beginning, written)
  return lineOf(text) === undefined
    ? sql`(${hasBeginning} and (${isWhole} or ${holds(column, cutMark)}))`
    : hasBeginning
}

/** Rows of one project; of all for null. Written so that no engine reads the whole project by an index for each slice of it. */
export const inProject = (table: string, id: number | null) =>
  id === null ? sql`1 = 1` : sql`${raw(table)}.project_id + 0 = ${id}`

/** Events `e` that meet a condition, found by reading the log. */
export const eventsWith = (condition: Sql): ErasableEvents => ({
  reads: 1_000,
  next: (after, until, limit) => sql`
    select e.seq from events e where e.seq > ${after} and e.seq <= ${until} and ${condition}
    order by e.seq limit ${limit}`,
})

/** Events `e` of the project that meet one of these conditions on their subjects. */
export function eventsOf({ db, project }: Ctx, subjects: Sql[]): ErasableEvents {
  const index = db.dialect.indexedBy('events_by_subject')
  const next: ErasableEvents['next'] = (after, until, limit) => {
    // One walk for each value of the second column of the index: together, they would have to be sorted first.
    const walks = subjects.flatMap((subject) =>
      [0, 1].map(
        (isAppend) => sql`select * from (select e.seq from events e ${index}
          where e.project_id = ${project.id} and ${subject} and e.is_append = ${isAppend}
            and e.seq > ${after} and e.seq <= ${until}
          order by e.seq limit ${limit}) as walk`,
      ),
    )
    return sql`select seq from (${join(walks, ' union all ')}) as walks order by seq limit ${limit}`
  }
  return { next }
}

export interface CheckOfRun {
  id: number
  subject: string
}

/** How many events of the log one statement reads. */
const readAtOnce = 1_000

/** The checks that a run has, or has ever had. */
export async function checksOf({ db, project }: Ctx, runId: string): Promise<CheckOfRun[]> {
  const found = await db.query<CheckOfRun>(sql`
    select c.id, c.check_id as subject from checks c join runs r on r.id = c.run_id
    where r.project_id = ${project.id} and r.run_id = ${runId}`)
  const created = sql`from events e ${db.dialect.indexedBy('events_by_type')}
    where e.type = 'check.created' and e.project_id = ${project.id} and e.is_append = 0`
  for (let last = 0; ; await turn()) {
    const [end] = await db.query<{ seq: number | null }>(sql`
      select max(seq) as seq from (select e.seq ${created} and e.seq > ${last} order by e.seq limit ${readAtOnce}) as slice`)
    if (!end?.seq) return found
    const ofRun = await db.query<CheckOfRun>(sql`
      select e.subject_id as id, e.subject ${created} and e.seq > ${last} and e.seq <= ${end.seq}
        and ${holds(sql`e.changes`, `"runId":[null,${JSON.stringify(runId)}]`)}`)
    found.push(...ofRun)
    last = end.seq
  }
}
