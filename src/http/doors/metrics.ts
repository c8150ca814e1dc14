import { ConductError } from '../../api/error.ts'
import type { Auth } from '../auth.ts'
import type { Metrics } from '../metrics.ts'
import type { Door } from './door.ts'

/** Serves the metrics to this machine, and to others with a key of the whole server. */
export function metricsDoor(metrics: Metrics, auth: Auth): Door {
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
      return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4' }, body: metrics.print() }
    },
  }
}

const isLoopback = (address: string | undefined) => address !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(address)
