import { useState } from 'preact/hooks'
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

/**
 * The ETag for a draft that was begun with the version `opened`, although the page follows later ones: what the person
 * did not see must not be overwritten. After a conflict, a draft has `followsNewest`.
 */
export const draftEtagOf = (id: number | string, { opened }: { opened: number }, newest: number) =>
  etagOf({ id, version: opened || newest })

/** Changes a draft after the person was shown the newest version. */
export const followsNewest = { opened: 0 }
