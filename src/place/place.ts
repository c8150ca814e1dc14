import { withoutPassword } from './setting.ts'

/** Where the ledger is: a server, or a database of this machine opened in this process. */
export type Place = ServerPlace | LocalPlace

interface ServerPlace {
  kind: 'server'
  url: string
  project: string | undefined
  profile: string | undefined
  /** Tells CONDUCT_API_KEY from other keys, which may not send what is recorded with it. */
  keyMark?: string | undefined
}

export interface LocalPlace {
  kind: 'local'
  databaseUrl: string
  project: string | undefined
  /** Whether a flag or the environment named the project. */
  isNamed?: true
}

/** The place in a form that may be written to disk. Secrets are read when needed, and stored nowhere. */
export const withoutSecret = (place: Place): Place =>
  place.kind === 'local' ? { ...place, databaseUrl: withoutPassword(place.databaseUrl) } : place

/**
 * Whether two places are the same project of the same ledger. The password of a database, the profile of a server, and
 * whether a place was read from disk do not matter.
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

/** Whether two server URLs are the same except for a trailing `/`. */
export const sameUrl = (one: string, other: string) => one.replace(/\/$/, '') === other.replace(/\/$/, '')
