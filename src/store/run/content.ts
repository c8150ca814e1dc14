import sql from 'sql-template-tag'
import { ConductError } from '../../api/error.ts'
import { markerOf, pieces, slice, squeeze } from '../../ledger/content.ts'
import { titleOf } from '../../ledger/title.ts'
import { type Ctx, inTx, type Operation } from '../ctx.ts'
import { leaseAfter, openRun } from './lease.ts'
import { requireRun, runOf } from './row.ts'
import { saveRun } from './save.ts'

/** A part grows to this size with further appends, so that a content of many lines is not as many rows. */
const growBytes = 4096
/** The largest part that an append makes. */
const partBytes = 65_536
/** The most that one readContent answers. */
const readBytes = 262_144

interface Part {
  start: number
  text: string
  /** For the line that marks a gap: the bytes that are gone. */
  dropped: number
}

/**
 * CONFLICT when `offset` is not the content's size; LEASE_HELD, LEASE_LOST; FORBIDDEN for an agent key on another's run;
 * NOT_FOUND. Offsets count all bytes that were ever there, those that were dropped too.
 */
export const appendToRun: Operation<'appendToRun'> = (ctx, { runId, text, offset, leaseToken }) =>
  inTx(ctx, async (ctx) => {
    const opened = await openRun(ctx, runId, leaseToken)
    const { row, base, holds } = opened
    const size = await sizeOf(ctx, row.document_id)
    if (offset !== undefined && offset !== size) {
      throw new ConductError(
        'CONFLICT',
        `The content of run '${runId}' has ${size} bytes, not ${offset}: append what follows byte ${size}.`,
      )
    }
    const documentId = text === '' ? row.document_id : await append(ctx, row.document_id, size, text)
    const changes: [unknown, unknown] = [size === 0 ? null : { bytes: size }, { bytes: size + Buffer.byteLength(text) }]
    const content = text === '' ? undefined : { documentId, changes, isReplaced: false }
    const after = { ...base, title: base.title ?? titleOf(text) }
    const { columns: lease } = leaseAfter(ctx, opened, base, undefined, leaseToken)
    return { run: runOf(await saveRun(ctx, { row, base, after, lease, holds, content }), ctx.project.slug) }
  })

async function sizeOf(ctx: Ctx, documentId: number | null): Promise<number> {
  if (documentId === null) return 0
  const [row] = await ctx.db.query<{ bytes: number }>(sql`select bytes from documents where id = ${documentId}`)
  return row?.bytes ?? 0
}

/** Adds text to a document of that size, making it where there is none; answers its id. */
async function append(ctx: Ctx, documentId: number | null, size: number, text: string): Promise<number> {
  const id = documentId ?? (await insertEmpty(ctx))
  const added = Buffer.byteLength(text)
  const [last] = await ctx.db.query<{ start: number; length: number; dropped: number }>(sql`
    select start, octet_length(text) as length, dropped from document_parts
    where document_id = ${id} order by start desc limit 1`)
  if (last && last.dropped === 0 && last.length + added <= growBytes) {
    await ctx.db.query(sql`update document_parts set text = text || ${text}
      where document_id = ${id} and start = ${last.start}`)
  } else {
    await insertParts(ctx, id, size, text)
  }
  await ctx.db.query(sql`update documents set bytes = ${size + added}, sha256 = null where id = ${id}`)
  await dropMiddle(ctx, id, size + added)
  return id
}

async function insertEmpty(ctx: Ctx): Promise<number> {
  const [row] = await ctx.db.query<{ id: number }>(sql`
    insert into documents (project_id, bytes) values (${ctx.project.id}, 0) returning id`)
  return (row as { id: number }).id
}

async function insertParts(ctx: Ctx, documentId: number, start: number, text: string): Promise<void> {
  let at = start
  for (const piece of pieces(text, partBytes)) {
    await ctx.db.query(
      sql`insert into document_parts (document_id, start, text) values (${documentId}, ${at}, ${piece})`,
    )
    at += Buffer.byteLength(piece)
  }
}

/** Keeps a document within the limit: its head, a line that tells how much is gone, and the newest. */
async function dropMiddle(ctx: Ctx, documentId: number, size: number): Promise<void> {
  const [marker] = await ctx.db.query<Part>(sql`
    select start, text, dropped from document_parts where document_id = ${documentId} and dropped > 0`)
  if (size - (marker?.dropped ?? 0) <= ctx.contentLimit) return
  const parts = await ctx.db.query<Part>(sql`
    select start, text, dropped from document_parts where document_id = ${documentId} and dropped = 0 order by start`)
  const textOf = (some: Part[]) => some.map(({ text }) => text).join('')
  const isHead = ({ start }: Part) => marker !== undefined && start < marker.start
  const head = marker && textOf(parts.filter(isHead))
  const kept = squeeze(head, textOf(parts.filter((part) => !isHead(part))), ctx.contentLimit)
  const headSize = Buffer.byteLength(kept.head)
  const newestSize = Buffer.byteLength(kept.newest)
  const dropped = size - headSize - newestSize
  await ctx.db.query(sql`delete from document_parts where document_id = ${documentId}`)
  await insertParts(ctx, documentId, 0, kept.head)
  await ctx.db.query(sql`insert into document_parts (document_id, start, text, dropped)
    values (${documentId}, ${headSize}, ${markerOf(dropped)}, ${dropped})`)
  await insertParts(ctx, documentId, size - newestSize, kept.newest)
}

/** NOT_FOUND when the project has no such run. */
export const readContent: Operation<'readContent'> = async (ctx, { runId, after }) => {
  const { document_id } = await requireRun(ctx, runId)
  const parts = await ctx.db.query<Part>(sql`
    select start, text, dropped from document_parts
    where document_id = ${document_id} and start >= (
      select coalesce(max(p.start), 0) from document_parts p where p.document_id = ${document_id} and p.start <= ${after})
    order by start limit 64`)
  let at = after
  let room = readBytes
  let text = ''
  for (const part of parts) {
    const end = part.start + (part.dropped || Buffer.byteLength(part.text))
    if (end <= at) continue
    if (room <= 0) break
    const rest = part.dropped ? part.text : slice(part.text, at - part.start)
    const piece = part.dropped ? rest : slice(rest, 0, room)
    text += piece
    room -= Buffer.byteLength(piece)
    at = piece.length === rest.length ? end : at + Buffer.byteLength(piece)
  }
  const [gap] = await ctx.db.query(sql`
    select 1 as one from document_parts where document_id = ${document_id} and dropped > 0`)
  return { text, next: Math.min(at, await sizeOf(ctx, document_id)), truncated: gap !== undefined }
}
