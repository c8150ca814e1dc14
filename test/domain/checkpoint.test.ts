import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkpointsIn,
  hashesFrom,
  isSignedBy,
  newKeyPair,
  proofText,
  signCheckpoint,
  verifierKeyOf,
} from '../../src/log/seal/signed-note.ts'

// The key from the examples of Go's package sumdb/note.
const goKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'

const keys = newKeyPair()
const origin = 'conduct/one'
const verifierKey = verifierKeyOf(origin, keys.publicKey)
const head = { size: 12, root: Buffer.alloc(32, 7) }
const checkpoint = signCheckpoint(origin, keys, head)

test('a verifier key has the same id as in Go', () => {
  const publicKey = Buffer.from(goKey.split('+')[2] as string, 'base64').subarray(1)
  assert.equal(verifierKeyOf('PeterNeumann', publicKey), goKey)
})

test('a checkpoint is origin, size and root, signed by its own key', () => {
  assert.match(checkpoint.note, /^conduct\/one\n12\nBwcH[A-Za-z0-9+/]+=\n\n— conduct\/one [A-Za-z0-9+/=]+\n$/)
  assert.ok(isSignedBy(checkpoint, verifierKey))
  assert.ok(!isSignedBy(checkpoint, verifierKeyOf(origin, newKeyPair().publicKey)))
  assert.ok(!isSignedBy(checkpoint, verifierKeyOf('conduct/two', keys.publicKey)))
  assert.ok(!isSignedBy({ ...checkpoint, size: 13 }, verifierKey))
  assert.ok(!isSignedBy({ ...checkpoint, root: Buffer.alloc(32) }, verifierKey))
  for (const malformed of ['', 'conduct/one+0+x', `${verifierKey}AAAA`])
    assert.ok(!isSignedBy(checkpoint, malformed), malformed)
})

test('checkpoints are found in any text, with signatures of other keys', () => {
  const later = signCheckpoint(origin, keys, { ...head, size: 13 })
  const cosigned = `${checkpoint.note}— witness.example AAAA\n`
  const found = checkpointsIn(`a log of CI\n${cosigned}\nsomething\r\n${later.note.replaceAll('\n', '\r\n')}tail`)
  assert.deepEqual(found, [{ ...checkpoint, note: cosigned }, later])
  assert.ok(found.every((one) => isSignedBy(one, verifierKey)))
  assert.deepEqual(checkpointsIn('nothing'), [])
})

test('a checkpoint is found after a byte order mark, without its last line break, and in the log of a CI job', () => {
  const { note } = checkpoint
  const behind = (time: string) => note.replace(/^/gm, time)
  const github = behind('2026-01-31T09:30:00.1234567Z ')
  const gitlab = behind('2026-01-31T09:30:00.123456Z 00O ')
  for (const text of [`\ufeff${note}`, note.trimEnd(), github, gitlab]) {
    assert.deepEqual(checkpointsIn(text), [checkpoint], text)
  }
})

test('a checkpoint that was cut off has no valid signature, and the previous one remains', () => {
  const length = checkpoint.note.replace(/=*\n$/, '').length
  for (let end = checkpoint.note.indexOf('=\n') + 1; end < length; end++) {
    const [first, cut] = checkpointsIn(`${checkpoint.note}\n${checkpoint.note.slice(0, end)}`)
    assert.deepEqual(first, checkpoint)
    assert.ok(cut?.size === 12 && !isSignedBy(cut, verifierKey), `${end} of ${length}`)
  }
})

test('a proof is a text as in the C2SP specification, and malformed hashes are refused', () => {
  const text = proofText(3, [head.root], checkpoint.note, '[1]')
  const root = head.root.toString('base64')
  assert.equal(text, `c2sp.org/tlog-proof@v1\nextra WzFd\nindex 3\n${root}\n\n${checkpoint.note}`)
  assert.deepEqual(hashesFrom([root]), [head.root])
  assert.throws(() => hashesFrom(['AAAA']), /SHA-256/)
})
