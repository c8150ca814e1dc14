/** How much of the full size a proof has; undefined within `npm test`. */
const share = process.env.CONDUCT_PROOF === undefined ? undefined : Number(process.env.CONDUCT_PROOF)

/** The size of a proof: small within `npm test`, full in `npm run proof`, and never less than small in a part of it. */
export const size = (small: number, full: number) =>
  share === undefined ? small : Math.max(Math.min(small, full), Math.ceil(full * share))

/** The seed of random tests: the same in every `npm test`, another in every proof, unless CONDUCT_TEST_SEED names one. */
export const seed = Number(process.env.CONDUCT_TEST_SEED ?? 1)
