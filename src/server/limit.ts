import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { ConductError } from '../contract/error.ts'

const windowSeconds = 60
/** Failed authentications per minute and peer address. Further failures get 429. */
const failuresPerMinute = 60

export type Limiter = ReturnType<typeof createLimiter>

/** Limits each key to `perMinute` requests, counted in this process; 0 means no limit. */
export function createLimiter(perMinute: number) {
  const requests = new RateLimiterMemory({ points: Math.max(perMinute, 1), duration: windowSeconds })
  const failures = new RateLimiterMemory({ points: failuresPerMinute, duration: windowSeconds })

  async function consume(
    limiter: RateLimiterMemory,
    id: string | number,
  ): Promise<{ state: RateLimiterRes; spent: boolean }> {
    try {
      return { state: await limiter.consume(id), spent: false }
    } catch (error) {
      if (error instanceof RateLimiterRes) return { state: error, spent: true }
      throw error
    }
  }

  return {
    /** Counts a request and sets the X-RateLimit headers. Throws RATE_LIMIT_EXCEEDED. */
    async request(keyId: number, headers: Record<string, string>): Promise<void> {
      if (perMinute === 0) return
      const { state, spent } = await consume(requests, keyId)
      headers['x-ratelimit-limit'] = String(perMinute)
      headers['x-ratelimit-remaining'] = String(state.remainingPoints)
      headers['x-ratelimit-reset'] = String(Math.ceil((Date.now() + state.msBeforeNext) / 1000))
      if (spent) throw exceeded(`This key has used its ${perMinute} requests of this minute`, state)
    },

    /** Counts a failed authentication. Throws RATE_LIMIT_EXCEEDED. Valid keys from the same address still work. */
    async failure(address: string): Promise<void> {
      const { state, spent } = await consume(failures, address)
      if (spent) throw exceeded('Too many failed authentications from this address', state)
    },
  }
}

function exceeded(why: string, { msBeforeNext }: RateLimiterRes): ConductError {
  const retryAfter = Math.max(1, Math.ceil(msBeforeNext / 1000))
  return new ConductError('RATE_LIMIT_EXCEEDED', `${why}: try again in ${retryAfter} s.`, { retryAfter })
}
