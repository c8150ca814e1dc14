import { hash } from 'node:crypto'
import type { RunState } from './run.ts'

/** The commits that find a run: those that it made, and the one that it ended on. */
export function commitsOf({ git }: Pick<RunState, 'git'>): string[] {
  return [...new Set([...(git?.commits ?? []), ...(git?.commit ? [git.commit] : [])])]
}

/** What stands in an index for the address of a link, which may be longer than an index takes. */
export const hrefKey = (href: string) => hash('sha256', href).slice(0, 32)

/** The addresses that find a run, as `hrefKey` has them. */
export const hrefKeysOf = ({ links }: Pick<RunState, 'links'>) => [...new Set(links.map(({ href }) => hrefKey(href)))]
