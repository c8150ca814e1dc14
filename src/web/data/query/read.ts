import { useEffect, useRef, useState } from 'preact/hooks'
import { ConductError } from '../../../client/client.ts'
import type { Event } from '../../../log/fields.ts'
import { listen, lostSince, tell } from '../log/stream.ts'
import { oneAtATime } from './timing.ts'

export interface Read<T> {
  /**
   * The last data; while another `key` loads, still that of the previous key. It stays beside an error, unless texts were
   * erased since.
   */
  data: T | undefined
  /** Not that the server is away, if there are data. */
  error: ConductError | undefined
  /** Whether `data` belongs to the current key. */
  isCurrent: boolean
  /** Reads again at once. */
  reload(): void
}

export interface ReadOptions {
  /** Whether an event may have changed the data. */
  touches?: (event: Event) => boolean
  /** The shortest time between two reads, in milliseconds, for data that changes all the time. */
  restMs?: number
  /** Whether an event that `touches` the data is rare enough to be read at once, without that rest. */
  isUrgent?: (event: Event) => boolean
  /** Reads again at this interval while the page is visible, for changes without events; not what does not exist. */
  everyMs?: number
  /** Also while the page is hidden. */
  isHiddenToo?: boolean
}

/**
 * Reads from the server, and again whenever `key` changes, an event `touches` the data, texts are erased, or the stream
 * reconnects. `key` names everything that `load` depends on; '' reads nothing.
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
    // How often texts were erased, and how often before the read of the data began.
    let [erasures, before] = [0, 0]
    let isMissing = false
    const again = oneAtATime(async () => {
      const now = erasures
      try {
        const data = await latest.current.load(end.signal)
        if (end.signal.aborted) return
        before = now
        isMissing = false
        setState({ key, data })
      } catch (error) {
        if (end.signal.aborted) return
        const failure = failureOf(error)
        if (failure.code === 'UNAUTHORIZED') tell({ kind: 'over' })
        isMissing = failure.code === 'NOT_FOUND'
        const isKept = before === erasures
        setState((last) => {
          const data = isKept && last.key === key ? last.data : undefined
          return data !== undefined && isAway(failure) ? last : { key, data, error: failure }
        })
      }
    }, restMs)
    reload.current = again.now
    again.soon()
    const leave = listen((news) => {
      const { touches, isUrgent } = latest.current.options
      if (news.kind === 'erased') erasures++
      if (news.kind === 'connected' || news.kind === 'erased') again.soon()
      if (news.kind !== 'event' || !touches?.(news.event)) return
      if (isUrgent?.(news.event)) again.now()
      else again.soon()
    })
    const timer =
      everyMs &&
      setInterval(() => {
        if (isMissing) return
        if (!document.hidden || latest.current.options.isHiddenToo) again.soon()
      }, everyMs)
    return () => {
      end.abort()
      leave()
      clearInterval(timer)
    }
  }, [key, restMs, everyMs])

  return { data: state.data, error: state.error, isCurrent: state.key === key, reload: () => reload.current() }
}

/** Whether a read failed because the server is away, as the menu says. What was read before then stays as it is. */
export const isAway = ({ code }: ConductError) => code === 'UNAVAILABLE' && lostSince() !== undefined

export function failureOf(error: unknown): ConductError {
  if (error instanceof ConductError) return error
  return new ConductError('INTERNAL_ERROR', error instanceof Error ? error.message : String(error), { cause: error })
}
