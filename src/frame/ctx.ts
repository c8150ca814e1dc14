import { type Actor, isConfined, permits, systemActor } from '../contract/actor.ts'
import { ConductError, invalid } from '../contract/error.ts'
import type { InputOf, OperationRoute, OutputOf } from '../contract/route.ts'
import type { SessionSecrets } from '../contract/secret.ts'
import type { Tx } from '../engine/db.ts'

export interface ProjectRef {
  id: number
  slug: string
}

/** What an operation knows besides its input. */
export interface Ctx {
  db: Tx
  /** The time of this operation. */
  now: string
  /** Why that time may be wrong. Then the operation removes nothing because of its age. */
  doubt?: string | undefined
  actor: Actor
  /** The project that it acts in. */
  project: ProjectRef
  /** Whether the caller named the project, rather than getting the default. */
  named: boolean
  /** The secrets of the caller's session, or of the session to start or end. */
  session?: SessionSecrets | undefined
  /** The hash of the token of a lease that the server's own recorder holds. */
  leaseHash?: string
  /** Why no webhook may send to a URL; undefined if one may. */
  refusal?: ((url: string) => string | undefined) | undefined
  /** Sends to a webhook, for the operation that does so. */
  send?: Send
  /** Removes what erased texts left behind in the database, for the operation that erases. */
  scrub?: () => Promise<void>
  /** The only subject that this operation changes, if known. */
  subject?: string | undefined
  /** The most UTF-8 bytes of one document. */
  contentLimit: number
}

/** The context in which Conduct itself acts, in the project with that number or in none. */
export const systemCtx = (db: Tx, now: string, projectId = 0, actor = systemActor): Ctx => ({
  db,
  now,
  actor,
  // Only responses need the slug.
  project: { id: projectId, slug: '' },
  named: true,
  contentLimit: 0,
})

export type Operation<R extends OperationRoute> = (ctx: Ctx, input: InputOf<R>) => Promise<OutputOf<R>>

/** Runs `work` in a transaction, or in the one that is already open. */
export function inTx<T>(ctx: Ctx, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  return ctx.db.tx((tx) => work({ ...ctx, db: tx }), ctx.subject)
}

/** The caller's key; null for the local user and Conduct itself. */
export const keyIdOf = ({ actor }: Ctx) => (actor.kind === 'key' ? actor.keyId : null)

/** The person who acts, as the key says; null for a service, and without a key. */
export const personIn = ({ actor }: Pick<Ctx, 'actor'>): string | null =>
  (actor.kind === 'key' ? actor.person : undefined) ?? null

/** The person who asks: that of the key, or without one, at the database itself, the one that git names. */
export const askerIn = (ctx: Ctx): string | null =>
  (ctx.actor.kind === 'local' ? ctx.actor.person : undefined) ?? personIn(ctx)

/** Throws FORBIDDEN if the actor may change only what it created, and did not create this. */
export function requireOwn(ctx: Ctx, row: { created_by: number }, what: string): void {
  if (isConfined(ctx.actor) && row.created_by !== ctx.actor.id) {
    throw new ConductError(
      'FORBIDDEN',
      `Another key created ${what}, and an agent key can change only what it created itself.`,
    )
  }
}

/**
 * Throws PRECONDITION_FAILED if `If-Match` names only other versions. RFC 9110 §13.1.1 requires strong comparison,
 * because a weak tag may stand for several contents. Ours never does: a proxy that compresses a response turns `"1-1"`
 * into `W/"1-1"`, and both mean the same version. So we ignore `W/`. A plain number is a version, as responses show it.
 */
export function requireVersion(ifVersion: string | undefined, id: number | string, version: number): void {
  if (ifVersion === undefined || ifVersion.trim() === '*') return
  const [number, tag] = [`${version}`, `"${id}-${version}"`]
  if (!ifVersion.split(',').some((one) => [number, tag].includes(one.trim().replace(/^W\//, '')))) {
    throw new ConductError(
      'PRECONDITION_FAILED',
      `If-Match names ${ifVersion}, but the current version is ${number} (${tag}): read it again before you change it.`,
    )
  }
}

/**
 * The creation time: now, or the past time that an admin gives. Throws FORBIDDEN for others; VALIDATION_ERROR for a
 * time in the future.
 */
export function madeAt({ now, actor }: Ctx, given: string | undefined): string {
  if (given === undefined) return now
  if (!permits(actor.permissions, 'admin')) {
    throw new ConductError('FORBIDDEN', `createdAt needs a key with admin: leave it out to use the current time.`)
  }
  if (given > now) throw invalid('createdAt', `must not be in the future, but is ${given}; now it is ${now}`)
  return given
}

/** One request to the receiver of a webhook. */
export interface Message {
  url: string
  headers: Record<string, string>
  body: string
}

/** The result of a message. Without `error`, the receiver accepted it. */
export interface MessageOutcome {
  /** The HTTP status of the response; undefined when there was none. */
  statusCode?: number
  error?: string
  /** The seconds to wait before the next attempt, if the receiver asks for them. */
  retryAfter?: number
  durationMs: number
}

/** Sends a message once and never throws. An aborted message results in an error. */
export type Send = (message: Message, signal?: AbortSignal) => Promise<MessageOutcome>
