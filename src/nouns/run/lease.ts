import { hash, randomBytes } from 'node:crypto'
import { invalid } from '../../contract/error.ts'
import { shifted } from '../../contract/span.ts'
import { driftMs } from '../../engine/drift.ts'

/**
 * The token of a new lease: the one its holder proposes, else a random one. Throws VALIDATION_ERROR if it is easy to
 * guess.
 */
export function tokenOf(proposed: string | undefined): string {
  if (proposed === undefined) return randomBytes(24).toString('base64url')
  if (/^[\x21-\x7e]{32,128}$/.test(proposed)) return proposed
  throw invalid('leaseToken', 'must be 32 to 128 visible ASCII characters, to be the token of a new lease')
}

/** What is stored instead of a token. */
export const tokenHash = (token: string) => hash('sha256', token)

/** The longest lease, in seconds. */
const longestLease = 86_400

/** After when no lease can expire that was granted at `now`: it was granted while the clock was ahead. */
export const latestExpiry = (now: string) => expiryOf(now, longestLease + driftMs / 1000)

/** When a lease that is granted or renewed at `now` expires. */
export function expiryOf(now: string, seconds: number): string {
  return shifted(now, seconds * 1000)
}

/** The failure of a run whose lease expired. */
export const expired = { code: 'LEASE_EXPIRED', message: 'Its worker sent nothing until the lease expired.' }

/** The failure of a run that someone other than its holder ended. */
export const cancelled = { code: 'CANCELLED', message: 'Somebody other than the holder of its lease ended the run.' }
