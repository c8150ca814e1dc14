import { useEffect, useState } from 'preact/hooks'
import type { Client, ConductError, Input, Output } from '../../client/client.ts'
import { failureOf } from './read.ts'

/** What can be erased: a run, a spec, a whole project, or every text that contains one. */
export type Erasable = Pick<Input<'erase'>, 'runId' | 'specId' | 'everything' | 'text'>
/** How many rows lose texts. */
export type Counts = Output<'erase'>['erased']

/** Erases, or with `dryRun` only counts, slice by slice to the end. `onCount` receives the counts so far. */
export async function erase(
  client: Client,
  input: Erasable & { dryRun?: boolean },
  onCount: (counts: Counts) => void,
  signal?: AbortSignal,
): Promise<Counts> {
  let cursor: string | undefined
  for (;;) {
    const { erased, nextCursor } = await client.erase({ ...input, cursor }, { signal })
    onCount(erased)
    if (nextCursor === undefined) return erased
    cursor = nextCursor
  }
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
    erase(client, { ...input, dryRun: true }, (counts) => set({ counts, isWhole: false }), end.signal).then(
      (counts) => set({ counts, isWhole: true }),
      (error) => set({ isWhole: false, error: failureOf(error) }),
    )
    return () => end.abort()
  }, [])
  return count
}
