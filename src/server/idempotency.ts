import { createHash } from 'node:crypto'
import { ConductError, invalid } from '../contract/error.ts'
import { type Ctx, inTx } from '../frame/ctx.ts'
import { claim, type Kept, keep } from '../frame/idempotency.ts'

export interface Repeatable {
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
export function once(ctx: Ctx, request: Repeatable, work: (ctx: Ctx) => Promise<Kept>): Promise<Kept> {
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
    await keep(ctx, name, secret ? without(answer, secret) : answer)
    return answer
  })
}

function fingerprintOf({ method, path, body }: Repeatable): string {
  return createHash('sha256').update(`${method}\n${path}\n`).update(body).digest('hex')
}

function without(answer: Kept, field: string): Kept {
  const { [field]: _, ...rest } = JSON.parse(answer.body)
  return { ...answer, body: JSON.stringify(rest) }
}

function shownOnce({ body }: Kept, secret: string): ConductError {
  const { key } = JSON.parse(body)
  const remedy = key ? `revoke key ${key.id} ('${key.prefix}…') and create another` : 'create another'
  return new ConductError(
    'CONFLICT',
    `The server has already done this and shown the ${secret} once. If you lost it, ${remedy}.`,
  )
}
