/** The size of a proof: small within `npm test`, full with CONDUCT_PROOF=full. */
export const size = (small: number, full: number) => (process.env.CONDUCT_PROOF === 'full' ? full : small)
