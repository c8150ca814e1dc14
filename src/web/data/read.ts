import { useEffect, useRef, useState } from 'preact/hooks'
import type { Event } from '../../api/event.ts'
import { ConductError } from '../../client/client.ts'
import { listen, tell } from './live.ts'

export interface Read<T> {
  /** What was read last; while another `key` is being read, still that of the one before. */
  data: T | undefined
  error: ConductError | undefined
  /** Whether `data` is that of this key. */
  isCurrent: boolean
  reload(): void
}

export interface ReadOptions {
  /** Whether an event may have changed what was read. */
  touches?: (event: Event) => boolean
  /** The least time between two reads, in milliseconds: a run that is written to all the time is read as often. */
  restMs?: number
  /** Reads again so often while the page is seen, for what no event tells. */
  everyMs?: number
  /** Does so while the page is hidden, too. */
  isHiddenToo?: boolean
}

/**
 * Reads from the server, again whenever `key` changes, an event `touches` what was read, or the stream was connected
 * anew. `key` says all that `load` depends on; '' reads nothing.
 */
export function useRead<T>(key: string, load: (signal: AbortSignal) => Promise<T>, options: ReadOptions = {}): Read<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: ConductError }>({ key: '' })
  const latest = useRef({ load, options })
  latest.current = { load, options }
  const reload = useRef(() => {})
  const { restMs = 300, everyMs } = options

  useEffect(() => {
    if (key === '') return
    const end = new AbortController()
    const again = oneAtATime(async () => {
      try {
        const data = await latest.current.load(end.signal)
        if (!end.signal.aborted) setState({ key, data })
      } catch (error) {
        if (end.signal.aborted) return
        const failure = failureOf(error)
        if (failure.code === 'UNAUTHORIZED') tell({ kind: 'over' })
        setState((before) => ({ key, data: before.key === key ? before.data : undefined, error: failure }))
      }
    }, restMs)
    reload.current = again
    again()
    const leave = listen((news) => {
      if (news.kind === 'connected' || (news.kind === 'event' && latest.current.options.touches?.(news.event))) again()
    })
    const timer =
      everyMs &&
      setInterval(() => {
        if (!document.hidden || latest.current.options.isHiddenToo) again()
      }, everyMs)
    return () => {
      end.abort()
      leave()
      clearInterval(timer)
    }
  }, [key, restMs, everyMs])

  return { data: state.data, error: state.error, isCurrent: state.key === key, reload: () => reload.current() }
}

/** Runs `work` at once where it rests; the calls that come while it runs, and `restMs` long, are answered by one more. */
export function oneAtATime(work: () => Promise<void>, restMs: number): () => void {
  let isBusy = false
  let isAsked = false
  return async function run() {
    if (isBusy) {
      isAsked = true
      return
    }
    isBusy = true
    do {
      isAsked = false
      await work()
      await new Promise((resolve) => setTimeout(resolve, restMs))
    } while (isAsked)
    isBusy = false
  }
}

export function failureOf(error: unknown): ConductError {
  if (error instanceof ConductError) return error
  return new ConductError('INTERNAL_ERROR', error instanceof Error ? error.message : String(error), { cause: error })
}
