import { hash } from 'node:crypto'

/** The Merkle tree of RFC 6962 §2.1 over SHA-256. Leaves and sizes are counted from 0 and in JavaScript's safe integers. */

export const hashBytes = 32

/** By way of a string, because Node.js takes three times as long to make a buffer of the hash. */
const sha256 = (bytes: Uint8Array) => Buffer.from(hash('sha256', bytes, 'binary'), 'binary')
const leafPrefix = Buffer.of(0)
/** A buffer for the node being hashed. */
const node = Buffer.alloc(1 + 2 * hashBytes, 1)

/** The hash of a leaf: SHA-256(0x00 ‖ bytes). */
export const leafHash = (bytes: Uint8Array): Buffer => sha256(Buffer.concat([leafPrefix, bytes]))

/** The hash of an interior node: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1)
  node.set(right, 1 + hashBytes)
  return sha256(node)
}

const emptyRoot = sha256(new Uint8Array())

/** Computes the root of a growing list of leaves in logarithmic memory. */
export class Roots {
  /** The roots of the complete subtrees of the leaves so far, largest first. */
  readonly #peaks: { leaves: number; hash: Buffer }[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  push(leaf: Buffer): void {
    this.#size++
    let peak = { leaves: 1, hash: leaf }
    for (let last = this.#peaks.at(-1); last?.leaves === peak.leaves; last = this.#peaks.at(-1)) {
      this.#peaks.pop()
      peak = { leaves: peak.leaves * 2, hash: nodeHash(last.hash, peak.hash) }
    }
    this.#peaks.push(peak)
  }

  root(): Buffer {
    const [last, ...larger] = this.#peaks.toReversed()
    return last ? larger.reduce((right, left) => nodeHash(left.hash, right), last.hash) : emptyRoot
  }
}

/** The root of a list of hashes. */
export function rootOf(hashes: readonly Buffer[]): Buffer {
  const roots = new Roots()
  for (const one of hashes) roots.push(one)
  return roots.root()
}

/** Reads the root of the complete subtree that starts at leaf `index * 2 ** level`. */
export type ReadNode = (level: number, index: number) => Promise<Buffer>

/** The largest power of two below `n` > 1, where RFC 6962 splits a tree of `n` leaves. */
function splitOf(n: number): number {
  let split = 1
  while (split * 2 < n) split *= 2
  return split
}

/** The root of the leaves from `from` up to but not including `to`. */
export async function rootBetween(read: ReadNode, from: number, to: number): Promise<Buffer> {
  const count = to - from
  if (count === 0) return emptyRoot
  const level = Math.round(Math.log2(count))
  if (2 ** level === count) return read(level, from / count)
  const middle = from + splitOf(count)
  return nodeHash(await rootBetween(read, from, middle), await rootBetween(read, middle, to))
}

/** The inclusion proof of a leaf in the tree of `size` leaves (RFC 6962 §2.1.1), starting with its sibling. */
export async function proveLeaf(read: ReadNode, index: number, size: number, from = 0): Promise<Buffer[]> {
  if (size - from === 1) return []
  const middle = from + splitOf(size - from)
  return index < middle
    ? [...(await proveLeaf(read, index, middle, from)), await rootBetween(read, middle, size)]
    : [...(await proveLeaf(read, index, size, middle)), await rootBetween(read, from, middle)]
}

/** The proof that the tree of `size` leaves extends the tree of `old` > 0 leaves (RFC 6962 §2.1.2). */
export async function proveConsistency(read: ReadNode, old: number, size: number, from = 0): Promise<Buffer[]> {
  // The verifier knows the root of the whole old tree.
  if (old === size) return from === 0 ? [] : [await rootBetween(read, from, size)]
  const middle = from + splitOf(size - from)
  return old <= middle
    ? [...(await proveConsistency(read, old, middle, from)), await rootBetween(read, middle, size)]
    : [...(await proveConsistency(read, old, size, middle)), await rootBetween(read, from, middle)]
}

export interface Head {
  size: number
  root: Buffer
}

/** Whether a proof shows that the tree of `head` extends the tree of `old` (RFC 9162 §2.1.4.2). */
export function isConsistent(old: Head, head: Head, proof: readonly Buffer[]): boolean {
  if (old.size > head.size) return false
  if (old.size === head.size) return proof.length === 0 && old.root.equals(head.root)
  if (old.size === 0) return proof.length === 0
  const path = Number.isInteger(Math.log2(old.size)) ? [old.root, ...proof] : [...proof]
  let [at, last] = [old.size - 1, head.size - 1]
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  const first = path.shift()
  if (!first) return false
  let [oldRoot, root] = [first, first]
  for (const one of path) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      oldRoot = nodeHash(one, oldRoot)
      root = nodeHash(one, root)
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)]
    } else {
      root = nodeHash(root, one)
    }
    ;[at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  }
  return last === 0 && oldRoot.equals(old.root) && root.equals(head.root)
}
