import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Output } from '../../../client/client.ts'
import { permits, type Required } from '../../../contract/actor.ts'

/** The person viewing the page, and the permissions of their key. */
export type Viewer = Output<'me'>

export const SessionContext = createContext<Viewer>({ key: null, permissions: [], person: null, machine: null })

export const useSession = () => useContext(SessionContext)

/**
 * Whether to offer something that needs that permission. The server decides in the end: an agent's key may change only
 * its own runs.
 */
export function may({ permissions }: Viewer, required: Required): boolean {
  return permits(permissions, required) && !(isPlain() && ['agent', 'write', 'delete'].includes(required))
}

/**
 * Whether the page came over plain HTTP from another host. Its browser then does not prove to the server that a write
 * comes from the page.
 */
const isPlain = () => !isSecureContext

/** Whether to offer changes that require an admin. */
export const mayAdminister = (session: Viewer) => may(session, 'admin') && readOnlyReason(session) === undefined

/** Why nothing can be changed on the page; undefined if changes are possible. */
export function readOnlyReason(session: Viewer): string | undefined {
  if (isPlain() && session.key)
    return 'This page came over plain HTTP. Open it over HTTPS or at localhost to make changes.'
  const isReader = (['agent', 'write', 'delete', 'admin'] as const).every((required) => !may(session, required))
  return isReader ? 'Your key can read but not change anything.' : undefined
}
