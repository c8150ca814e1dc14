import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto'
import { type Head, hashBytes } from './tree.ts'

/** Checkpoints as specified by C2SP (c2sp.org/tlog-checkpoint): notes signed with Ed25519 (c2sp.org/signed-note). */

const ed25519 = Buffer.of(1)
const idBytes = 4
export const keyBytes = 32

/** The bytes before the 32 bytes of an Ed25519 key in SPKI and PKCS #8 (RFC 8410). */
const spki = Buffer.from('302a300506032b6570032100', 'hex')
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A signed statement of the size and root of a log, named by its origin. */
export interface Checkpoint extends Head {
  origin: string
  /** The whole signed note. */
  note: string
}

/** Creates an Ed25519 key pair of 32 bytes each. */
export function newKeyPair(): { privateKey: Buffer; publicKey: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const last = (key: Buffer) => key.subarray(-keyBytes)
  return {
    privateKey: last(privateKey.export({ format: 'der', type: 'pkcs8' })),
    publicKey: last(publicKey.export({ format: 'der', type: 'spki' })),
  }
}

/** The id of a key in a signature line. */
const keyIdOf = (origin: string, publicKey: Buffer) =>
  hash('sha256', Buffer.concat([Buffer.from(`${origin}\n`), ed25519, publicKey]), 'buffer').subarray(0, idBytes)

/** The key for verifying notes, in the form of Go's `note.NewVerifier`. */
export const verifierKeyOf = (origin: string, publicKey: Buffer) =>
  `${origin}+${keyIdOf(origin, publicKey).toString('hex')}+${Buffer.concat([ed25519, publicKey]).toString('base64')}`

const bodyOf = (origin: string, { size, root }: Head) => `${origin}\n${size}\n${root.toString('base64')}\n`

/** Signs a checkpoint of a log. */
export function signCheckpoint(
  origin: string,
  keys: { privateKey: Buffer; publicKey: Buffer },
  head: Head,
): Checkpoint {
  const body = bodyOf(origin, head)
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, keys.privateKey]), format: 'der', type: 'pkcs8' })
  const signature = sign(null, Buffer.from(body), key)
  const line = Buffer.concat([keyIdOf(origin, keys.publicKey), signature]).toString('base64')
  return { ...head, origin, note: `${body}\n— ${origin} ${line}\n` }
}

const noteForm = /^([^\s+]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n(?:\n(?:— \S+ [A-Za-z0-9+/]+={0,2}\n)+)?/gm

/** The times before the lines of a CI job's log: `2026-01-31T09:30:00.0000000Z `, on GitLab with the stream behind. */
const timeForm = /^\d{4}-\d\d-\d\dT[\d:.]{8,18}Z (?:[0-9a-f]{2}[OE][ +])?/gm

/**
 * All checkpoints in a text, in order. Any text around them is ignored. A checkpoint whose signature was cut off is one
 * that nobody signed.
 */
export function checkpointsIn(text: string): Checkpoint[] {
  const lines = `${text}\n`
    .replaceAll('\r\n', '\n')
    .replace(/^\ufeff/, '')
    .replace(timeForm, '')
  return [...lines.matchAll(noteForm)].map(([note, origin = '', size, root = '']) => ({
    origin,
    size: Number(size),
    root: Buffer.from(root, 'base64'),
    note,
  }))
}

/** Whether the key of that verifier key signed a checkpoint, for the origin it names. A malformed key signed nothing. */
export function isSignedBy(checkpoint: Checkpoint, verifierKey: string): boolean {
  const { origin, publicKey } = readVerifierKey(verifierKey) ?? {}
  if (publicKey === undefined || checkpoint.origin !== origin) return false
  const id = keyIdOf(origin, publicKey)
  const key: KeyObject = createPublicKey({ key: Buffer.concat([spki, publicKey]), format: 'der', type: 'spki' })
  const [, signatures = ''] = checkpoint.note.split('\n\n')
  const body = Buffer.from(bodyOf(origin, checkpoint))
  return signatures
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, name]) => name === origin)
    .map(([, , text = '']) => Buffer.from(text, 'base64'))
    .some((bytes) => bytes.subarray(0, idBytes).equals(id) && verify(null, body, key, bytes.subarray(idBytes)))
}

/** Undefined if the text is not an Ed25519 verifier key. */
function readVerifierKey(text: string): { origin: string; publicKey: Buffer } | undefined {
  const [, origin = '', key = ''] = /^([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(text) ?? []
  const bytes = Buffer.from(key, 'base64')
  const isKey = bytes.length === keyBytes + 1 && bytes[0] === ed25519[0]
  return isKey ? { origin, publicKey: bytes.subarray(1) } : undefined
}

/** A proof that a leaf is in the log, for offline verifiers (c2sp.org/tlog-proof). `extra` is not authenticated. */
export function proofText(index: number, proof: readonly Buffer[], note: string, extra?: string): string {
  const lines = proof.map((one) => one.toString('base64'))
  const more = extra === undefined ? [] : [`extra ${Buffer.from(extra).toString('base64')}`]
  return `${['c2sp.org/tlog-proof@v1', ...more, `index ${index}`, ...lines].join('\n')}\n\n${note}`
}

/** Decodes the hashes of a proof. Throws an Error unless each is base64 of 32 bytes. */
export const hashesFrom = (texts: readonly string[]): Buffer[] =>
  texts.map((text) => {
    const bytes = Buffer.from(text, 'base64')
    if (bytes.length === hashBytes) return bytes
    throw new Error(`'${text}' is not the base64 of a SHA-256.`)
  })
