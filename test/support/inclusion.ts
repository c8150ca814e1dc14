import { nodeHash } from '../../src/log/seal/tree.ts'

/**
 * Whether a proof shows that the leaf with that hash is at `index` in the tree of that size and root (RFC 9162
 * §2.1.3.2).
 */
export function isIncluded(leaf: Buffer, index: number, size: number, proof: readonly Buffer[], root: Buffer): boolean {
  if (index >= size) return false
  let at = index
  let last = size - 1
  let found = leaf
  for (const one of proof) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      found = nodeHash(one, found)
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)]
    } else {
      found = nodeHash(found, one)
    }
    ;[at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  }
  return last === 0 && found.equals(root)
}
