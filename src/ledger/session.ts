/** How long a session lasts, unless its key ends before. */
export const sessionMs = 30 * 24 * 3600_000

/** How long a login code may be used. */
export const loginCodeMs = 10 * 60_000
