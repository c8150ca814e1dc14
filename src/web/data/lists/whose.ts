import { createContext } from 'preact'
import { useContext, useEffect } from 'preact/hooks'
import { mailOf, nameOf } from '../../../contract/person.ts'
import type { Run } from '../../../nouns/run/fields.ts'
import type { Route } from '../../app/router.ts'
import { keptIn, useKept } from '../browser/storage.ts'
import { useSession, type Viewer } from '../query/session.ts'

/** Whether this browser shows only the runs of the person at it. */
const kept = keptIn('mine', (value) => value === true)

export const keepMine = kept.write

/** The filter by which the whole page is narrowed to the person's own runs; undefined for everyone's. */
export const MineContext = createContext<true | undefined>(undefined)

export const useMine = () => useContext(MineContext)

/** What a link from a count of everyone's runs says in its address as `mine`, to lead to all of them. */
export const useEveryones = () => useMine() && 'false'

/** Whether a key has a person, whose runs can be told from those of others. */
export const hasPerson = ({ person }: Viewer) => mailOf(person) !== undefined

/** Whether a run is that of the person at this page. */
export const isOf = ({ person }: Viewer, { author }: Pick<Run, 'author'>) =>
  mailOf(author) !== undefined && mailOf(author) === mailOf(person)

/** What a page shows: as its address says, else as it was last. `mine=false` is for that address alone. */
export function useChosenMine({ query }: Route, hasRuns: boolean, session: Viewer): true | undefined {
  const isKept = useKept(kept)
  const chosen = hasRuns ? query.get('mine') : null
  const isMine = chosen === null ? isKept : chosen === 'true'
  useEffect(() => {
    if (chosen === 'true') kept.write(true)
  }, [chosen])
  return isMine && hasPerson(session) ? true : undefined
}

/** Whom a waiting run waits for: `you`, the name of its author, or undefined if nobody knows. */
export function useWhom(author: string | null): string | undefined {
  const { person } = useSession()
  const mail = mailOf(author)
  if (mail !== undefined && mail === mailOf(person)) return 'you'
  return author === null ? undefined : nameOf(author)
}
