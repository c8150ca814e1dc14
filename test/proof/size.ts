/** The share of the full size that a proof has; undefined within `npm test`. */
const share = process.env.CONDUCT_PROOF === undefined ? undefined : Number(process.env.CONDUCT_PROOF)

/** The size of a proof: small within `npm test`, full in `npm run proof`, and at least small in a share of it. */
export const size = (small: number, full: number) =>
  share === undefined ? small : Math.max(Math.min(small, full), Math.ceil(full * share))

/** Whether other tests run beside this one, so that a server may be too busy to answer in time. */
export const isBeside = share === undefined

/**
 * The seed of random tests. It is the same in every `npm test`, and new in every proof, unless CONDUCT_TEST_SEED sets
 * it.
 */
export const seed = Number(process.env.CONDUCT_TEST_SEED ?? 1)
