import { setTimeout as sleep } from 'node:timers/promises'
import type { HonoRequest } from 'hono'
import { ConductError } from '../../contract/error.ts'
import { cut } from '../../contract/explain.ts'
import { backupState, type Keep } from '../../engine/sqlite/backups.ts'
import { numberEvents } from '../../log/number.ts'
import { lastSeq } from '../../log/read.ts'
import { readEnded, readFacts, readLags, tryWrite } from '../../operations/health.ts'
import type { Store } from '../../operations/open.ts'
import { version } from '../../version.ts'
import type { Auth } from '../auth.ts'
import { type Ends, ledgerMetrics, type Metrics } from '../metrics.ts'
import { type Hosts, nameOf } from '../origin.ts'
import type { Handler, ResponseParts } from './handler.ts'

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

function probe(status: 200 | 503, words: string, warnings: string[] = []): ResponseParts {
  const body = { status: words, version, ...(warnings.length > 0 && { warnings }) }
  return { status, headers: status === 503 ? { 'retry-after': '1' } : {}, body: JSON.stringify(body) }
}

/** How long a silent database may delay the metrics of the process. */
const silentMs = 1_000
/** How many pieces of the log one scrape counts; the next goes on from there. */
const mostPieces = 10

interface Parts {
  metrics: Metrics
  auth: Auth
  hosts: Hosts
  store: Store
  /** The scheduled backups, if there are any. */
  backups: { folder: string; keep: Keep[] } | undefined
}

/**
 * Serves the metrics to this machine, and to others with a key of the whole server. A page that makes its own name resolve
 * to this machine calls from there too, but not under a name of the server.
 */
export function metricsHandler({ metrics, auth, hosts, store, backups }: Parts): Handler {
  const ends = countEnds(store)

  async function print(): Promise<string> {
    const { db, now } = store
    const [lags, facts, counted, kept] = await Promise.all([
      inTime(readLags(db)),
      inTime(readFacts(db, now())),
      inTime(ends()),
      inTime(backups ? backupState(backups.folder, backups.keep, Date.parse(now())) : Promise.resolve(undefined)),
    ])
    return metrics.print(lags ?? [], ledgerMetrics(facts, counted ?? ends.counted, kept, store.doubt() !== undefined))
  }

  return {
    label: 'metrics',
    methods: ['GET'],
    paths: ['/metrics'],
    async answer(exchange) {
      if (!isLoopback(exchange.peer) || !hosts.isOwn(exchange.request)) {
        requireKey(exchange.request)
        const { actor } = await auth.callerOf(exchange.request, exchange)
        if (actor.kind === 'key' && actor.projectId !== null)
          throw new ConductError('FORBIDDEN', 'Metrics need a key of the whole server.')
      }
      return {
        status: 200,
        headers: { 'content-type': 'text/plain; version=0.0.4' },
        body: await print(),
      }
    },
  }
}

/** What is read; undefined if the database does not return it in time. */
const inTime = <T>(reading: Promise<T>): Promise<T | undefined> =>
  Promise.race([reading.catch(() => undefined), sleep(silentMs, undefined, { ref: false })])

/** Counts how runs end, along the log from its end at the first call. */
function countEnds({ db }: Store) {
  const counted: Ends = { completed: 0, failed: 0, leaseLost: 0 }
  let at: number | undefined
  let reading: Promise<Ends> | undefined

  async function read(): Promise<Ends> {
    if (at === undefined) {
      await numberEvents(db)
      at = await lastSeq(db)
    }
    for (let piece = 0; piece < mostPieces; piece++) {
      const { end, ...more } = await readEnded(db, at)
      if (end === at) break
      at = end
      for (const name of ['completed', 'failed', 'leaseLost'] as const) counted[name] += more[name]
    }
    return counted
  }

  const next = () => {
    // Two scrapes at once count each event once.
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }
  return Object.assign(next, { counted })
}

/** Throws UNAUTHORIZED with what opens the metrics, for a request without a key. */
function requireKey(request: HonoRequest) {
  if (request.header('authorization') !== undefined) return
  const words = `Metrics as '${cut(nameOf(request))}' need a key of the whole server (Authorization: Bearer sk_…). Without one, read them on the machine of the server, at 127.0.0.1 or a name in CONDUCT_ALLOWED_HOSTS.`
  throw new ConductError('UNAUTHORIZED', words)
}

const isLoopback = (address: string | undefined) => address !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(address)
