import { createHash, randomInt } from 'node:crypto'
import { z } from 'zod'
import { humanId, rowId, text, time, timeInput } from './field.ts'

/** From the highest to the lowest. */
export const permissions = ['admin', 'delete', 'write', 'agent', 'read'] as const
export const permission = z.enum(permissions)
export type Permission = z.infer<typeof permission>

export const keyFields = {
  name: text(200, 1),
  permissions: z.array(permission).min(1).max(permissions.length).describe('Each includes read'),
  project: humanId.nullable().optional().describe('The project it is for; null: the whole server'),
  expiresAt: timeInput.nullable().optional(),
}

export const key = z
  .object({
    id: rowId,
    name: z.string(),
    prefix: z.string().describe('The beginning of the secret, to recognise it by'),
    permissions: z.array(permission),
    project: z.string().nullable(),
    createdAt: time,
    lastUsedAt: time.nullable(),
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
  })
  .meta({ id: 'Key' })
export type Key = z.infer<typeof key>

/** Who acts: the holder of a key, somebody at the local database, or Conduct itself. */
export type Actor =
  | { kind: 'key'; keyId: number; name: string; permissions: readonly Permission[]; projectId: number | null }
  | { kind: 'local'; permissions: readonly Permission[] }
  | { kind: 'system'; permissions: readonly Permission[] }

export const localActor: Actor = { kind: 'local', permissions: ['admin'] }
export const systemActor: Actor = { kind: 'system', permissions: ['admin'] }

/** What an operation asks of its caller. `agent`: an agent key will do, on what it created itself. */
export type Required = 'read' | 'agent' | 'write' | 'delete' | 'admin'

/** Whether a holder of `held` may run an operation that asks for `required`. */
export function permits(held: readonly Permission[], required: Required): boolean {
  if (required === 'read' || held.includes('admin')) return true
  if (required === 'agent') return held.includes('agent') || held.includes('write')
  return held.includes(required)
}

/** Whether the actor may change only what it created itself. */
export function isConfined({ permissions }: Actor): boolean {
  return !permits(permissions, 'write')
}

export const secretPattern = /^sk_(?:admin|delete|write|agent|read)_[0-9A-Za-z]{43}$/

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A new secret, named by its highest permission: 43 random base62 characters carry 256 bits. */
export function newSecret(held: readonly Permission[]): string {
  const highest = permissions.find((one) => held.includes(one))
  return `sk_${highest}_${Array.from({ length: 43 }, () => alphabet[randomInt(62)]).join('')}`
}

/** What is stored in place of a secret. */
export const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex')

/** The part of a secret that may be shown: its role and four characters. */
export const prefixOf = (secret: string) => secret.slice(0, secret.lastIndexOf('_') + 5)
