import { ConductError } from '../../contract/error.ts'
import { tryWrite } from '../../operations/health.ts'
import type { Store } from '../../operations/open.ts'
import { version } from '../../version.ts'
import type { Answer, Handler } from './handler.ts'

const tryEveryMs = 1000
const readRisksEveryMs = 60_000

/** Liveness: 200 while the process responds, whatever the state of the database. */
export const livenessHandler: Handler = {
  label: 'livez',
  methods: ['GET'],
  paths: ['/livez'],
  isProbe: true,
  answer: async () => probe(200, 'ok'),
}

/** Readiness: 200, with the risks of the database's configuration; `degraded` while the time may be wrong; or 503 while the server stops or the database accepts no writes. */
export function readinessHandler(store: Store, isStopping: () => boolean): Handler {
  let triedAt = Number.NEGATIVE_INFINITY
  let tried: Promise<string | undefined> = Promise.resolve(undefined)
  let readAt = Number.NEGATIVE_INFINITY
  let risks: Promise<string[]> = Promise.resolve([])

  /** Why the database accepts no writes; undefined if it does. */
  function obstacle(): Promise<string | undefined> {
    if (performance.now() - triedAt >= tryEveryMs) {
      triedAt = performance.now()
      tried = tryWrite(store).then(
        () => undefined,
        (error) => (error instanceof ConductError ? error.message : 'The database accepts no writes.'),
      )
    }
    return tried
  }

  function warnings(): Promise<string[]> {
    if (performance.now() - readAt >= readRisksEveryMs) {
      readAt = performance.now()
      risks = store.db.risks().catch(() => [])
    }
    return risks
  }

  return {
    label: 'readyz',
    methods: ['GET'],
    paths: ['/readyz'],
    isProbe: true,
    async answer() {
      if (isStopping()) return probe(503, 'stopping')
      const words = await obstacle()
      if (words !== undefined) return probe(503, words)
      const doubt = store.doubt()
      return doubt === undefined
        ? probe(200, 'ok', await warnings())
        : probe(200, 'degraded', [doubt, ...(await warnings())])
    },
  }
}

function probe(status: 200 | 503, words: string, warnings: string[] = []): Answer {
  const body = { status: words, version, ...(warnings.length > 0 && { warnings }) }
  return { status, headers: status === 503 ? { 'retry-after': '1' } : {}, body: JSON.stringify(body) }
}
