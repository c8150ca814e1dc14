import sql, { raw } from 'sql-template-tag'
import { localActor } from '../../contract/actor.ts'
import { ConductError, invalid } from '../../contract/error.ts'
import {
  hashOf,
  hashOfSession,
  loginCodeMs,
  newLoginCode,
  newSecret,
  type SessionSecrets,
  sessionMs,
} from '../../contract/secret.ts'
import { shifted } from '../../contract/span.ts'
import type { Tx } from '../../engine/db.ts'
import { latestBy } from '../../engine/drift.ts'
import { type Ctx, inTx, keyIdOf, type Operation } from '../../frame/ctx.ts'
import { actorOf, endKey, findKey, findKeyById, insertKey, type LiveKey, showKey } from './key.ts'
import type { KeyRoutes } from './routes.ts'

/**
 * Creates a code that logs in as the calling key. For the local user, it creates a separate key. Throws FORBIDDEN for a
 * session, which could use codes to continue after its end.
 */
export const createLoginCode: Operation<KeyRoutes['createLoginCode']> = (ctx) =>
  inTx(ctx, async (ctx) => {
    if (ctx.session !== undefined) {
      throw new ConductError('FORBIDDEN', 'A session cannot create login codes: send a key, or run conduct open.')
    }
    const code = newLoginCode()
    await ctx.db.query(sql`
      insert into login_codes (hash, key_id, created_at) values (${hashOf(code)}, ${keyIdOf(ctx)}, ${ctx.now})`)
    return { code, expiresAt: shifted(ctx.now, loginCodeMs) }
  })

/**
 * Starts the session with the secrets `ctx.session`. Throws UNAUTHORIZED for an invalid key or code. Nothing is locked
 * before they are verified, so callers without either cannot delay writers.
 */
export const createSession: Operation<KeyRoutes['createSession']> = async (ctx, { key: secret, code }) => {
  const { session } = ctx
  if (session === undefined) throw new Error('Bug: no secrets were made for the session.')
  if ((secret === undefined) === (code === undefined)) throw invalid('key', 'give either a key or a code')
  const known = await (code === undefined ? keyOfSecret(ctx, secret ?? '') : keyOfCode(ctx, code))
  return inTx(ctx, async (ctx) => {
    if (code !== undefined) await useUp(ctx, code)
    const keyId = known ?? (await makeKey(ctx))
    await ctx.db.query(sql`insert into sessions (hash, key_id, made_key, created_at)
      values (${hashOfSession(session)}, ${keyId}, ${known === null ? 1 : 0}, ${ctx.now})`)
    const key = await showKey(ctx, keyId)
    const atMost = shifted(ctx.now, sessionMs)
    const expiresAt = key.expiresAt !== null && key.expiresAt < atMost ? key.expiresAt : atMost
    return { key, expiresAt, token: session.token }
  })
}

async function keyOfSecret({ db, now }: Ctx, secret: string): Promise<number> {
  const key = await findKey(db, secret, now)
  if (!key)
    throw new ConductError('UNAUTHORIZED', 'This key is unknown, revoked or expired: ask an admin for another one.')
  return key.id
}

/** The key of a login code; null for a code of the local user. */
async function keyOfCode({ db, now }: Ctx, code: string): Promise<number | null> {
  const [row] = await db.query<{ key_id: number | null }>(sql`select key_id from login_codes
    where hash = ${hashOf(code)} and created_at > ${shifted(now, -loginCodeMs)} and created_at <= ${latestBy(now)}`)
  if (!row || (row.key_id !== null && !(await findKeyById(db, row.key_id, now)))) throw deadCode()
  return row.key_id
}

async function useUp({ db }: Ctx, code: string): Promise<void> {
  const [used] = await db.query(sql`delete from login_codes where hash = ${hashOf(code)} returning id`)
  if (!used) throw deadCode()
}

const deadCode = () =>
  new ConductError(
    'UNAUTHORIZED',
    'This login code does not exist, has been used, or is older than ten minutes: create another.',
  )

/**
 * Nobody knows the secret of this key. It exists so that the session appears as a key, acts as one and can be revoked.
 */
function makeKey(ctx: Ctx): Promise<number> {
  const expiresAt = shifted(ctx.now, sessionMs)
  const key = { name: 'browser', permissions: ['admin'], projectId: null, expiresAt } as const
  return insertKey({ ...ctx, actor: localActor }, newSecret(key.permissions), key, localActor.id)
}

/**
 * Ends the session with the secrets `ctx.session`, and the key that was created for it. Does nothing if there is none.
 */
export const deleteSession: Operation<KeyRoutes['deleteSession']> = async (ctx) => {
  if (ctx.session === undefined) return { message: 'There was no session' }
  const ofSession = sql`hash = ${hashOfSession(ctx.session)}`
  const [found] = await ctx.db.query<{ key_id: number; made_key: number }>(
    sql`select key_id, made_key from sessions where ${ofSession}`,
  )
  if (!found) return { message: 'There was no session' }
  return inTx(ctx, async (ctx) => {
    await ctx.db.query(sql`delete from sessions where ${ofSession}`)
    const key = found.made_key ? await findKeyById(ctx.db, found.key_id, ctx.now) : undefined
    if (key) await endKey({ ...ctx, actor: actorOf(key) }, key.id, key.projectId)
    return { message: 'Session deleted successfully' }
  })
}

/** The live key of a session, and the project with that slug; undefined if the session or its key has expired. Never cached. */
export async function findSession(
  db: Tx,
  session: SessionSecrets,
  now: string,
  slug?: string,
): Promise<LiveKey | undefined> {
  const [row] = await db.query<{ key_id: number; created_at: string }>(
    sql`select key_id, created_at from sessions where hash = ${hashOfSession(session)}`,
  )
  if (!row) return undefined
  const endsAt = shifted(row.created_at, sessionMs)
  // A session that began while the clock was ahead would last too long.
  if (endsAt <= now || row.created_at > latestBy(now)) return undefined
  const key = await findKeyById(db, row.key_id, now, slug)
  return key && { ...key, endsAt: key.endsAt !== null && key.endsAt < endsAt ? key.endsAt : endsAt }
}

/** Deletes expired sessions and login codes. Returns whether there may be more. */
export async function purgeSessions(db: Tx, now: string): Promise<boolean> {
  const isMore = await Promise.all([
    purge(db, 'sessions', shifted(now, -sessionMs)),
    purge(db, 'login_codes', shifted(now, -loginCodeMs)),
  ])
  return isMore.includes(true)
}

const purgedAtOnce = 500

async function purge(db: Tx, table: 'sessions' | 'login_codes', until: string): Promise<boolean> {
  const old = sql`select id from ${raw(table)} where created_at <= ${until} limit ${purgedAtOnce}`
  const found = await db.query(old)
  if (found.length > 0) await db.tx((tx) => tx.query(sql`delete from ${raw(table)} where id in (${old})`))
  return found.length === purgedAtOnce
}
