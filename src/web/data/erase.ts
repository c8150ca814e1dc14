import { useEffect, useState } from 'preact/hooks'
import type { CallOptions, Client, ConductError, Input, Output } from '../../client/client.ts'
import { failureOf } from './read.ts'

/** What can be erased: a run, a spec, a whole project, or every text that contains one. */
export type Erasable = Pick<Input<'erase'>, 'runId' | 'specId' | 'everything' | 'text'>
/** How many rows lose texts. */
export type Counts = Output<'erase'>['erased']

interface EraseOptions extends CallOptions {
  /** Asked after each slice. */
  isStopped?: () => boolean
}

/**
 * Erases, or with `dryRun` only counts, slice by slice. `onCount` receives the counts so far. Returns whether it came to
 * the end.
 */
export async function erase(
  client: Client,
  input: Erasable & { dryRun?: boolean },
  onCount: (counts: Counts) => void,
  { signal, isStopped = () => false }: EraseOptions = {},
): Promise<boolean> {
  let cursor: string | undefined
  do {
    const { erased, nextCursor } = await client.erase({ ...input, cursor }, { signal })
    onCount(erased)
    cursor = nextCursor
  } while (cursor !== undefined && !isStopped())
  return cursor === undefined
}

export interface Count {
  counts?: Counts
  /** Whether everything is counted. */
  isWhole: boolean
  error?: ConductError
}

/** Counts once what would be erased. */
export function useCount(client: Client, input: Erasable): Count {
  const [count, setCount] = useState<Count>({ isWhole: false })
  useEffect(() => {
    const end = new AbortController()
    const set = (next: Count) => {
      if (!end.signal.aborted) setCount(next)
    }
    let counts: Counts | undefined
    const show = (found: Counts) => {
      counts = found
      set({ counts, isWhole: false })
    }
    erase(client, { ...input, dryRun: true }, show, { signal: end.signal }).then(
      () => set({ counts, isWhole: true }),
      (error) => set({ isWhole: false, error: failureOf(error) }),
    )
    return () => end.abort()
  }, [])
  return count
}
