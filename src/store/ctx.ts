import { ConductError, invalid } from '../api/error.ts'
import type { Name } from '../api/paths.ts'
import type { Output, Parsed } from '../api/routes.ts'
import { type Actor, isConfined, permits } from '../ledger/actor.ts'
import type { Send } from '../ledger/webhook.ts'
import type { Tx } from './engine/db.ts'

export interface ProjectRef {
  id: number
  slug: string
}

/** What an operation knows beside its input. */
export interface Ctx {
  db: Tx
  /** The one instant of this operation. */
  now: string
  actor: Actor
  /** The project in which it acts. */
  project: ProjectRef
  /** Whether the caller named that project, rather than being given the default. */
  named: boolean
  /** The secret of the session by which the caller came, or that the operation begins or ends. */
  session?: string | undefined
  /** Sends to a webhook, for the operation that does. */
  send?: Send
  /** Removes what erased texts left behind in the database, for the operation that erases. */
  scrub?: () => Promise<void>
  /** What alone this operation changes, where that is known. */
  subject?: string | undefined
  /** The largest content of one document, in UTF-8 bytes. */
  contentLimit: number
}

export type Operation<N extends Name> = (ctx: Ctx, input: Parsed<N>) => Promise<Output<N>>
export type Operations = { [N in Name]: Operation<N> }

/** Runs `work` in a transaction, or in the one that is open already. */
export function inTx<T>(ctx: Ctx, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  return ctx.db.tx((tx) => work({ ...ctx, db: tx }), ctx.subject)
}

/** The key by which the caller came; null for the local user and Conduct itself. */
export const keyIdOf = ({ actor }: Ctx) => (actor.kind === 'key' ? actor.keyId : null)

/** Throws FORBIDDEN when the actor may change only what it created, and this it did not. */
export function requireOwn(ctx: Ctx, row: { created_by: number }, what: string): void {
  if (isConfined(ctx.actor) && row.created_by !== ctx.actor.id) {
    throw new ConductError(
      'FORBIDDEN',
      `${what} was made by another key, and an agent key changes only what it made itself.`,
    )
  }
}

/**
 * Throws PRECONDITION_FAILED when `If-Match` names other versions than the current one. RFC 9110 §13.1.1 demands strong
 * comparison, since a weak tag may stand for several contents. Ours never do: a proxy that compresses an answer makes
 * `W/"1-1"` of `"1-1"`, and both name the same version of the resource. So `W/` is ignored.
 */
export function requireVersion(ifVersion: string | undefined, id: number | string, version: number): void {
  if (ifVersion === undefined || ifVersion.trim() === '*') return
  const current = `"${id}-${version}"`
  if (!ifVersion.split(',').some((tag) => tag.trim().replace(/^W\//, '') === current)) {
    throw new ConductError(
      'PRECONDITION_FAILED',
      `If-Match names ${ifVersion}, but the current version is ${current}: read it again, then decide whether to change it.`,
    )
  }
}

/**
 * When something is made: now, or at the past moment that a caller with admin gives for it. FORBIDDEN for others;
 * VALIDATION_ERROR for a moment that has not come.
 */
export function madeAt({ now, actor }: Ctx, given: string | undefined): string {
  if (given === undefined) return now
  if (!permits(actor.permissions, 'admin')) {
    throw new ConductError('FORBIDDEN', `createdAt needs a key with admin: leave it out, and it is now.`)
  }
  if (given > now) throw invalid('createdAt', `must not be in the future, and is ${given}: it is ${now}`)
  return given
}
