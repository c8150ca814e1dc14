import { hash } from 'node:crypto'
import sql from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { boundary } from '../../contract/text.ts'
import { type Ctx, inTx, type Operation } from '../../frame/ctx.ts'
import { insertGap, insertParts, readBytes, readParts } from '../../frame/document.ts'
import { cutOf, type Gap, joined, markerOf, missingAt, readMarker, type StoredPiece } from '../../text/content.ts'
import { titleOf } from '../../text/title.ts'
import { requireRun, shownRun } from './row.ts'
import { saveRun } from './save.ts'
import { leaseAfter, openRun } from './take-lease.ts'
import type { RunWorkRoutes } from './work-routes.ts'

/**
 * Appends fill a part up to this many bytes, so that a content of many lines is not as many rows. Each append rewrites
 * the part. Small parts leave little dead data on PostgreSQL, and fill the pages of SQLite.
 */
const growBytes = 1_000
/** The most bytes that one readContent returns. */
const readLimit = 262_144

/**
 * Appends a text, after a line about the gap before it, if there is one. With `offset` this takes effect once: a text
 * that is already at its offset is not appended again.
 * Throws CONFLICT if `offset` is not the size of the content and other text is there; LEASE_HELD; LEASE_LOST; FORBIDDEN
 * for an agent key on another's run; NOT_FOUND. Offsets count all bytes ever written, including dropped ones.
 */
export const appendToRun: Operation<RunWorkRoutes['appendToRun']> = (
  ctx,
  { runId, text, dropped, offset, leaseToken },
) =>
  inTx(ctx, async (ctx) => {
    const opened = await openRun(ctx, runId, leaseToken)
    const { row, base } = opened
    const end = await endOf(ctx, row.document_id)
    const line = dropped ? markerOf(dropped) : ''
    const isThere =
      offset !== undefined && offset < end.size && (await standsAt(ctx, row.document_id, offset, line, text))
    if (offset !== undefined && offset !== end.size && !isThere) throw notTheEnd(runId, offset, end.size)
    const isNew = !isThere && line + text !== ''
    const { columns: lease } = leaseAfter(ctx, opened, base, undefined, leaseToken)
    const after = isNew ? { ...base, title: base.title ?? titleOf(text) } : base
    const content = isNew ? await appendAt(ctx, row.document_id, end, text, line) : undefined
    const run = await shownRun(ctx, await saveRun(ctx, { ...opened, after, lease, content }))
    return { run, next: (isThere ? offset : end.size) + Buffer.byteLength(line + text) }
  })

const notTheEnd = (runId: string, offset: number, size: number) =>
  new ConductError(
    'CONFLICT',
    `The content of run '${runId}' has ${size} bytes, and this text is not at byte ${offset}: append what follows byte ${size}.`,
  )

/** Whether a document contains exactly this text at byte `offset`, after the line of a gap. */
async function standsAt(ctx: Ctx, documentId: number | null, offset: number, line: string, text: string) {
  if (documentId === null) return false
  // Such a line is no text.
  const expected = Buffer.from('\n'.repeat(line.length) + text)
  return expected.equals(await readBytes(ctx.db, documentId, offset, offset + expected.length))
}

/** The end of a document. */
interface End {
  size: number
  /** The start of its last part. */
  start: number | null
  length: number
  isGap: number
  /** The positions without text. */
  gone: number
}

async function endOf(ctx: Ctx, documentId: number | null): Promise<End> {
  const none = { size: 0, start: null, length: 0, isGap: 0, gone: 0 }
  if (documentId === null) return none
  const [end] = await ctx.db.query<End>(sql`
    select d.bytes as size, p.start, octet_length(p.text) as length, case when p.dropped > 0 then 1 else 0 end as "isGap",
      coalesce((select sum(g.dropped) from document_parts g where g.document_id = d.id and g.dropped > 0), 0) as gone
    from documents d left join document_parts p on p.document_id = d.id
      and p.start = (select max(m.start) from document_parts m where m.document_id = d.id)
    where d.id = ${documentId}`)
  return end ?? none
}

/** Appends a chapter after a blank line. Returns the id of the document and what the log records. */
export async function appendChapter(ctx: Ctx, documentId: number | null, text: string) {
  const end = await endOf(ctx, documentId)
  const from = Math.max(0, end.size - 2)
  const last = documentId === null ? '' : String(await readBytes(ctx.db, documentId, from, end.size))
  const gap = last === '' || last === '\n\n' ? '' : last.endsWith('\n') ? '\n' : '\n\n'
  return appendAt(ctx, documentId, end, `${gap}${text}`)
}

/**
 * Appends text to a document, after the line of a gap if there is one, creating the document if needed. Returns its id
 * and what the log records.
 */
async function appendAt(ctx: Ctx, documentId: number | null, end: End, text: string, line = '') {
  const id = documentId ?? (await insertEmpty(ctx))
  const added = Buffer.byteLength(text)
  const size = end.size + line.length + added
  const grows = line === '' && end.start !== null && !end.isGap && end.length + added <= growBytes
  await Promise.all([
    grows
      ? ctx.db.query(sql`update document_parts set text = text || ${text}
          where document_id = ${id} and start = ${end.start}`)
      : text !== '' && insertParts(ctx, id, end.size + line.length, text),
    line !== '' && insertGap(ctx, id, end.size, line.length, line),
    ctx.db.query(sql`update documents set bytes = ${size}, sha256 = null where id = ${id}`),
  ])
  if (size - end.gone > ctx.contentLimit) await dropMiddle(ctx, id, size)
  const before = end.size === 0 ? null : { bytes: end.size }
  const changes: [unknown, unknown] = [before, { bytes: size, appended: hash('sha256', line + text) }]
  return { documentId: id, changes, isReplaced: false }
}

async function insertEmpty(ctx: Ctx): Promise<number> {
  const [row] = await ctx.db.query<{ id: number }>(sql`
    insert into documents (project_id, bytes) values (${ctx.project.id}, 0) returning id`)
  return (row as { id: number }).id
}

/** Cuts a document to the limit: its head, a line that says how much is missing, and the newest text. */
async function dropMiddle(ctx: Ctx, documentId: number, size: number): Promise<void> {
  const parts = await readParts(ctx.db, documentId, 0, size)
  const { from, to, gap } = cutOf(parts, size, ctx.contentLimit)
  await ctx.db.query(sql`delete from document_parts where document_id = ${documentId}`)
  await insertRange(ctx, documentId, parts, 0, from)
  await insertGap(ctx, documentId, from, to - from, markerOf(gap))
  await insertRange(ctx, documentId, parts, to, size)
}

/** Stores the positions of parts from `from` on, before `to`, in as few parts as possible. */
async function insertRange(
  ctx: Ctx,
  documentId: number,
  parts: StoredPiece[],
  from: number,
  to: number,
): Promise<void> {
  let start = from
  let texts: string[] = []
  const flush = async (next: number) => {
    const text = texts.join('')
    if (text !== '') await insertParts(ctx, documentId, start, text)
    texts = []
    start = next
  }
  for (const part of parts) {
    const bytes = Buffer.from(part.text)
    const end = part.start + (part.dropped || bytes.length)
    if (end <= from || part.start >= to) continue
    if (part.dropped === 0) texts.push(bytes.toString('utf8', Math.max(0, from - part.start), to - part.start))
    else {
      await flush(end)
      await insertGap(ctx, documentId, part.start, part.dropped, part.text)
    }
  }
  await flush(to)
}

/** Throws NOT_FOUND if the project has no such run. */
export const readContent: Operation<RunWorkRoutes['readContent']> = async (ctx, { runId, after }) => {
  const { document_id } = await requireRun(ctx, runId)
  const parts = await readParts(ctx.db, document_id, after, after + readLimit)
  const { size, gone } = await endOf(ctx, document_id)
  const { text, next, gaps } = textFrom(parts, after)
  const dropped = gone > 0 ? await missingIn(ctx, document_id) : null
  return { text, next: Math.min(next, size), truncated: gone > 0, dropped, gaps }
}

/** All that is missing from a document. */
async function missingIn(ctx: Ctx, documentId: number | null): Promise<Gap> {
  const parts = await ctx.db.query<StoredPiece>(sql`
    select start, text, dropped from document_parts where document_id = ${documentId} and dropped > 0`)
  return parts.map(missingAt).reduce(joined)
}

/** A gap in a piece: where it begins in the content, and the bytes of the piece with the line about it. */
interface ShownGap extends Gap {
  start: number
  at: number
  length: number
}

/** The text from byte `after` on, at most `readLimit` bytes of whole characters, its gaps, and where it ends. */
function textFrom(parts: StoredPiece[], after: number): { text: string; next: number; gaps: ShownGap[] } {
  let next = after
  let room = readLimit
  const found: string[] = []
  const gaps: ShownGap[] = []
  for (const { start, text, dropped } of parts) {
    const bytes = Buffer.from(text)
    const end = start + (dropped || bytes.length)
    if (end <= next) continue
    if (room <= 0) break
    if (dropped > 0) {
      const gap = readMarker(text)
      if (gap) gaps.push({ start, at: readLimit - room, length: bytes.length, ...gap })
      found.push(text)
      room -= bytes.length
      next = end
      continue
    }
    const from = boundary(bytes, next - start, 1)
    const to = boundary(bytes, from + room, -1)
    found.push(bytes.toString('utf8', from, to))
    room -= to - from
    next = start + to
    // The next read starts with the rest of this part, even if another character would have fitted.
    if (to < bytes.length) break
  }
  return { text: found.join(''), next, gaps }
}
