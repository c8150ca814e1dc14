import { hash, randomBytes } from 'node:crypto'
import { invalid } from '../api/error.ts'

/** The token of a new lease: the one that its holder proposes, else a random one. VALIDATION_ERROR for one that is easily guessed. */
export function tokenOf(proposed: string | undefined): string {
  if (proposed === undefined) return randomBytes(24).toString('base64url')
  if (/^[\x21-\x7e]{32,128}$/.test(proposed)) return proposed
  throw invalid('leaseToken', 'must be 32 to 128 visible ASCII characters, to be the token of a new lease')
}

/** What is stored in place of a token. */
export const tokenHash = (token: string) => hash('sha256', token)

/** The moment at which a lease runs out that is granted or renewed `now`. */
export function expiryOf(now: string, seconds: number): string {
  return new Date(Date.parse(now) + seconds * 1000).toISOString()
}

/** Why a run failed whose lease ran out. */
export const expired = { code: 'LEASE_EXPIRED', message: 'Nothing was heard of it until its lease ran out.' }

/** Why a run failed that somebody else than its holder ended. */
export const cancelled = { code: 'CANCELLED', message: 'It was ended by another than the holder of its lease.' }
