import { hash } from 'node:crypto'
import sql from 'sql-template-tag'
import { ConductError } from '../../api/error.ts'
import { boundary, markerOf, squeeze } from '../../ledger/content.ts'
import { titleOf } from '../../ledger/title.ts'
import { type Ctx, inTx, type Operation } from '../ctx.ts'
import { insertParts, type Part, readBytes, readParts } from '../document.ts'
import { leaseAfter, openRun } from './lease.ts'
import { requireRun, shownRun } from './row.ts'
import { saveRun } from './save.ts'

/**
 * Appends fill a part up to this many bytes, so that a content of many lines is not as many rows. Each append rewrites
 * the part. Small parts leave little dead data on PostgreSQL, and fill the pages of SQLite.
 */
const growBytes = 1_000
/** The most bytes that one readContent returns. */
const readLimit = 262_144

/**
 * Appends a text. With `offset` this takes effect once: a text that is already at its offset is not appended again.
 * Throws CONFLICT if `offset` is not the size of the content and other text is there; LEASE_HELD; LEASE_LOST; FORBIDDEN
 * for an agent key on another's run; NOT_FOUND. Offsets count all bytes ever written, including dropped ones.
 */
export const appendToRun: Operation<'appendToRun'> = (ctx, { runId, text, offset, leaseToken }) =>
  inTx(ctx, async (ctx) => {
    const opened = await openRun(ctx, runId, leaseToken)
    const { row, base, holds } = opened
    const end = await endOf(ctx, row.document_id)
    const isThere = offset !== undefined && offset < end.size && (await standsAt(ctx, row.document_id, offset, text))
    if (offset !== undefined && offset !== end.size && !isThere) throw notTheEnd(runId, offset, end.size)
    const added = isThere ? '' : text
    const { columns: lease } = leaseAfter(ctx, opened, base, undefined, leaseToken)
    const after = added === '' ? base : { ...base, title: base.title ?? titleOf(added) }
    const content = added === '' ? undefined : await appendAt(ctx, row.document_id, end, added)
    return { run: await shownRun(ctx, await saveRun(ctx, { row, base, after, lease, holds, content })) }
  })

const notTheEnd = (runId: string, offset: number, size: number) =>
  new ConductError(
    'CONFLICT',
    `The content of run '${runId}' has ${size} bytes, and this text is not at byte ${offset}: append what follows byte ${size}.`,
  )

/** Whether a document contains exactly this text at byte `offset`. */
async function standsAt(ctx: Ctx, documentId: number | null, offset: number, text: string): Promise<boolean> {
  if (documentId === null) return false
  const expected = Buffer.from(text)
  return expected.equals(await readBytes(ctx.db, documentId, offset, offset + expected.length))
}

/** The end of a document. */
interface End {
  size: number
  /** The start of its last part. */
  start: number | null
  length: number
  isGap: number
  /** The bytes dropped from its middle. */
  gone: number
}

async function endOf(ctx: Ctx, documentId: number | null): Promise<End> {
  const none = { size: 0, start: null, length: 0, isGap: 0, gone: 0 }
  if (documentId === null) return none
  const [end] = await ctx.db.query<End>(sql`
    select d.bytes as size, p.start, octet_length(p.text) as length, case when p.dropped > 0 then 1 else 0 end as "isGap",
      coalesce((select g.dropped from document_parts g where g.document_id = d.id and g.dropped > 0), 0) as gone
    from documents d left join document_parts p on p.document_id = d.id
      and p.start = (select max(m.start) from document_parts m where m.document_id = d.id)
    where d.id = ${documentId}`)
  return end ?? none
}

/** Appends a chapter, which begins on a line of its own. Returns the id of the document and what the log records. */
export async function appendChapter(ctx: Ctx, documentId: number | null, text: string) {
  const end = await endOf(ctx, documentId)
  const last = documentId === null ? '' : String(await readBytes(ctx.db, documentId, end.size - 1, end.size))
  return appendAt(ctx, documentId, end, last === '' || last === '\n' ? text : `\n\n${text}`)
}

/** Appends text to a document, creating it if needed. Returns its id and what the log records. */
async function appendAt(ctx: Ctx, documentId: number | null, end: End, text: string) {
  const id = documentId ?? (await insertEmpty(ctx))
  const added = Buffer.byteLength(text)
  const size = end.size + added
  const grows = end.start !== null && !end.isGap && end.length + added <= growBytes
  await Promise.all([
    grows
      ? ctx.db.query(sql`update document_parts set text = text || ${text}
          where document_id = ${id} and start = ${end.start}`)
      : insertParts(ctx, id, end.size, text),
    ctx.db.query(sql`update documents set bytes = ${size}, sha256 = null where id = ${id}`),
  ])
  if (size - end.gone > ctx.contentLimit) await dropMiddle(ctx, id, size)
  const before = end.size === 0 ? null : { bytes: end.size }
  const changes: [unknown, unknown] = [before, { bytes: size, appended: hash('sha256', text) }]
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
  const marker = parts.find(({ dropped }) => dropped > 0)
  const textOf = (some: Part[]) => some.map(({ text }) => text).join('')
  const isHead = ({ start }: Part) => marker !== undefined && start < marker.start
  const head = marker && textOf(parts.filter(isHead))
  const rest = textOf(parts.filter((part) => part !== marker && !isHead(part)))
  const kept = squeeze(head, rest, ctx.contentLimit)
  const headSize = Buffer.byteLength(kept.head)
  const newestSize = Buffer.byteLength(kept.newest)
  const dropped = size - headSize - newestSize
  await ctx.db.query(sql`delete from document_parts where document_id = ${documentId}`)
  if (headSize > 0) await insertParts(ctx, documentId, 0, kept.head)
  await ctx.db.query(sql`insert into document_parts (document_id, start, text, dropped)
    values (${documentId}, ${headSize}, ${markerOf(dropped)}, ${dropped})`)
  await insertParts(ctx, documentId, size - newestSize, kept.newest)
}

/** Throws NOT_FOUND if the project has no such run. */
export const readContent: Operation<'readContent'> = async (ctx, { runId, after }) => {
  const { document_id } = await requireRun(ctx, runId)
  const parts = await readParts(ctx.db, document_id, after, after + readLimit)
  const { size, gone } = await endOf(ctx, document_id)
  const { text, next } = textFrom(parts, after)
  return { text, next: Math.min(next, size), truncated: gone > 0 }
}

/** The text from byte `after` on, at most `readLimit` bytes of whole characters, and the byte where it ends. */
function textFrom(parts: Part[], after: number): { text: string; next: number } {
  let next = after
  let room = readLimit
  const found: string[] = []
  for (const { start, text, dropped } of parts) {
    const bytes = Buffer.from(text)
    const end = start + (dropped || bytes.length)
    if (end <= next) continue
    if (room <= 0) break
    if (dropped > 0) {
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
  return { text: found.join(''), next }
}
