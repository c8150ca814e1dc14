import { useEffect, useRef, useState } from 'preact/hooks'
import { HistoryReader, type ShownHistory } from './history-reader.ts'
import { listen } from './live.ts'

export interface RunHistory extends ShownHistory {
  /** Fetches some of the missing turns. */
  earlier(): void
  reload(): void
}

/** The history of a run as it goes on. */
export function useHistory(project: string, runId: string): RunHistory {
  const [shown, setShown] = useState<ShownHistory>({ entries: [], missing: 0, isRead: false })
  const reader = useRef<HistoryReader>(undefined)
  useEffect(() => {
    const end = new AbortController()
    const set = (next: ShownHistory) => end.signal.aborted || setShown(next)
    const made = new HistoryReader(project, runId, set, end.signal)
    reader.current = made
    made.readOn()
    const leave = listen((news) => made.hear(news))
    return () => {
      end.abort()
      leave()
    }
  }, [project, runId])
  return { ...shown, earlier: () => reader.current?.readEarlier(), reload: () => reader.current?.reload() }
}
