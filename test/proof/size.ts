const isFull = process.env.CONDUCT_PROOF === 'full'

/** The size of a proof: small within `npm test`, full in `npm run proof`. */
export const size = (small: number, full: number) => (isFull ? full : small)

/** The seed of random tests: the same in every `npm test`, another in every proof, unless CONDUCT_TEST_SEED names one. */
export const seed = Number(process.env.CONDUCT_TEST_SEED ?? size(1, Date.now() % 1_000_000))
