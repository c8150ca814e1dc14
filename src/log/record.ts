import sql, { join, type Sql } from 'sql-template-tag'
import { only } from '../engine/db.ts'
import type { Ctx } from '../frame/ctx.ts'
import { piecesOf } from '../frame/pieces.ts'
import type { Changes } from './event.ts'
import type { EventType } from './fields.ts'

export interface NewEvent {
  type: EventType
  subject: string
  subjectId: number
  /** The row id of its project; null if it belongs to the whole server. */
  projectId: number | null
  changes: Changes
  /**
   * Whether it only appends to a run, with the type run.updated. Timelines count such events instead of showing each.
   */
  isAppend?: boolean
  /** Whether it happened at an earlier time that the caller gave. */
  isImported?: boolean
}

/** Appends a change to the log, in the transaction that makes it. */
export const record = (ctx: Ctx, change: NewEvent): Promise<void> => recordAll(ctx, [change])

/** Appends changes to the log, in their order. */
export async function recordAll(ctx: Ctx, changes: NewEvent[]): Promise<void> {
  const log = ctx.db.dialect.commitsInOrder ? sql`events` : sql`pending_events`
  for (const some of piecesOf(changes)) {
    await ctx.db.query(sql`insert into ${log} (project_id, type, subject, subject_id, actor_id, at, changes, is_append,
        imported)
      values ${join(some.map((change) => valuesOf(ctx, change)))}`)
  }
}

const valuesOf = (ctx: Ctx, { type, subject, subjectId, projectId, changes, ...is }: NewEvent): Sql =>
  sql`(${projectId}, ${type}, ${subject}, ${subjectId}, ${ctx.actor.id}, ${ctx.now}, ${packed(changes)},
    ${is.isAppend ? 1 : 0}, ${is.isImported ? 1 : 0})`

/** Records the event of an erasure in the caller's transaction. `facts` contains none of the texts. */
export async function recordErasure(ctx: Ctx, projectId: number | null, facts: Record<string, unknown>): Promise<void> {
  const rows = await ctx.db.query<{ id: number }>(sql`insert into erasures (project_id, created_by, created_at)
    values (${projectId}, ${ctx.actor.id}, ${ctx.now}) returning id`)
  const { id } = only(rows)
  const changes: Changes = {}
  for (const [field, value] of Object.entries(facts)) changes[field] = [null, value]
  await record(ctx, { type: 'erasure.created', subject: String(id), subjectId: id, projectId, changes })
}

/** The changes of an append and nothing else: a log of many lines has as many of these. */
type Appended = [before: number, added: number, sha256: string]

/**
 * The changes of an event as the log stores them. A plain append is stored as `[before, added, digest in base64url]`.
 */
export function packed(changes: Changes): string {
  return JSON.stringify(appendedIn(changes) ?? changes)
}

/** The JSON of stored changes. */
export function unpacked(stored: string): string {
  return stored.startsWith('[') ? JSON.stringify(changesIn(stored)) : stored
}

/** The changes of an event, as they were before they were stored. Throws a SyntaxError for what is no JSON. */
function changesIn(stored: string): Changes {
  const parsed = JSON.parse(stored)
  return Array.isArray(parsed) ? changesOf(parsed as Appended) : parsed
}

function changesOf([before, added, digest]: Appended): Changes {
  const appended = Buffer.from(digest, 'base64url').toString('hex')
  return { content: [before === 0 ? null : { bytes: before }, { bytes: before + added, appended }] }
}

function appendedIn({ content, ...others }: Changes): Appended | undefined {
  if (!content || Object.keys(others).length > 0) return undefined
  const [before, after] = content as [Size | null, Size | null]
  if (!isSize(after, ['bytes', 'appended']) || !/^[0-9a-f]{64}$/.test(after.appended ?? '')) return undefined
  if (before !== null && !(isSize(before, ['bytes']) && before.bytes > 0)) return undefined
  const from = before?.bytes ?? 0
  return [from, after.bytes - from, Buffer.from(after.appended as string, 'hex').toString('base64url')]
}

interface Size {
  bytes: number
  appended?: string
}

/** Whether these are all of its fields. */
const isSize = (size: Size | null, fields: string[]): size is Size =>
  size !== null && Object.keys(size).join() === fields.join()
