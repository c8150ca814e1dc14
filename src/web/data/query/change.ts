import { useEffect, useState } from 'preact/hooks'
import { ConductError } from '../../../client/client.ts'
import { tell } from '../log/stream.ts'
import { failureOf } from './read.ts'

export interface Act {
  isBusy: boolean
  error: ConductError | undefined
  /** Makes a change and returns whether it succeeded. Its error stays until the next change. */
  act(work: () => Promise<unknown>): Promise<boolean>
}

/**
 * A change that a person makes on the page. If someone else changed the same thing first, `onConflict` reads it again.
 * `onRefused` is for a refused key or session; by default, the session has ended.
 */
export function useAct(onConflict: () => void = () => {}, onRefused = () => tell({ kind: 'over' })): Act {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ConductError>()
  const act = async (work: () => Promise<unknown>) => {
    setBusy(true)
    setError(undefined)
    try {
      await work()
      return true
    } catch (thrown) {
      const failure = failureOf(thrown)
      if (failure.code === 'PRECONDITION_FAILED') onConflict()
      if (failure.code === 'UNAUTHORIZED') onRefused()
      setError(worded(failure))
      return false
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, error, act }
}

function worded(failure: ConductError): ConductError {
  if (failure.code !== 'PRECONDITION_FAILED') return failure
  return new ConductError(
    failure.code,
    'Somebody else changed this since you opened it, so your change was not made. You now see the newest version: check it, then try again.',
  )
}

/** The ETag of a resource as it was read. The server refuses a change with an outdated one. */
export const etagOf = ({ id, version }: { id: number | string; version: number }) => `"${id}-${version}"`

interface VersionedDraft {
  draft: { opened: number }
  change(changes: { opened: number }): void
}

/**
 * The version that a draft would replace: the one with which it was begun, although the page follows later ones, because
 * what the person did not see must not be overwritten. After `onConflict`, the one that the page shows then, or the next
 * if it does not show a newer one yet.
 */
export function useDraftVersion({ draft: { opened }, change }: VersionedDraft, newest: number) {
  useEffect(() => {
    if (opened === 0 && newest !== 0) change({ opened: newest })
  }, [newest])
  return { version: opened || newest, onConflict: () => change({ opened: newest > opened ? newest : 0 }) }
}
