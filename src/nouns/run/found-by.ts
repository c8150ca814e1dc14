import { hash } from 'node:crypto'
import type { RunState } from './state.ts'

/** The commits that a run is found by: those it made, and the one it ended on. */
export function commitsOf({ git }: Pick<RunState, 'git'>): string[] {
  return [...new Set([...(git?.commits ?? []), ...(git?.commit ? [git.commit] : [])])]
}

/** What the index stores for the address of a link, which can be too long for an index. */
export const hrefKey = (href: string) => hash('sha256', href).slice(0, 32)

/** The links that a run is found by, as `hrefKey` returns them. */
export const hrefKeysOf = ({ links }: Pick<RunState, 'links'>) => [...new Set(links.map(({ href }) => hrefKey(href)))]
