import sql, { type Sql } from 'sql-template-tag'
import type { Actor } from '../../contract/actor.ts'
import { ConductError, invalid } from '../../contract/error.ts'
import { hashOf, newSecret, type Permission, permissions, prefixOf } from '../../contract/secret.ts'
import type { Tx } from '../../engine/db.ts'
import { askerIn, type Ctx, inTx, keyIdOf, type Operation, type ProjectRef } from '../../frame/ctx.ts'
import { readPage } from '../../frame/page.ts'
import { confinementOf, findProject, listedProject, requireThere } from '../../frame/scope.ts'
import { insertActor } from '../../log/actor.ts'
import { appeared, differences } from '../../log/event.ts'
import { record } from '../../log/record.ts'
import type { Key } from './fields.ts'
import type { KeyRoutes } from './routes.ts'

interface KeyRow {
  id: number
  project_id: number | null
  slug: string | null
  name: string
  prefix: string
  permissions: string
  person: string | null
  machine: string | null
  created_at: string
  last_used_at: string | null
  expires_at: string | null
  revoked_at: string | null
}

const columns = sql`k.id, k.project_id, p.slug, k.name, k.prefix, k.permissions, k.person, k.machine, k.created_at, k.last_used_at, k.expires_at, k.revoked_at`
const tables = sql`keys k left join projects p on p.id = k.project_id`

const permissionsOf = (row: { permissions: string }) => row.permissions.split(' ') as Permission[]

function keyOf(row: KeyRow): Key {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    permissions: permissionsOf(row),
    project: row.slug,
    person: row.person,
    machine: row.machine,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  }
}

/** The fields of a live key that a request needs. */
export interface LiveKey {
  id: number
  name: string
  permissions: Permission[]
  person: string | null
  projectId: number | null
  slug: string | null
  lastUsedAt: string | null
  /** The actor that it acts as. */
  actorId: number
  /** When it expires; null for never. */
  endsAt: string | null
  /** The project that was looked up with it; undefined if no project has that slug. */
  asked: ProjectRef | undefined
}

/**
 * The live key with that secret, and the project with that slug, read in one statement; undefined if the key is unknown,
 * revoked or expired. Never cached.
 */
export const findKey = (db: Tx, secret: string, now: string, slug?: string) =>
  findLive(db, sql`k.hash = ${hashOf(secret)}`, now, slug)

/** The live key with that id, and the project with that slug. */
export const findKeyById = (db: Tx, id: number, now: string, slug?: string) =>
  findLive(db, sql`k.id = ${id}`, now, slug)

/** The only key that matches `condition`, if it is live. */
async function findLive(db: Tx, condition: Sql, now: string, asked = ''): Promise<LiveKey | undefined> {
  const [row] = await db.query<
    Omit<KeyRow, 'prefix' | 'created_at' | 'machine'> & { actor_id: number; asked_id: number | null }
  >(sql`
    select k.id, k.actor_id, k.name, k.permissions, k.person, k.project_id, p.slug, k.last_used_at, k.expires_at, k.revoked_at,
      (select a.id from projects a where a.slug = ${asked} and a.deleted_at is null) as asked_id
    from keys k left join projects p on p.id = k.project_id where ${condition}`)
  if (!row || row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= now)) return undefined
  return {
    id: row.id,
    name: row.name,
    permissions: permissionsOf(row),
    person: row.person,
    projectId: row.project_id,
    slug: row.slug,
    lastUsedAt: row.last_used_at,
    actorId: row.actor_id,
    endsAt: row.expires_at,
    asked: row.asked_id === null ? undefined : { id: row.asked_id, slug: asked },
  }
}

export const actorOf = ({ id: keyId, actorId: id, name, permissions, projectId, endsAt, person }: LiveKey): Actor => ({
  kind: 'key',
  id,
  keyId,
  name,
  permissions,
  projectId,
  endsAt,
  person,
})

/** Records that a key was used, to keep `lastUsedAt` exact to the minute. */
export async function touchKey(db: Tx, id: number, now: string): Promise<void> {
  await db.tx((tx) => tx.query(sql`update keys set last_used_at = ${now} where id = ${id}`))
}

interface NewKey {
  name: string
  permissions: readonly Permission[]
  projectId: number | null
  expiresAt: string | null
  person?: string | null | undefined
  machine?: string | null | undefined
}

/** Stores a key and its event in the caller's transaction. Returns its id. Without `actorId` it gets its own actor. */
export async function insertKey(ctx: Ctx, secret: string, key: NewKey, actorId?: number): Promise<number> {
  const { name, projectId, expiresAt, person = null, machine = null } = key
  const held = permissions.filter((one) => key.permissions.includes(one))
  const actor = actorId ?? (await insertActor(ctx, name))
  const [row] = await ctx.db.query<{ id: number }>(sql`
    insert into keys (project_id, name, prefix, hash, permissions, person, machine, actor_id, created_by, created_at, expires_at)
    values (${projectId}, ${name}, ${prefixOf(secret)}, ${hashOf(secret)}, ${held.join(' ')}, ${person}, ${machine}, ${actor}, ${ctx.actor.id}, ${ctx.now}, ${expiresAt})
    returning id`)
  const id = (row as { id: number }).id
  if (actorId === undefined) await ctx.db.query(sql`update actors set key_id = ${id} where id = ${actor}`)
  const changes = appeared({ name, permissions: held, expiresAt, person, machine })
  await record(ctx, { type: 'key.created', subject: String(id), subjectId: id, projectId, changes })
  return id
}

/**
 * Needs admin, which holds every permission. Throws FORBIDDEN if a key of one project asks for one of all projects;
 * VALIDATION_ERROR if the new key would outlive the caller's key or session; NOT_FOUND for an unknown project.
 */
export const createKey: Operation<KeyRoutes['createKey']> = (
  ctx,
  { name, permissions, project, person, machine, ...given },
) =>
  inTx(ctx, async (ctx) => {
    const confinedTo = confinementOf(ctx)
    if (confinedTo !== null && project === null) {
      throw new ConductError(
        'FORBIDDEN',
        'A key of one project can create keys only for that project: leave out project.',
      )
    }
    const expiresAt = expiryUnder(ctx, given.expiresAt)
    const ofCaller = confinedTo !== null || ctx.named ? ctx.project : null
    const found = project ? await findProject(ctx.db, project, confinedTo) : project === null ? null : ofCaller
    const projectId = found?.id ?? null
    const secret = newSecret(permissions)
    const id = await insertKey(ctx, secret, { name, permissions, projectId, expiresAt, person, machine })
    // Deleting a project revokes only the keys that it finds.
    await requireThere(ctx.db, found)
    return { key: await showKey(ctx, id), secret }
  })

/** When a new key expires: as requested, but never after the caller's key or session, which is also the default. */
function expiryUnder({ actor, now }: Ctx, asked: string | null | undefined): string | null {
  if (asked && asked <= now) throw invalid('expiresAt', `must be in the future, not ${asked}`)
  const latest = actor.kind === 'key' ? actor.endsAt : null
  if (latest === null) return asked ?? null
  if (asked === undefined) return latest
  if (asked !== null && asked <= latest) return asked
  throw invalid(
    'expiresAt',
    `must be at most ${latest}, when the calling key or session expires: use a key that does not expire, or leave it out`,
  )
}

/** A key as it is shown. Throws NOT_FOUND if the caller may not see it. */
export const showKey = async (ctx: Ctx, id: number) => keyOf(await readKey(ctx, id))

async function readKey(ctx: Ctx, id: number): Promise<KeyRow> {
  const [row] = await ctx.db.query<KeyRow>(sql`select ${columns} from ${tables} where k.id = ${id}`)
  const confinedTo = confinementOf(ctx)
  if (!row || (confinedTo !== null && row.project_id !== confinedTo)) {
    throw new ConductError('NOT_FOUND', `There is no key ${id}, or this key cannot see it.`)
  }
  return row
}

export const listKeys: Operation<KeyRoutes['listKeys']> = async (ctx, input) => {
  const only = listedProject(ctx)
  const where = [only === null ? sql`k.id > 0` : sql`k.project_id = ${only}`]
  const walk = { from: tables, where, createdAt: 'k.created_at', id: 'k.id' }
  const { rows, meta } = await readPage<KeyRow>(ctx.db, columns, [walk], input)
  return { keys: rows.map(keyOf), meta }
}

/**
 * Renames a key, also where it is shown as the actor of what it did, or says whose it is, for what it does from then on.
 * Throws FORBIDDEN for the caller's own key: it could pass for another; NOT_FOUND.
 */
export const updateKey: Operation<KeyRoutes['updateKey']> = (ctx, { id, name, person, machine }) =>
  inTx(ctx, async (ctx) => {
    if (id === keyIdOf(ctx)) {
      throw new ConductError(
        'FORBIDDEN',
        'A key cannot set its own name, person or machine: use another admin key, or run conduct key update on the local database.',
      )
    }
    await ctx.db.query(sql`select id from keys where id = ${id} ${ctx.db.dialect.forUpdate}`)
    const row = await readKey(ctx, id)
    const before = { name: row.name, person: row.person, machine: row.machine }
    const after = {
      name: name ?? before.name,
      person: person === undefined ? before.person : person,
      machine: machine === undefined ? before.machine : machine,
    }
    const changes = differences(before, after)
    if (Object.keys(changes).length > 0) {
      await ctx.db.query(sql`
        update keys set name = ${after.name}, person = ${after.person}, machine = ${after.machine} where id = ${id}`)
      // A key that acts as the local user has no actor of its own.
      if (changes.name) await ctx.db.query(sql`update actors set name = ${after.name} where key_id = ${id}`)
      const { project_id: projectId } = row
      await record(ctx, { type: 'key.updated', subject: String(id), subjectId: id, projectId, changes })
    }
    return { key: await showKey(ctx, id) }
  })

/** Revoking a revoked key changes nothing. Throws CONFLICT for the last admin key of the whole server. */
export const revokeKey: Operation<KeyRoutes['revokeKey']> = (ctx, { id }) =>
  inTx(ctx, async (ctx) => {
    // Locks all server admin keys in one order, so that two revocations cannot each rely on the other's key.
    const admins = await ctx.db.query<{ id: number; permissions: string }>(sql`
      select id, permissions from keys
      where project_id is null and revoked_at is null and expires_at is null order by id ${ctx.db.dialect.forUpdate}`)
    const row = await readKey(ctx, id)
    const keepers = admins.filter((key) => permissionsOf(key).includes('admin'))
    if (keepers.length === 1 && keepers[0]?.id === id) {
      throw new ConductError(
        'CONFLICT',
        `Key ${id} is the last server admin key that does not expire: create another one first.`,
      )
    }
    await endKey(ctx, id, row.project_id)
    return { message: 'Key revoked successfully' }
  })

/** Revokes a key in the caller's transaction, unless somebody else has, also meanwhile. */
export async function endKey(ctx: Ctx, id: number, projectId: number | null): Promise<void> {
  const [ended] = await ctx.db.query(sql`
    update keys set revoked_at = ${ctx.now} where id = ${id} and revoked_at is null returning id`)
  if (!ended) return
  const changes = { revokedAt: [null, ctx.now] as [unknown, unknown] }
  await record(ctx, { type: 'key.updated', subject: String(id), subjectId: id, projectId, changes })
}

/** The caller's key; null for the local user. */
export const me: Operation<KeyRoutes['me']> = async (ctx) => {
  const keyId = keyIdOf(ctx)
  const key = keyId === null ? null : await showKey(ctx, keyId)
  const { person, machine } = key ?? {
    person: askerIn(ctx),
    machine: null,
  }
  const warning = ctx.doubt === undefined ? {} : { clockWarning: ctx.doubt }
  return { key, permissions: [...ctx.actor.permissions], person, machine, ...warning }
}
