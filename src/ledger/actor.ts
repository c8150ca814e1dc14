import type { Permission } from './secret.ts'

/** Who acts: the holder of a key, somebody at the local database, Conduct itself, or whoever it may be. */
export type Actor =
  | { kind: 'key'; keyId: number; name: string; permissions: readonly Permission[]; projectId: number | null }
  | { kind: 'local'; permissions: readonly Permission[] }
  | { kind: 'system'; permissions: readonly Permission[] }
  | { kind: 'anyone'; permissions: readonly Permission[] }

export const localActor: Actor = { kind: 'local', permissions: ['admin'] }
export const systemActor: Actor = { kind: 'system', permissions: ['admin'] }
export const anyone: Actor = { kind: 'anyone', permissions: [] }

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
