import type { HonoRequest } from 'hono'
import { type Actor, anyone } from '../contract/actor.ts'
import { ConductError } from '../contract/error.ts'
import { type SessionSecrets, secretPattern } from '../contract/secret.ts'
import type { Tx } from '../engine/db.ts'
import type { ProjectRef } from '../frame/ctx.ts'
import { findProject, unknownProject } from '../frame/scope.ts'
import { actorOf, findKey, findKeyById, type LiveKey, touchKey } from '../nouns/key/key.ts'
import { findSession } from '../nouns/key/session.ts'
import { defaultProject } from '../nouns/project/fields.ts'
import type { Store } from '../operations/open.ts'
import { cookieOf, requireSameOrigin, sessionOf, tokenHeader } from './exchange.ts'
import type { Limiter } from './limit.ts'

/** Who sent a request, and the project it acts in. */
interface Caller {
  actor: Actor
  project: ProjectRef
  /** Whether the caller named the project. */
  named: boolean
  /** The secrets of the session, if the caller authenticated by one. */
  session?: SessionSecrets | undefined
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
  const touch = createTouch(db, warn)

  /** A key and the project in which it acts. Throws NOT_FOUND for one that is not there, or that the key may not see. */
  function actingIn(key: LiveKey, slug: string | undefined): Caller {
    const { projectId, slug: ownSlug, asked } = key
    const named = slug !== undefined
    const own = projectId === null || ownSlug === null ? undefined : { id: projectId, slug: ownSlug }
    const project = own ?? asked
    if (!project || (own && named && slug !== ownSlug)) throw unknownProject(slug ?? defaultProject)
    return { actor: actorOf(key), project, named }
  }

  const inProject = async (actor: Actor, slug: string | undefined): Promise<Caller> => ({
    actor,
    project: await findProject(db, slug ?? defaultProject, null),
    named: slug !== undefined,
  })

  return {
    /**
     * Authenticates by bearer key, else by session cookie, and counts the request against the key's limit, once. Throws
     * UNAUTHORIZED, RATE_LIMIT_EXCEEDED, FORBIDDEN for a cookie write from another site, NOT_FOUND for a hidden project.
     * What is of the server ignores X-Project-ID.
     */
    async callerOf(request: HonoRequest, asking: Asking, isOfServer = false): Promise<Caller> {
      const slug = isOfServer ? undefined : slugOf(request.header('x-project-id'))
      const authorization = request.header('authorization')
      const session = isBearer(authorization) ? undefined : sessionOf(request)
      if (actor && authorization === undefined && session === undefined) return inProject(actor, slug)
      const { now, headers } = asking
      const asked = slug ?? defaultProject
      const key = await (session !== undefined
        ? bySession(db, session, now, asked)
        : byKey(db, authorization ?? unsent(request), now, asked))
      const isCounted = asking.keyId === key.id
      asking.keyId = key.id
      if (!isCounted) await limiter.request(key.id, headers)
      if (session !== undefined && !['GET', 'HEAD'].includes(request.method)) requireSameOrigin(request)
      touch(key, now)
      return { ...actingIn(key, slug), session }
    },

    /** The caller of an operation that needs no key. */
    nobody: (): Promise<Caller> => inProject(anyone, undefined),
  }
}

async function byKey(db: Tx, authorization: string, now: string, slug: string): Promise<LiveKey> {
  const secret = bearerOf(authorization) ?? ''
  if (!secretPattern.test(secret)) {
    throw unauthorized('A key is sk_, its role, _ and 43 letters or digits. Send it as: Authorization: Bearer sk_…')
  }
  const key = await findKey(db, secret, now, slug)
  if (!key) throw unauthorized('This key is unknown, revoked or expired: ask an admin for another one.')
  return key
}

async function bySession(db: Tx, session: SessionSecrets, now: string, slug: string): Promise<LiveKey> {
  const key = await findSession(db, session, now, slug)
  if (!key) throw unauthorized('This session has ended: log in again.')
  return key
}

/** Whether the key or session of a caller is still valid, for responses that take long. */
export async function isLive(
  { db, now }: Pick<Store, 'db' | 'now'>,
  { actor, session }: Omit<Caller, 'project' | 'named'>,
) {
  if (session !== undefined) return (await findSession(db, session, now())) !== undefined
  return actor.kind !== 'key' || (await findKeyById(db, actor.keyId, now())) !== undefined
}

/** Throws UNAUTHORIZED for a request without a key or a whole session. */
function unsent(request: HonoRequest): never {
  if (cookieOf(request) === undefined) throw unauthorized('Send a key: Authorization: Bearer sk_…')
  throw unauthorized(
    `A session cookie counts only with the token that the login returned, as ${tokenHeader}: log in again, or send a key.`,
  )
}

/** Records the last use of a key, at most once a minute and in the background. */
function createTouch(db: Tx, warn: (error: Error) => void) {
  const touched = new Set<number>()
  return ({ id, lastUsedAt }: LiveKey, now: string) => {
    if (lastUsedAt !== null && Math.abs(Date.parse(now) - Date.parse(lastUsedAt)) < touchEveryMs) return
    if (touched.has(id)) return
    touched.add(id)
    void touchKey(db, id, now)
      .catch(warn)
      .finally(() => touched.delete(id))
  }
}

/** The project named by a header, cut just beyond the longest slug so that errors stay short. */
const slugOf = (named: string | undefined) => named?.slice(0, 129)

/** Other schemes belong to a proxy that asks for a password. */
const isBearer = (authorization = '') => /^Bearer( |$)/i.test(authorization)

/** The key in an Authorization header. Anything much longer than a key is not a key. */
export const bearerOf = (authorization: string) => /^Bearer +(\S+)$/i.exec(authorization.slice(0, 200))?.[1]

const unauthorized = (message: string) => new ConductError('UNAUTHORIZED', message)
