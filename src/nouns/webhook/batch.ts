import type { Actor } from '../../contract/actor.ts'
import type { Tx } from '../../engine/db.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { rejudged } from '../../log/fields.ts'
import { selected } from '../../log/list.ts'
import { type EventJson, readPageOfLines } from '../../log/read.ts'
import { readTypes } from './message.ts'
import type { WebhookRow } from './row.ts'
import type { Range } from './rules.ts'

const size = { limit: 100, bytes: 256 * 1024 }

/** The events that a webhook sends next. */
export interface Batch {
  range: Range
  /** In order. */
  events: EventJson[]
}

/** The next events after the webhook's position that it may send; undefined if there are none up to its `last_seq`. */
export async function readBatch(db: Tx, row: WebhookRow, now: string): Promise<Batch | undefined> {
  const types = readTypes(row)
  const seen = await selected(readerOf(db, row, now), {
    without: rejudged,
    isWithoutAppends: row.format !== 'events',
    ...(types.length > 0 && { type: types }),
  })
  const parts = await seen.parts()
  if (parts.length === 0) return undefined
  // After a failure, the same events are sent again, so that the message keeps its id.
  const before = (row.batch_end ?? row.last_seq) + 1
  const { lines: events } = await readPageOfLines(db, { after: row.after_seq, before }, size, parts)
  const [first, last] = [events[0]?.event, events.at(-1)?.event]
  return first && last && { range: { firstSeq: first.seq, lastSeq: last.seq, lastId: last.id }, events }
}

/** A webhook of a project reads the log like an admin key of that project. */
function readerOf(db: Tx, { project_id: projectId, slug }: WebhookRow, now: string): Ctx {
  const actor: Actor = {
    kind: 'key',
    id: 0,
    keyId: 0,
    name: 'webhook',
    permissions: ['admin'],
    projectId,
    endsAt: null,
  }
  const project = { id: projectId ?? 0, slug: slug ?? '' }
  return { db, now, actor, project, named: false, contentLimit: 0 }
}
