import { createHash } from 'node:crypto'
import type { HonoRequest } from 'hono'
import { type Actor, permits } from '../contract/actor.ts'
import { ConductError, invalid } from '../contract/error.ts'
import { addressOf, type Name } from '../contract/paths.ts'
import { type Ctx, inTx } from '../frame/ctx.ts'
import { claim, keep, type StoredResponse } from '../frame/idempotency.ts'
import type { Store } from '../operations/open.ts'
import { operations, subjectOf } from '../operations/operations.ts'
import { type Parsed, type Route, routes } from '../operations/routes.ts'
import { answerOf, answerPlanOf, type OperationOutput } from './answer.ts'
import type { Auth } from './auth.ts'
import { enterAndRead, parseBody, readBody } from './body.ts'
import type { Exchange } from './exchange.ts'
import { planOf, queryOf, type RawInput, readInput } from './input.ts'

interface EndpointParts {
  store: Store
  auth: Auth
  basePath: string
  contentLimit: number
  refusal: Ctx['refusal']
  send: Ctx['send']
}

const noBytes = new Uint8Array()

/** Serves one operation of the table. Returns the single steps, for handlers, and `answer`, which takes them all in order. */
export function createEndpoint<N extends Name>(name: N, parts: EndpointParts) {
  const { basePath, contentLimit } = parts
  const route: Route = routes[name]
  const { enter, asAnyone } = entranceOf(route, parts)
  const output = answerPlanOf(name)
  // TypeScript cannot connect the entry's own type with the generic name.
  const operation = operations[name] as (ctx: Ctx, input: unknown) => Promise<OperationOutput>
  const isGet = addressOf(name).method === 'GET'

  /** Reads and parses the input. The body may have `limit` bytes. */
  async function read({ request }: Exchange, limit = contentLimit * 2) {
    const bytes = isGet ? noBytes : await readBody(request, limit)
    return { bytes, parsed: readInput(planOf(name), rawInputOf(request, isGet ? undefined : bytes)) as Parsed<N> }
  }

  const perform = async (ctx: Ctx, parsed: Parsed<N>, { request }: Exchange): Promise<StoredResponse> =>
    answerOf(output, await operation(ctx, parsed), basePath, request.url, request.header('accept'))

  async function answer(exchange: Exchange): Promise<StoredResponse> {
    const [caller, { bytes, parsed }] = await enterAndRead(
      exchange,
      () => parts.store.now(),
      () => enter(exchange),
      () => read(exchange),
    )
    const { request } = exchange
    const idempotencyKey = isGet || route.isAnew ? undefined : request.header('idempotency-key')
    const ctx = { ...caller, subject: subjectOf(caller, name, parsed, idempotencyKey) }
    if (idempotencyKey === undefined) return perform(ctx, parsed, exchange)
    const { method, path } = request
    const repeatable = { name: idempotencyKey, method, path, body: bytes, secret: route.secret }
    return once(ctx, repeatable, (ctx) => perform(ctx, parsed, exchange))
  }

  return { enter, asAnyone, read, perform, answer }
}

/** Who calls an operation, as the context that it runs in. */
function entranceOf({ permission, isOfServer }: Route, { store, auth, contentLimit, refusal, send }: EndpointParts) {
  const scrub = () => store.db.scrub()
  return {
    /** Authenticates the caller. Throws UNAUTHORIZED, or FORBIDDEN if the caller lacks the permission. */
    async enter(exchange: Exchange): Promise<Ctx> {
      const caller = await auth.callerOf(exchange.request, exchange, isOfServer)
      if (!permits(caller.actor.permissions, permission)) throw forbidden(caller.actor, permission)
      return { db: store.db, now: exchange.now, doubt: store.doubt(), ...caller, contentLimit, refusal, send, scrub }
    },

    /** The context of an unknown caller, for operations that need no key. */
    asAnyone: async ({ now }: Exchange): Promise<Ctx> => ({
      db: store.db,
      now,
      ...(await auth.nobody()),
      contentLimit,
    }),
  }
}

/** The parts of a request that make up the input; a GET has no body. */
function rawInputOf(request: HonoRequest, bytes: Uint8Array | undefined): RawInput {
  return {
    params: request.param(),
    query: queryOf(request.url),
    header: (name) => request.header(name),
    body: bytes && parseBody(bytes, request.header('content-type')),
  }
}

export type Endpoint<N extends Name> = ReturnType<typeof createEndpoint<N>>

function forbidden(actor: Actor, required: string): ConductError {
  return new ConductError(
    'FORBIDDEN',
    `This requires a key with the permission '${required}'; this key has: ${actor.permissions.join(', ')}.`,
  )
}

interface Repeatable {
  /** The Idempotency-Key. */
  name: string
  method: string
  path: string
  body: Uint8Array
  /** The response field that is shown once and never stored. */
  secret: string | undefined
}

/**
 * Runs `work` once for an Idempotency-Key, in one transaction with the claim and the kept answer; the same request
 * again gets the same answer. Failed work leaves no trace of the key. Throws IDEMPOTENCY_MISMATCH, and CONFLICT for the
 * replay of an answer with a secret.
 */
function once(ctx: Ctx, request: Repeatable, work: (ctx: Ctx) => Promise<StoredResponse>): Promise<StoredResponse> {
  const { name, secret } = request
  if (!/^[\x21-\x7e]{1,255}$/.test(name)) {
    throw invalid('Idempotency-Key', 'must be 1 to 255 visible ASCII characters')
  }
  const fingerprint = fingerprintOf(request)
  return inTx(ctx, async (ctx) => {
    const before = await claim(ctx, name, fingerprint)
    if (before && secret) throw shownOnce(before, secret)
    if (before) return { ...before, headers: { ...before.headers, 'idempotent-replayed': 'true' } }
    const answer = await work(ctx)
    await keep(ctx, name, fingerprint, secret ? without(answer, secret) : answer)
    return answer
  })
}

function fingerprintOf({ method, path, body }: Repeatable): string {
  return createHash('sha256').update(`${method}\n${path}\n`).update(body).digest('hex')
}

function without(answer: StoredResponse, field: string): StoredResponse {
  const { [field]: _, ...rest } = JSON.parse(answer.body)
  return { ...answer, body: JSON.stringify(rest) }
}

function shownOnce({ body }: StoredResponse, secret: string): ConductError {
  const { key } = JSON.parse(body)
  const remedy = key ? `revoke key ${key.id} ('${key.prefix}…') and create another` : 'create another'
  return new ConductError(
    'CONFLICT',
    `The server has already done this and shown the ${secret} once. If you lost it, ${remedy}.`,
  )
}
