import { readDocument } from '../../agents/read.ts'
import { withoutSecrets } from '../../agents/secrets.ts'
import { ConductError } from '../../api/error.ts'
import { permits } from '../../ledger/actor.ts'
import type { Store } from '../../store/open.ts'
import type { Auth } from '../auth.ts'
import { parseBody, readBody } from '../body.ts'
import type { Exchange } from '../exchange.ts'
import type { Door } from './door.ts'

interface Parts {
  store: Store
  auth: Auth
  basePath: string
  contentLimit: number
}

/** A hook document holds what a tool printed, too; it may have so many bytes. */
const documentLimit = 16_000_000

/**
 * Takes the documents of agents' hooks, for agents that can send them, and for sandboxes without our program. What a
 * document does not tell of the work, and what is of nobody we know, is answered alike: an agent must not stumble over Conduct.
 */
export function hooksDoor({ store, auth, basePath, contentLimit }: Parts): Door {
  return {
    label: 'hooks',
    methods: ['POST'],
    paths: [`${basePath}/v1/hooks/:agent`],
    async answer(exchange) {
      const { request, now } = exchange
      const caller = await auth.callerOf(request, exchange)
      if (!permits(caller.actor.permissions, 'agent')) {
        throw new ConductError('FORBIDDEN', "Hooks need a key with the permission 'agent'.")
      }
      requireSafeWay(exchange)
      const document = parseBody(await readBody(request, documentLimit), request.header('content-type'))
      const ctx = { db: store.db, now, ...caller, contentLimit }
      // Loaded on first use, since most servers take no hooks.
      const [{ tell }, { mask }] = await Promise.all([import('../hook.ts'), import('../../mask/mask.ts')])
      for (const seen of readDocument(request.param('agent') ?? '', document, {})) {
        await tell(ctx, { ...seen, step: await withoutSecrets(seen.step, mask) })
      }
      return { status: 204, headers: {}, body: null }
    },
  }
}

/** Throws FORBIDDEN for a document that came over a network in clear: it holds what people and commands said. */
function requireSafeWay({ request, peer }: Exchange): void {
  const isLocal = peer === undefined || /^(?:127\.|::1$|::ffff:127\.)/.test(peer)
  const forwarded = request.header('x-forwarded-proto')?.split(',')[0]?.trim()
  // A proxy in front says how it was asked itself.
  if (forwarded === undefined ? isLocal : forwarded === 'https') return
  throw new ConductError(
    'FORBIDDEN',
    'Hooks are taken over HTTPS, or from this machine: their documents hold what was said.',
  )
}
