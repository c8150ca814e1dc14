import { withoutPassword } from '../setting.ts'

/** Where the ledger is: a server, or a database of this machine that is opened in process. */
export type Place =
  | { kind: 'server'; url: string; project: string | undefined; profile: string | undefined }
  | LocalPlace

export interface LocalPlace {
  kind: 'local'
  databaseUrl: string
  project: string | undefined
}

/** The place as it may be written to disk. Secrets are asked for when they are needed, and kept nowhere. */
export const withoutSecret = (place: Place): Place =>
  place.kind === 'local' ? { ...place, databaseUrl: withoutPassword(place.databaseUrl) } : place

/**
 * Whether two places are one project of one ledger. The password of a database does not count, nor the profile that leads
 * to a server, nor whether a place was read from disk.
 */
export const samePlace = (one: Place, other: Place): boolean => one.project === other.project && sameLedger(one, other)

export function sameLedger(one: Place, other: Place): boolean {
  if (one.kind === 'local' || other.kind === 'local') {
    return (
      one.kind === 'local' &&
      other.kind === 'local' &&
      withoutPassword(one.databaseUrl) === withoutPassword(other.databaseUrl)
    )
  }
  return sameUrl(one.url, other.url)
}

/** Whether two addresses of servers are the same, but for a `/` at the end. */
export const sameUrl = (one: string, other: string) => one.replace(/\/$/, '') === other.replace(/\/$/, '')
