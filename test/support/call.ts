import { createClient } from '../../src/client/client.ts'
import { ConductError } from '../../src/contract/error.ts'
import type { Name } from '../../src/contract/paths.ts'
import type { Store } from '../../src/operations/open.ts'
import { type AppOptions, createApp } from '../../src/server/app.ts'
import { base } from './engines.ts'

export interface Answer {
  status: number
  headers: Headers
  text: string
  body: Record<string, unknown>
}

export interface CallBy {
  /** The secret of the key; without one, the call has no key. */
  key?: string
  project?: string
  /** Headers to add or replace; null removes one. */
  headers?: Record<string, string | null>
}

type RawCall = (name: Name, input?: object, by?: CallBy) => Promise<Answer>

/** Calls operations by name with the requests of the typed client, and returns the raw responses. */
export function rawCalls(store: Store, options: Omit<AppOptions, 'store'> = {}): RawCall {
  const app = createApp({ rateLimit: 0, ...options, store })
  return async (name, input = {}, { headers = {}, ...by } = {}) => {
    let answer: Answer | undefined
    const client = createClient({
      url: base,
      attempts: 1,
      ...by,
      fetch: async (request) => {
        for (const [header, value] of Object.entries(headers)) {
          if (value === null) request.headers.delete(header)
          else request.headers.set(header, value)
        }
        const response = await app.fetch(request)
        answer = await read(response.clone())
        return response
      },
    })
    const call = client[name] as (input: object) => Promise<unknown>
    await call(input).catch((error) => {
      if (!(error instanceof ConductError && answer)) throw error
    })
    return answer as Answer
  }
}

/** A response with its body: a JSON object, or the text as the only field of one. */
export async function read(response: Response): Promise<Answer> {
  const text = await response.text()
  const body = /^text\/plain\b/.test(response.headers.get('content-type') ?? '') ? { text } : JSON.parse(text)
  return { status: response.status, headers: response.headers, text, body }
}
