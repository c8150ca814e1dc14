import type { Permission } from './secret.ts'

/** Numbers of the actors that every ledger has. Keys and others have positive numbers. */
const localId = 0
const systemId = -1
const retentionId = -2

/**
 * Who acts: the holder of a key, a user of the local database, Conduct itself, or an unknown caller. `id` is the
 * actor's number in rows and events. A key that the local user created by opening the dashboard acts as the local user.
 */
export type Actor =
  | {
      kind: 'key'
      id: number
      keyId: number
      name: string
      permissions: readonly Permission[]
      projectId: number | null
      /** When the key or its session expires; null for never. */
      endsAt: string | null
      /** The person who holds the key; missing for a service. */
      person?: string | null
    }
  | { kind: 'local'; id: number; permissions: readonly Permission[]; person?: string | null }
  | { kind: 'system'; id: number; permissions: readonly Permission[] }
  | { kind: 'anyone'; id: number; permissions: readonly Permission[] }

export const localActor: Actor = { kind: 'local', id: localId, permissions: ['admin'] }
export const systemActor: Actor = { kind: 'system', id: systemId, permissions: ['admin'] }
/** Conduct itself, when it applies the retention of projects. */
export const retentionActor: Actor = { kind: 'system', id: retentionId, permissions: ['admin'] }
/** An unknown caller may only log in, which is recorded as an act of Conduct. */
export const anyone: Actor = { kind: 'anyone', id: systemId, permissions: [] }

/**
 * The permission an operation requires. `none`: no key at all; `agent`: an agent key is enough for what it created
 * itself.
 */
export type Required = 'none' | 'read' | 'agent' | 'write' | 'delete' | 'admin'

/** Whether a holder of `held` may call an operation that requires `required`. */
export function permits(held: readonly Permission[], required: Required): boolean {
  if (required === 'none' || required === 'read' || held.includes('admin')) return true
  if (required === 'agent') return held.includes('agent') || held.includes('write')
  return held.includes(required)
}

/** Whether the actor may change only what it created. */
export function isConfined({ permissions }: Actor): boolean {
  return !permits(permissions, 'write')
}
