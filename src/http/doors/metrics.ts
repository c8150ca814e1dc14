import { setTimeout as sleep } from 'node:timers/promises'
import { ConductError } from '../../api/error.ts'
import { type Lag, readLags } from '../../store/log/lag.ts'
import type { Store } from '../../store/open.ts'
import type { Auth } from '../auth.ts'
import type { Metrics } from '../metrics.ts'
import type { Door } from './door.ts'

/** How long a silent database may delay the metrics of the process. */
const lagsMs = 1_000

interface Parts {
  metrics: Metrics
  auth: Auth
  store: Store
}

/** Serves the metrics to this machine, and to others with a key of the whole server. */
export function metricsDoor({ metrics, auth, store }: Parts): Door {
  return {
    label: 'metrics',
    methods: ['GET'],
    paths: ['/metrics'],
    async answer(exchange) {
      if (!isLoopback(exchange.peer)) {
        const { actor } = await auth.callerOf(exchange.request, exchange)
        if (actor.kind === 'key' && actor.projectId !== null)
          throw new ConductError('FORBIDDEN', 'Metrics need a key of the whole server.')
      }
      return {
        status: 200,
        headers: { 'content-type': 'text/plain; version=0.0.4' },
        body: metrics.print(await lagsOf(store)),
      }
    },
  }
}

/** The lags of followers; none if the database does not return them in time. */
const lagsOf = ({ db }: Store): Promise<Lag[]> =>
  Promise.race([readLags(db).catch(() => []), sleep(lagsMs, [], { ref: false })])

const isLoopback = (address: string | undefined) => address !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(address)
