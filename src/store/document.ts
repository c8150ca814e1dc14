import { hash } from 'node:crypto'
import sql from 'sql-template-tag'
import { invalid } from '../error.ts'
import { fits } from '../field.ts'
import type { Ctx } from './ctx.ts'

/** What the log says of a content. */
export interface Digest {
  bytes: number
  sha256: string
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
