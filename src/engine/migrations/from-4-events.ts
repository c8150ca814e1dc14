import sql, { raw } from 'sql-template-tag'
import type { Dialect, Tx } from '../db.ts'
import type { Progress, Step } from './migration.ts'

/** How many rows one statement changes. */
const batch = 5_000

/**
 * Events name their actor by number, and plain appends are marked. On PostgreSQL they move to a table that holds only
 * events with a number; the others wait for theirs in `pending_events`.
 */
export function moveEvents({ integer, commitsInOrder }: Dialect, tables: Readonly<Record<string, string[]>>): Step[] {
  const [events = '', ...indexes] = tables.events ?? []
  const prepared: Step[] = [
    `alter table events add column actor_id ${integer}`,
    `alter table events add column is_append ${integer} not null default 0`,
    `alter table events add column imported ${integer} not null default 0`,
    ...['events_of_project', 'events_by_type', 'events_by_subject'].map((index) => `drop index ${index}`),
    nameActors,
  ]
  if (commitsInOrder) return [...prepared, 'alter table events drop column actor', ...indexes]
  const moved = 'subject_id, project_id, actor_id, is_append, imported, type, subject, at, changes'
  return [
    ...prepared,
    'alter table events rename to events_before',
    'alter index events_pkey rename to events_before_pkey',
    events,
    ...(tables.pending_events ?? []),
    `insert into events (seq, ${moved}) select seq, ${moved} from events_before where seq is not null order by seq`,
    `insert into pending_events (${moved}) select ${moved} from events_before where seq is null order by id`,
    'drop table events_before',
    ...indexes,
    'analyze events',
  ]
}

async function nameActors(tx: Tx, progress: Progress) {
  const order = raw(tx.dialect.commitsInOrder ? 'seq' : 'id')
  const [end] = await tx.query<{ last: number | null }>(sql`select max(${order}) as last from events`)
  const last = end?.last ?? 0
  const known = new Map<string, number>()
  for (let from = 0; from < last; from += batch) {
    const part = sql`${order} > ${from} and ${order} <= ${from + batch}`
    for (const { actor } of await tx.query<{ actor: string }>(sql`select distinct actor from events where ${part}`)) {
      if (!known.has(actor)) known.set(actor, actorIdOf(JSON.parse(actor)))
      await tx.query(sql`update events set actor_id = ${known.get(actor)} where ${part} and actor = ${actor}`)
    }
    // The log has the digest of a whole content only where it was replaced.
    await tx.query(sql`update events set is_append = 1
      where ${part} and type = 'run.updated' and changes like '{"content":[{"bytes":%},{"bytes":%}]}'
        and changes not like '{"content":[{"bytes":%},{"bytes":%,"sha256":%}]}'`)
    progress(Math.min(from + batch, last), last)
  }
}

const actorIdOf = ({ kind, keyId }: { kind: string; keyId?: number }) => keyId ?? (kind === 'local' ? 0 : -1)
