import type { Dialect } from '../db.ts'

/**
 * Writes each event once, and appends into three indexes only. On PostgreSQL, an event waits in `pending_events` for
 * its number, then moves to `events`, whose rows and index entries are never rewritten.
 */
export function eventsOnce({ commitsInOrder, id, text }: Dialect): string[] {
  const indexes = [
    'create index events_of_project on events (project_id, is_append, seq)',
    // Every append has the type run.updated and is found by its project.
    'create index events_by_type on events (type, project_id, seq) where is_append = 0',
  ]
  if (commitsInOrder) return ['drop index events_of_project', 'drop index events_by_type', ...indexes]
  // Wide columns come first, so that rows need no padding. Numbers of projects and actors are small.
  const columns = `subject_id bigint not null, project_id integer, actor_id integer not null,
    is_append smallint not null default 0, imported smallint not null default 0, type ${text} not null,
    subject ${text} not null, at ${text} not null, changes ${text} not null`
  const moved = 'subject_id, project_id, actor_id, is_append, imported, type, subject, at, changes'
  return [
    'alter table events rename to events_before',
    `create table events (seq bigint not null, ${columns})`,
    `create table pending_events (id ${id}, ${columns})`,
    `insert into events (seq, ${moved}) select seq, ${moved} from events_before where seq is not null order by seq`,
    `insert into pending_events (${moved}) select ${moved} from events_before where seq is null order by id`,
    'drop table events_before',
    'alter table events add primary key (seq)',
    ...indexes,
    'create index events_by_subject on events (subject, is_append, seq)',
    'analyze events',
  ]
}
