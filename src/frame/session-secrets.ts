/** How long a session lasts unless its key expires earlier. */
export const sessionMs = 30 * 24 * 3600_000

/**
 * The two secrets of a session. A browser sends the cookie to every port of the host; the token stays in the storage of
 * one origin, whose page sends it as a header.
 */
export interface SessionSecrets {
  cookie: string
  token: string
}

/** How long a login code is valid. */
export const loginCodeMs = 10 * 60_000
