import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import sql from 'sql-template-tag'
import { ConductError, statusOf } from '../contract/error.ts'
import { hashOf } from '../contract/secret.ts'
import { shifted } from '../contract/span.ts'
import type { Tx } from '../engine/db.ts'
import { type Ctx, keyIdOf } from './ctx.ts'

/** How long a response is stored, in milliseconds. */
const keptMs = 24 * 3600_000

const staleAt = (now: string) => shifted(now, -keptMs)

/** A stored response. */
export interface StoredResponse {
  status: number
  headers: Record<string, string>
  body: string
}

/** Takes the place of an erased response. Only successes are stored, so its status says which ones were erased. */
export const erasedResponse = JSON.stringify({
  status: statusOf.CONFLICT,
  headers: {},
  body: '',
} satisfies StoredResponse)

/** Takes the place of the hash of a request whose response is erased. It fits any request. */
export const erasedFingerprint = ''

/** The local user has no key; all local actions share one scope. */
const scopeOf = (ctx: Ctx) => keyIdOf(ctx) ?? 0

/** A run as most responses had it when this dictionary was made. It never follows the fields of a run. */
const typicalNames = [
  ...['id', 'project', 'runId', 'title', 'specId', 'specVersion', 'status', 'agent', 'author', 'command', 'exitCode'],
  ...['contentType', 'labels', 'where', 'git', 'changes', 'links', 'usage', 'failure', 'retryOf', 'attempt', 'verdict'],
  ...['evidence', 'why', 'required', 'activity', 'leaseExpiresAt', 'lastSeenAt', 'startedAt', 'endedAt', 'createdAt'],
  ...['updatedAt', 'createdBy', 'updatedBy', 'version'],
]
const typicalRun = {
  ...Object.fromEntries(typicalNames.map((name) => [name, null])),
  ...{
    project: 'default',
    runId: 'RUN-001',
    status: 'in_progress',
    contentType: 'text/markdown',
    labels: {},
    links: [],
  },
  ...{ verdict: 'unchecked', why: 'No check has run', createdAt: '2026-', updatedAt: '2026-', attempt: 1, version: 1 },
  ...{ createdBy: { kind: 'key', id: 1, name: 'admin' }, updatedBy: { kind: 'key', id: 1, name: 'admin' } },
}
/** What most responses contain, for deflate (RFC 1951). Stored ones depend on each byte of it: a change needs another mark. */
const dictionary = Buffer.from(
  [{ message: ' successfully' }, { content: { bytes: 0, offset: 0 } }, { run: typicalRun, lease: { token: '' } }]
    .map((body) => {
      const headers = { etag: '"1-1"', location: '/conduct/v1/runs/RUN-001' }
      return JSON.stringify({ status: 201, headers, body: JSON.stringify(body) } satisfies StoredResponse)
    })
    .join(''),
)
/** By default, each response would take 16 KiB of memory, and the collector would leave 40 MB of them under load. */
const chunkSize = 1024
const packing = { level: 1, windowBits: 12, memLevel: 5, chunkSize, dictionary }
/** Begins a compressed response: earlier versions stored them as they were. */
const mark = '.'

/** Responses can contain lease tokens. They are encrypted under the Idempotency-Key, of which only a hash is stored. */
const encrypted = (answer: StoredResponse, name: string) =>
  mark + encrypt(deflateRawSync(JSON.stringify(answer), packing), name)

function decrypted(text: string, name: string): StoredResponse {
  if (text.startsWith('{')) return JSON.parse(text)
  if (!text.startsWith(mark)) return JSON.parse(decrypt(text, name).toString())
  return JSON.parse(inflateRawSync(decrypt(text.slice(mark.length), name), { dictionary }).toString())
}

/**
 * Claims an Idempotency-Key. This is the first statement of a transaction, so a concurrent request with the same key
 * waits here until this one ends. Returns the stored response if the same request came before, and undefined for the
 * first one. Throws IDEMPOTENCY_MISMATCH if the key came with another request; CONFLICT if the response was erased.
 */
export async function claim(ctx: Ctx, name: string, fingerprint: string): Promise<StoredResponse | undefined> {
  const hash = hashOf(name)
  const { aloneFor } = ctx.db.dialect
  if (aloneFor) await ctx.db.query(aloneFor(`${scopeOf(ctx)} ${ctx.project.id} ${hash}`))
  const [row] = await ctx.db.query<{ fingerprint: string; created_at: string; answer: string }>(sql`
    select fingerprint, created_at, answer from idempotency_keys
    where key_id = ${scopeOf(ctx)} and project_id = ${ctx.project.id} and name = ${hash}`)
  if (!row || (!ctx.doubt && row.created_at < staleAt(ctx.now))) return undefined
  if (row.fingerprint !== fingerprint && row.fingerprint !== erasedFingerprint) {
    throw new ConductError(
      'IDEMPOTENCY_MISMATCH',
      `An earlier request with other content used the Idempotency-Key '${name}': send a new key with a new request.`,
    )
  }
  const kept = decrypted(row.answer, name)
  if (kept.status === statusOf.CONFLICT) {
    throw new ConductError('CONFLICT', 'The server has already done this, and its response has been erased.')
  }
  return kept
}

/** Stores the response for a claimed key, as the last statement of the same transaction. */
export async function keep(ctx: Ctx, name: string, fingerprint: string, answer: StoredResponse): Promise<void> {
  await ctx.db.query(sql`
    insert into idempotency_keys (key_id, project_id, name, fingerprint, created_at, answer)
    values (${scopeOf(ctx)}, ${ctx.project.id}, ${hashOf(name)}, ${fingerprint}, ${ctx.now}, ${encrypted(answer, name)})
    on conflict (key_id, project_id, name) do update
      set fingerprint = excluded.fingerprint, created_at = excluded.created_at, answer = excluded.answer`)
}

const purgedAtOnce = 500

/** Deletes expired responses, a limited number at a time. Returns whether there may be more. */
export async function purgeKept(db: Tx, now: string): Promise<boolean> {
  const until = staleAt(now)
  const [old] = await db.query(
    sql`select 1 as one from idempotency_keys where created_at < ${until} order by created_at limit 1`,
  )
  if (!old) return false
  const purged = await db.tx((tx) =>
    tx.query(sql`delete from idempotency_keys where (key_id, project_id, name) in
      (select key_id, project_id, name from idempotency_keys where created_at < ${until} limit ${purgedAtOnce})
      returning 1 as one`),
  )
  return purged.length === purgedAtOnce
}

const cipher = 'aes-256-gcm'
const ivBytes = 12
const tagBytes = 16

const keyOf = (secret: string) => hash('sha256', `sealed under ${secret}`, 'buffer')

/** Encrypts bytes under `secret` with AES-256-GCM (NIST SP 800-38D), in base64. */
function encrypt(bytes: Uint8Array, secret: string): string {
  const iv = randomBytes(ivBytes)
  const encipher = createCipheriv(cipher, keyOf(secret), iv)
  const encrypted = [iv, encipher.update(bytes), encipher.final(), encipher.getAuthTag()]
  return Buffer.concat(encrypted).toString('base64')
}

/** Decrypts bytes. Throws if `secret` is not the one it was encrypted under. */
function decrypt(encrypted: string, secret: string): Buffer {
  const bytes = Buffer.from(encrypted, 'base64')
  const decipher = createDecipheriv(cipher, keyOf(secret), bytes.subarray(0, ivBytes))
  decipher.setAuthTag(bytes.subarray(-tagBytes))
  return Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()])
}
