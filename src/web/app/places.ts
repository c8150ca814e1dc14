import type { Required } from '../../contract/actor.ts'
import { may, type Session } from '../data/query/session.ts'
import type { IconName } from '../ui/icon.tsx'

/** The pages in the order of the menu. */
export interface Place {
  path: string[]
  name: string
  icon: IconName
  /** The key to press after `g`. */
  key: string
  /** The permission without which the page is not offered. */
  permission?: Required
}

export const places: Place[] = [
  { path: [], name: 'Now', icon: 'now', key: 'n' },
  { path: ['runs'], name: 'Runs', icon: 'runs', key: 'r' },
  { path: ['specs'], name: 'Specs', icon: 'specs', key: 's' },
  { path: ['features'], name: 'Features', icon: 'features', key: 'f' },
  { path: ['trends'], name: 'Trends', icon: 'trends', key: 't' },
  { path: ['activity'], name: 'Activity', icon: 'activity', key: 'a' },
  { path: ['keys'], name: 'Keys', icon: 'keys', key: 'k', permission: 'admin' },
  { path: ['webhooks'], name: 'Webhooks', icon: 'out', key: 'w', permission: 'admin' },
  { path: ['projects'], name: 'Projects', icon: 'folder', key: 'p', permission: 'admin' },
]

export const placesOf = (session: Session) => places.filter(({ permission = 'read' }) => may(session, permission))
