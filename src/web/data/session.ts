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
  if (required === 'none' || required === 'read' || permissions.includes('admin')) return true
  if (required === 'agent' && permissions.includes('write')) return true
  return permissions.includes(required)
}
