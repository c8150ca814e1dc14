import { ConductError } from '../error.ts'
import type { Actor } from '../key.ts'
import { defaultProject } from '../project.ts'
import { secretPattern } from '../secret.ts'
import type { ProjectRef } from '../store/ctx.ts'
import { findKey, touchKey } from '../store/key.ts'
import type { Store } from '../store/open.ts'
import { findProject } from '../store/scope.ts'

/** Who asks, and in which project. */
export interface Caller {
  actor: Actor
  project: ProjectRef
  /** Whether the caller named the project. */
  named: boolean
}

const touchEveryMs = 60_000

/** Turns the headers of a request into its caller. */
export function createAuth(store: Store, warn: (error: Error) => void) {
  // A project is never deleted and keeps its slug, so what was found once stays true.
  const projects = new Map<string, ProjectRef>()
  const touched = new Set<number>()

  async function projectOf(slug: string): Promise<ProjectRef> {
    const known = projects.get(slug)
    if (known) return known
    const found = await findProject(store.db, slug, null)
    projects.set(slug, found)
    return found
  }

  async function touch(id: number, now: string) {
    if (touched.has(id)) return
    touched.add(id)
    await touchKey(store.db, id, now).catch(warn)
    touched.delete(id)
  }

  return {
    /** The holder of the bearer key. Throws UNAUTHORIZED. */
    async actorOf(authorization: string | undefined, now: string): Promise<{ actor: Actor; own: ProjectRef | null }> {
      if (authorization === undefined) throw unauthorized('Send a key: Authorization: Bearer sk_…')
      const secret = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? ''
      if (!secretPattern.test(secret)) {
        throw unauthorized('A key is sk_, its role, _ and 43 letters and digits, sent as: Authorization: Bearer sk_…')
      }
      const key = await findKey(store.db, secret, now)
      if (!key) throw unauthorized('This key is unknown, revoked or expired: ask an admin for another one.')
      if (key.lastUsedAt === null || Date.parse(now) - Date.parse(key.lastUsedAt) >= touchEveryMs)
        void touch(key.id, now)
      const { id: keyId, name, permissions, projectId, slug } = key
      const own = projectId === null || slug === null ? null : { id: projectId, slug }
      return { actor: { kind: 'key', keyId, name, permissions, projectId }, own }
    },

    /** The project in which an actor acts. Throws NOT_FOUND for one that it may not see, or that does not exist. */
    async callerOf(actor: Actor, own: ProjectRef | null, named: string | undefined): Promise<Caller> {
      if (own && (named === undefined || named === own.slug)) return { actor, project: own, named: named !== undefined }
      if (own) await findProject(store.db, named as string, own.id)
      return { actor, project: await projectOf(named ?? defaultProject), named: named !== undefined }
    },
  }
}

const unauthorized = (message: string) => new ConductError('UNAUTHORIZED', message)
