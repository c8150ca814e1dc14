import type { Permission } from './secret.ts'

/** The actors that every ledger has; keys and others get positive numbers. */
const localId = 0
const systemId = -1

/**
 * Who acts: the holder of a key, somebody at the local database, Conduct itself, or whoever it may be. `id` is the number
 * under which rows and events name the actor. A key that the local user made by opening the page acts as the local user.
 */
export type Actor =
  | {
      kind: 'key'
      id: number
      keyId: number
      name: string
      permissions: readonly Permission[]
      projectId: number | null
      /** When the key, or the session that uses it, ends; null: never. */
      endsAt: string | null
    }
  | { kind: 'local'; id: number; permissions: readonly Permission[] }
  | { kind: 'system'; id: number; permissions: readonly Permission[] }
  | { kind: 'anyone'; id: number; permissions: readonly Permission[] }

export const localActor: Actor = { kind: 'local', id: localId, permissions: ['admin'] }
export const systemActor: Actor = { kind: 'system', id: systemId, permissions: ['admin'] }
/** May do nothing that is recorded but log in, which Conduct records as its own act. */
export const anyone: Actor = { kind: 'anyone', id: systemId, permissions: [] }

/** What an operation asks of its caller. `none`: not even a key; `agent`: an agent key will do, on what it created itself. */
export type Required = 'none' | 'read' | 'agent' | 'write' | 'delete' | 'admin'

/** Whether a holder of `held` may run an operation that asks for `required`. */
export function permits(held: readonly Permission[], required: Required): boolean {
  if (required === 'none' || required === 'read' || held.includes('admin')) return true
  if (required === 'agent') return held.includes('agent') || held.includes('write')
  return held.includes(required)
}

/** Whether the actor may change only what it created itself. */
export function isConfined({ permissions }: Actor): boolean {
  return !permits(permissions, 'write')
}
