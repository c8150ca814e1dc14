import type { HonoRequest } from 'hono'
import { ConductError } from '../api/error.ts'
import { defaultProject } from '../api/project.ts'
import { type Actor, anyone } from '../ledger/actor.ts'
import { secretPattern } from '../ledger/secret.ts'
import type { ProjectRef } from '../store/ctx.ts'
import type { Tx } from '../store/engine/db.ts'
import { actorOf, findKey, type LiveKey, touchKey } from '../store/key/key.ts'
import { findSession } from '../store/key/session.ts'
import type { Store } from '../store/open.ts'
import { findProject } from '../store/scope.ts'
import type { Limiter } from './limit.ts'
import { requireSameOrigin, sessionOf } from './session.ts'

/** Who sent a request, and the project it acts in. */
export interface Caller {
  actor: Actor
  project: ProjectRef
  /** Whether the caller named the project. */
  named: boolean
  /** The session secret, if the caller authenticated by cookie. */
  session?: string | undefined
}

/** What authentication reads and records of a request. */
export interface Asking {
  now: string
  /** Headers of the response, successful or not. */
  headers: Record<string, string>
  /** The caller's key, once known. */
  keyId?: number
}

interface Options {
  store: Store
  limiter: Limiter
  /** Who calls without a key. */
  actor: Actor | undefined
  warn: (error: Error) => void
}

export type Auth = ReturnType<typeof createAuth>

const touchEveryMs = 60_000

/** Authenticates requests by their headers. */
export function createAuth({ store, limiter, actor, warn }: Options) {
  const { db } = store
  const projectOf = createProjects(db)
  const touch = createTouch(db, warn)

  /** The project that an actor acts in. If `own` is given, the actor sees no other: throws NOT_FOUND. */
  async function actingIn(actor: Actor, own: ProjectRef | null, slug: string | undefined): Promise<Caller> {
    const named = slug !== undefined
    if (own && (!named || slug === own.slug)) return { actor, project: own, named }
    if (own && named) await findProject(db, slug, own.id)
    return { actor, project: await projectOf(slug ?? defaultProject), named }
  }

  return {
    /**
     * Authenticates by bearer key, else by session cookie, and counts the request against the key's limit. Throws
     * UNAUTHORIZED, RATE_LIMIT_EXCEEDED, FORBIDDEN for a cookie write from another site, NOT_FOUND for a hidden project.
     */
    async callerOf(request: HonoRequest, asking: Asking): Promise<Caller> {
      const slug = slugOf(request.header('x-project-id'))
      const authorization = request.header('authorization')
      const session = authorization === undefined ? sessionOf(request) : undefined
      if (actor && authorization === undefined && session === undefined) return actingIn(actor, null, slug)
      const { now, headers } = asking
      const key = await (authorization === undefined ? bySession(db, session, now) : byKey(db, authorization, now))
      asking.keyId = key.id
      await limiter.request(key.id, headers)
      if (session !== undefined && !['GET', 'HEAD'].includes(request.method)) requireSameOrigin(request)
      touch(key, now)
      const own = key.projectId === null || key.slug === null ? null : { id: key.projectId, slug: key.slug }
      return { ...(await actingIn(actorOf(key), own, slug)), session }
    },

    /** The caller of an operation that needs no key. */
    async nobody(): Promise<Caller> {
      return { actor: anyone, project: await projectOf(defaultProject), named: false }
    },
  }
}

async function byKey(db: Tx, authorization: string, now: string): Promise<LiveKey> {
  const secret = bearerOf(authorization) ?? ''
  if (!secretPattern.test(secret)) {
    throw unauthorized('A key is sk_, its role, _ and 43 letters or digits. Send it as: Authorization: Bearer sk_…')
  }
  const key = await findKey(db, secret, now)
  if (!key) throw unauthorized('This key is unknown, revoked or expired: ask an admin for another one.')
  return key
}

async function bySession(db: Tx, session: string | undefined, now: string): Promise<LiveKey> {
  if (session === undefined) throw unauthorized('Send a key: Authorization: Bearer sk_…')
  const key = await findSession(db, session, now)
  if (!key) throw unauthorized('This session has ended: log in again.')
  return key
}

/** Finds projects by slug. Projects are never deleted or renamed, so each is read once. */
function createProjects(db: Tx) {
  const projects = new Map<string, ProjectRef>()
  return async (slug: string): Promise<ProjectRef> => {
    const known = projects.get(slug)
    if (known) return known
    const found = await findProject(db, slug, null)
    projects.set(slug, found)
    return found
  }
}

/** Records the last use of a key, at most once a minute and in the background. */
function createTouch(db: Tx, warn: (error: Error) => void) {
  const touched = new Set<number>()
  return ({ id, lastUsedAt }: LiveKey, now: string) => {
    if (lastUsedAt !== null && Date.parse(now) - Date.parse(lastUsedAt) < touchEveryMs) return
    if (touched.has(id)) return
    touched.add(id)
    void touchKey(db, id, now)
      .catch(warn)
      .finally(() => touched.delete(id))
  }
}

/** The project named by a header, cut just beyond the longest slug so that errors stay short. */
const slugOf = (named: string | undefined) => named?.slice(0, 129)

/** The key in an Authorization header. Anything much longer than a key is not a key. */
export const bearerOf = (authorization: string) => /^Bearer +(\S+)$/i.exec(authorization.slice(0, 200))?.[1]

const unauthorized = (message: string) => new ConductError('UNAUTHORIZED', message)
