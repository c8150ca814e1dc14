/** How long a session lasts unless its key expires earlier. */
export const sessionMs = 30 * 24 * 3600_000

/** How long a login code is valid. */
export const loginCodeMs = 10 * 60_000
