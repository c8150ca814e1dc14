import { permits } from '../../contract/actor.ts'
import { ConductError } from '../../contract/error.ts'
import type { Store } from '../../operations/open.ts'
import { readDocument } from '../../recorder/agents/read.ts'
import { withoutSecrets } from '../../recorder/agents/secrets.ts'
import type { Auth } from '../auth.ts'
import { enterAndRead, hasMoreValues, mostValues, parseBody, readBody } from '../body.ts'
import type { Exchange } from '../exchange.ts'
import { parametersOf } from '../input.ts'
import type { Handler } from './handler.ts'

interface Parts {
  store: Store
  auth: Auth
  basePath: string
  contentLimit: number
}

/** The most bytes of a hook document, which includes the output of tools. */
const documentLimit = 16_000_000
const nothing = { status: 204, headers: {}, body: null }

/**
 * Serves hooks of agents that can send them over HTTP, and of sandboxes without our program. Documents without news,
 * and those of unknown agents, get the same response: an agent must never stumble over Conduct.
 */
export function hooksHandler({ store, auth, basePath, contentLimit }: Parts): Handler {
  return {
    label: 'hooks',
    methods: ['POST'],
    paths: [`${basePath}/v1/hooks/:agent`],
    async answer(exchange) {
      const { request } = exchange
      const now = () => store.now()
      const [caller, bytes] = await enterAndRead(
        exchange,
        now,
        () => enter(auth, exchange),
        () => readBody(request, documentLimit),
      )
      // As one that is nested too deeply. No agent writes nearly as many.
      if (hasMoreValues(bytes, mostValues)) return nothing
      const document = parseBody(bytes, request.header('content-type'))
      const ctx = { db: store.db, now: exchange.now, ...caller, contentLimit }
      // Loaded on first use, since most servers take no hooks.
      const [{ tell, pricesFor }, { mask }] = await Promise.all([
        import('../hooks/record.ts'),
        import('../../mask/mask.ts'),
      ])
      for (const seen of readDocument(request.param('agent') ?? '', document, {})) {
        const masked = { ...seen, step: await withoutSecrets(seen.step, mask) }
        await tell(ctx, masked, await pricesFor(masked))
      }
      return nothing
    },
  }
}

/** Authenticates the caller. Throws FORBIDDEN without the permission, and as `requireSafeWay`; VALIDATION_ERROR for parameters. */
async function enter(auth: Auth, exchange: Exchange) {
  const caller = await auth.callerOf(exchange.request, exchange)
  if (!permits(caller.actor.permissions, 'agent')) {
    throw new ConductError('FORBIDDEN', "Hooks need a key with the permission 'agent'.")
  }
  requireSafeWay(exchange)
  parametersOf(exchange.request.url, [])
  return caller
}

/** Throws FORBIDDEN for a document sent unencrypted over a network: it contains what people and commands wrote. */
function requireSafeWay({ request, peer }: Exchange): void {
  const isLocal = peer === undefined || /^(?:127\.|::1$|::ffff:127\.)/.test(peer)
  const forwarded = request.header('x-forwarded-proto')?.split(',')[0]?.trim()
  // A proxy says how it was reached itself.
  if (forwarded === undefined ? isLocal : forwarded === 'https') return
  throw new ConductError(
    'FORBIDDEN',
    'Send hooks over HTTPS, or from this machine: their documents contain prompts and answers.',
  )
}
