/** How the result of a check is known, weakest first. */
export const evidences = ['self', 'executed', 'independent'] as const
export type Evidence = (typeof evidences)[number]
