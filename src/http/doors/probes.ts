import { ConductError } from '../../api/error.ts'
import { tryWrite } from '../../store/health.ts'
import type { Store } from '../../store/open.ts'
import type { Answer } from '../exchange.ts'
import type { Door } from './door.ts'

const tryEveryMs = 1000

/** Tells that this process answers, whatever its database does. */
export const livenessDoor: Door = {
  label: 'livez',
  methods: ['GET'],
  paths: ['/livez'],
  answer: async () => told(200, 'ok'),
}

/** Tells whether this server takes work: 200, or 503 while it stops or the database takes no write. */
export function readinessDoor(store: Store, isStopping: () => boolean): Door {
  let triedAt = Number.NEGATIVE_INFINITY
  let tried: Promise<string | undefined> = Promise.resolve(undefined)

  /** What keeps the database from taking a write; undefined where nothing does. */
  function obstacle(): Promise<string | undefined> {
    if (performance.now() - triedAt >= tryEveryMs) {
      triedAt = performance.now()
      tried = tryWrite(store).then(
        () => undefined,
        (error) => (error instanceof ConductError ? error.message : 'The database answers no write.'),
      )
    }
    return tried
  }

  return {
    label: 'readyz',
    methods: ['GET'],
    paths: ['/readyz'],
    async answer() {
      if (isStopping()) return told(503, 'stopping')
      const words = await obstacle()
      return words === undefined ? told(200, 'ok') : told(503, words)
    },
  }
}

function told(status: 200 | 503, words: string): Answer {
  return { status, headers: status === 503 ? { 'retry-after': '1' } : {}, body: JSON.stringify({ status: words }) }
}
