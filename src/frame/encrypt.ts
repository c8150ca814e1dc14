import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'

const cipher = 'aes-256-gcm'
const ivBytes = 12
const tagBytes = 16

const keyOf = (secret: string) => hash('sha256', `sealed under ${secret}`, 'buffer')

/** Encrypts `text` under `secret` with AES-256-GCM (NIST SP 800-38D), in base64. */
export function encrypt(text: string, secret: string): string {
  const iv = randomBytes(ivBytes)
  const encipher = createCipheriv(cipher, keyOf(secret), iv)
  const encrypted = [iv, encipher.update(text, 'utf8'), encipher.final(), encipher.getAuthTag()]
  return Buffer.concat(encrypted).toString('base64')
}

/** Decrypts a text. Throws if `secret` is not the one it was encrypted under. */
export function decrypt(encrypted: string, secret: string): string {
  const bytes = Buffer.from(encrypted, 'base64')
  const decipher = createDecipheriv(cipher, keyOf(secret), bytes.subarray(0, ivBytes))
  decipher.setAuthTag(bytes.subarray(-tagBytes))
  return decipher.update(bytes.subarray(ivBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
}
