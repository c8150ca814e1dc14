import { hash } from 'node:crypto'
import sql, { join, type Sql } from 'sql-template-tag'
import { invalid } from '../contract/error.ts'
import { fits } from '../contract/text.ts'
import { only, type Tx } from '../engine/db.ts'
import { pieces, type StoredPiece } from '../text/content.ts'
import type { Ctx } from './ctx.ts'
import { listOf, piecesOf, present } from './pieces.ts'

/** Texts are stored in parts of at most this many UTF-8 bytes. */
const partBytes = 65_536

/** What the log records about a content. */
export interface Digest {
  bytes: number
  /** Null once a content has been appended to: the events of appends have their own digests. */
  sha256: string | null
}

/** Throws VALIDATION_ERROR if a content is larger than this server allows. */
export function requireFitting(ctx: Ctx, content: string): void {
  if (!fits(content, ctx.contentLimit)) {
    const size = Buffer.byteLength(content).toLocaleString('en')
    throw invalid('content', `is ${size} bytes long, more than ${ctx.contentLimit.toLocaleString('en')}`)
  }
}

/** The digest of a content; null for an empty one, which has no document. */
export function digestOf(content: string): Digest | null {
  if (content === '') return null
  return { bytes: Buffer.byteLength(content), sha256: hash('sha256', content) }
}

/** A subquery for the text of a document; null if there is none. */
export const documentText = (documentId: Sql): Sql =>
  sql`(select string_agg(d.text, '' order by d.start) from document_parts d where d.document_id = ${documentId})`

/** Whether a document has lost its content, of which it keeps the digest. */
export const isErased = (documentId: Sql): Sql =>
  sql`exists (select 1 from document_parts p where p.document_id = ${documentId} and p.start = 0 and p.dropped > 0)`

/** Whether a stored content has that digest. One that is erased is no other content's equal. */
export async function isContent(ctx: Ctx, documentId: number | null, stored: Digest | null, digest: Digest | null) {
  if (documentId === null || stored?.bytes !== digest?.bytes) return stored?.bytes === digest?.bytes
  if (stored?.sha256 && stored.sha256 !== digest?.sha256) return false
  const [whole] = await ctx.db.query(sql`
    select 1 as one from documents d where d.id = ${documentId} and not ${isErased(sql`d.id`)}`)
  if (!whole || stored?.sha256) return whole !== undefined
  const parts = await ctx.db.query<{ text: string }>(sql`
    select text from document_parts where document_id = ${documentId} order by start`)
  return digestOf(parts.map(({ text }) => text).join(''))?.sha256 === digest?.sha256
}

/** The digests of a document before and after it gets a content, for the log; undefined if it has that content. */
export async function contentChange(
  ctx: Ctx,
  documentId: number | null,
  content: string | undefined,
): Promise<[before: Digest | null, after: Digest | null] | undefined> {
  if (content === undefined) return undefined
  const [before, after] = [await findDigest(ctx, documentId), digestOf(content)]
  return (await isContent(ctx, documentId, before, after)) ? undefined : [before, after]
}

/** Stores a content and returns the id of its document; null if it is empty. */
export async function insertDocument(ctx: Ctx, content: string, digest: Digest | null): Promise<number | null> {
  if (!digest) return null
  const rows = await ctx.db.query<{ id: number }>(sql`
    insert into documents (project_id, bytes, sha256) values (${ctx.project.id}, ${digest.bytes}, ${digest.sha256}) returning id`)
  const { id } = only(rows)
  await insertParts(ctx, id, 0, content)
  return id
}

/** Adds a text to a document from byte `start` on. */
export async function insertParts(ctx: Ctx, documentId: number, start: number, text: string): Promise<void> {
  let at = start
  const rows: Sql[] = []
  for (const piece of fits(text, partBytes) ? [text] : pieces(text, partBytes)) {
    rows.push(sql`(${documentId}, ${at}, ${piece})`)
    at += Buffer.byteLength(piece)
  }
  await ctx.db.query(sql`insert into document_parts (document_id, start, text) values ${join(rows)}`)
}

/** Adds the line that stands for a gap, and for `width` positions from `start` on. */
export async function insertGap(ctx: Ctx, documentId: number, start: number, width: number, line: string) {
  await ctx.db.query(sql`insert into document_parts (document_id, start, text, dropped)
    values (${documentId}, ${start}, ${line}, ${width})`)
}

/** The parts of a document with the bytes from `from` on, before `to`. */
export function readParts(db: Tx, documentId: number | null, from: number, to: number): Promise<StoredPiece[]> {
  return db.query<StoredPiece>(sql`
    select start, text, dropped from document_parts
    where document_id = ${documentId} and start < ${to} and start >= (
      select coalesce(max(p.start), 0) from document_parts p where p.document_id = ${documentId} and p.start <= ${from})
    order by start`)
}

/** The bytes of a document from `from` on, before `to`. Missing bytes are line feeds. */
export async function readBytes(db: Tx, documentId: number, from: number, to: number): Promise<Buffer> {
  const found = Buffer.alloc(Math.max(0, to - from), '\n')
  let end = from
  for (const { start, text, dropped } of await readParts(db, documentId, from, to)) {
    const bytes = dropped > 0 ? undefined : Buffer.from(text)
    bytes?.copy(found, Math.max(0, start - from), Math.max(0, from - start))
    end = Math.max(end, start + (bytes?.length ?? dropped))
  }
  return found.subarray(0, Math.min(found.length, end - from))
}

export const findDigest = async (ctx: Ctx, documentId: number | null): Promise<Digest | null> =>
  (await findDigests(ctx, [documentId])).get(documentId) ?? null

/** The digests of documents by their ids. */
export async function findDigests({ db }: Pick<Ctx, 'db'>, documents: readonly (number | null)[]) {
  const digests = new Map<number | null, Digest>()
  for (const ids of piecesOf(present(documents))) {
    const found = await db.query<Digest & { id: number }>(
      sql`select id, bytes, sha256 from documents where id in (${listOf(ids)})`,
    )
    for (const { id, bytes, sha256 } of found) digests.set(id, { bytes, sha256 })
  }
  return digests
}

/** The documents of some rows. */
export const documentsOf = (rows: readonly { document_id?: number | null }[]): (number | null)[] =>
  rows.map(({ document_id = null }) => document_id)

export async function deleteDocuments({ db }: Pick<Ctx, 'db'>, documents: readonly (number | null)[]): Promise<void> {
  for (const ids of piecesOf(present(documents))) {
    await db.query(sql`delete from documents where id in (${listOf(ids)})`)
  }
}
