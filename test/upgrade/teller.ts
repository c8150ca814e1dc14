import type { Name } from '../../src/contract/paths.ts'
import type { Code } from './code.ts'

/** The time when the story begins. Each call takes a second. */
const begins = Date.parse('2026-11-20T08:00:00.000Z')
export const adminKey = `sk_admin_${'upgrade'.repeat(6)}0`
export const base = 'http://localhost/conduct'

/** A word that occurs in only one text, and the entry in which a search must find it. */
export interface Word {
  q: string
  project: string
  type: 'run' | 'spec' | 'check' | 'feature' | 'turn'
  subject: string
}

type Said = Record<string, never> & { run: { runId: string }; key: { id: number }; feature: { id: number } }
type Act = (name: Name, input: object, idempotencyKey?: string) => Promise<Said>

/** Makes calls to the ledger at `url`, one per second of its clock, with fixed idempotency keys. */
export async function tellerOf(code: Code, url: string) {
  let now = begins
  let calls = 0
  const warn = (error: Error) => {
    throw error
  }
  const open = () => code.openStore(url, { adminKey, now: () => now, warn })
  let store = await open()
  const appOf = (contentLimit?: number) =>
    code.createApp({ store, rateLimit: 0, ...(contentLimit && { contentLimit }) })
  const as =
    (key: string, project?: string, contentLimit?: number): Act =>
    async (name, input, idempotencyKey = `call-${++calls}`) => {
      const app = appOf(contentLimit)
      const client = code.createClient({
        url: base,
        key,
        attempts: 1,
        fetch: (request) => app.fetch(request),
        ...(project && { project }),
      })
      now += 1000
      if (client[name] === undefined) return {} as Said
      const known = code.routes[name].input.shape
      const fields = Object.entries(input).filter(([field]) => field in known)
      return client[name](Object.fromEntries(fields) as never, { idempotencyKey }) as Promise<never>
    }
  return {
    as,
    fetch: (path: string, init: RequestInit) => appOf().fetch(new Request(base + path, init)),
    knows: (name: Name): boolean => name in code.routes,
    words: [] as Word[],
    now: () => now,
    /** Lets time pass while no server runs. */
    async advance(ms: number) {
      await store.close()
      now += ms
      store = await open()
    },
    async close() {
      if ('search' in code.routes) await as(adminKey)('search', { q: 'nothing' })
      await store.close()
    },
  }
}

export type Teller = Awaited<ReturnType<typeof tellerOf>>
