import type { IconName } from './parts/icon.tsx'

/** The pages that one can go to, in the order of the menu. */
export interface Place {
  path: string[]
  name: string
  icon: IconName
  /** Pressed after `g`. */
  key: string
}

export const places: Place[] = [
  { path: [], name: 'Now', icon: 'now', key: 'n' },
  { path: ['runs'], name: 'Runs', icon: 'runs', key: 'r' },
]
