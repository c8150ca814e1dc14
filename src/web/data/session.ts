import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import type { Required } from '../../ledger/actor.ts'

/** Who looks at the page, and what their key permits. */
export type Session = Output<'me'>

export const SessionContext = createContext<Session>({ key: null, permissions: [] })

export const useSession = () => useContext(SessionContext)

/** Whether to offer what asks for that permission. The server decides: an agent's key may do some things only to its own runs. */
export function may({ permissions }: Session, required: Required): boolean {
  if (isPlain() && ['agent', 'write', 'delete'].includes(required)) return false
  if (required === 'none' || required === 'read' || permissions.includes('admin')) return true
  if (required === 'agent' && permissions.includes('write')) return true
  return permissions.includes(required)
}

/** Whether the page came over plain HTTP from another host: its browser does not prove to the server that a write is its own. */
const isPlain = () => !isSecureContext

/** Why nothing can be changed on the page, in words; undefined where something can. */
export function readOnlyReason(session: Session): string | undefined {
  if (isPlain() && session.key)
    return 'This page came over plain HTTP. Open it over HTTPS or at localhost to make changes.'
  const isReader = (['agent', 'write', 'delete', 'admin'] as const).every((required) => !may(session, required))
  return isReader ? 'Your key can read but not change anything.' : undefined
}
