import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isConsistent,
  leafHash,
  proveConsistency,
  proveLeaf,
  type ReadNode,
  Roots,
  rootBetween,
  rootOf,
} from '../../src/log/seal/tree.ts'
import { isIncluded } from '../support/inclusion.ts'

/** Test data of Certificate Transparency: eight leaves, and the roots over the first one, two, … of them. */
const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const leavesOf = (count: number) => Array.from({ length: count }, (_, n) => leafHash(Buffer.from(`leaf ${n}`)))

const reader =
  (leaves: Buffer[]): ReadNode =>
  async (level, index) =>
    rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))

test('leaves and roots are those of RFC 6962', async () => {
  const known = entries.map((hex) => leafHash(Buffer.from(hex, 'hex')))
  const growing = new Roots()
  for (const [size, root] of roots.entries()) {
    assert.equal(growing.size, size)
    assert.equal(growing.root().toString('hex'), root)
    assert.equal((await rootBetween(reader(known), 0, size)).toString('hex'), root)
    if (size < known.length) growing.push(known[size] as Buffer)
  }
})

test('a proof verifies each leaf of every small tree, and no other leaf', async () => {
  const leaves = leavesOf(40)
  const read = reader(leaves)
  for (let size = 1; size <= leaves.length; size++) {
    const root = rootOf(leaves.slice(0, size))
    for (let index = 0; index < size; index++) {
      const proof = await proveLeaf(read, index, size)
      const leaf = leaves[index] as Buffer
      assert.ok(isIncluded(leaf, index, size, proof, root), `${index} in ${size}`)
      assert.ok(!isIncluded(leafHash(Buffer.from('other')), index, size, proof, root))
      assert.ok(!isIncluded(leaf, index, size, [...proof, root], root))
      assert.ok(!isIncluded(leaf, size, size, proof, root))
      if (proof.length > 0) assert.ok(!isIncluded(leaf, index, size, proof.slice(1), root))
      if (size > 1) assert.ok(!isIncluded(leaf, (index + 1) % size, size, proof, root))
    }
  }
})

test('a proof verifies each tree as the beginning of a larger one, and no other tree', async () => {
  const leaves = leavesOf(40)
  const read = reader(leaves)
  const head = (size: number) => ({ size, root: rootOf(leaves.slice(0, size)) })
  for (let size = 1; size <= leaves.length; size++) {
    for (let old = 1; old <= size; old++) {
      const proof = await proveConsistency(read, old, size)
      assert.ok(isConsistent(head(old), head(size), proof), `${old} to ${size}`)
      const forged = { size: old, root: leafHash(head(old).root) }
      assert.ok(!isConsistent(forged, head(size), proof), `forged ${old} to ${size}`)
      assert.ok(!isConsistent(head(old), { size, root: forged.root }, proof))
      assert.ok(!isConsistent(head(old), head(size), [...proof, forged.root]))
      if (old < size) assert.ok(!isConsistent(head(old), head(size), proof.slice(1)))
      if (old < size) assert.ok(!isConsistent(head(size), head(old), proof))
    }
  }
})
