import { hash } from 'node:crypto'
import sql, { raw, type Sql } from 'sql-template-tag'
import { invalid } from '../api/error.ts'
import { fits } from '../ledger/text.ts'
import type { Ctx } from './ctx.ts'

/** What the log says of a content. */
export interface Digest {
  bytes: number
  /** Null once a content has been appended to. */
  sha256: string | null
}

/** VALIDATION_ERROR when a content given whole is larger than this server takes. */
export function requireFitting(ctx: Ctx, content: string): void {
  if (!fits(content, ctx.contentLimit)) {
    const size = Buffer.byteLength(content).toLocaleString('en')
    throw invalid('content', `is ${size} bytes long, and at most ${ctx.contentLimit.toLocaleString('en')} are taken`)
  }
}

/** The digest of a content; null for an empty one, which has no document. */
export function digestOf(content: string): Digest | null {
  if (content === '') return null
  return { bytes: Buffer.byteLength(content), sha256: hash('sha256', content) }
}

/** The content of the row of `table` that a statement reads; null for an empty one. */
export const contentOf = (table: 'runs' | 'specs' | 'spec_versions' | 'checks'): Sql =>
  sql`(select string_agg(d.text, '' order by d.start) from document_parts d where d.document_id = ${raw(table)}.document_id)`

/** Whether a stored content is the one of that digest. */
export async function isContent(ctx: Ctx, documentId: number | null, stored: Digest | null, digest: Digest | null) {
  if (documentId === null || stored?.bytes !== digest?.bytes) return stored?.bytes === digest?.bytes
  if (stored?.sha256) return stored.sha256 === digest?.sha256
  const parts = await ctx.db.query<{ text: string }>(sql`
    select text from document_parts where document_id = ${documentId} order by start`)
  return digestOf(parts.map(({ text }) => text).join(''))?.sha256 === digest?.sha256
}

/** Stores a content apart from its noun; answers the document's id, null for an empty content. */
export async function insertDocument(ctx: Ctx, content: string, digest: Digest | null): Promise<number | null> {
  if (!digest) return null
  const [document] = await ctx.db.query<{ id: number }>(sql`
    insert into documents (project_id, bytes, sha256) values (${ctx.project.id}, ${digest.bytes}, ${digest.sha256}) returning id`)
  const id = (document as { id: number }).id
  await ctx.db.query(sql`insert into document_parts (document_id, start, text) values (${id}, 0, ${content})`)
  return id
}

export async function findDigest(ctx: Ctx, documentId: number | null): Promise<Digest | null> {
  if (documentId === null) return null
  const [digest] = await ctx.db.query<Digest>(sql`select bytes, sha256 from documents where id = ${documentId}`)
  return digest ? { bytes: digest.bytes, sha256: digest.sha256 } : null
}

export async function deleteDocument(ctx: Ctx, documentId: number | null): Promise<void> {
  if (documentId !== null) await ctx.db.query(sql`delete from documents where id = ${documentId}`)
}
