import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { isAtEnd, toEnd } from './line-window.ts'

export interface Following {
  isFollowing: boolean
  setFollowing(isFollowing: boolean): void
  /** Call it when the box was scrolled. */
  onScroll(): void
}

/** Keeps the end of a growing log of `count` lines in sight until the person pauses it or scrolls up, and again once they scroll back to the end. */
export function useFollowing(box: RefObject<HTMLElement | null>, isAtFirst: boolean, count: number): Following {
  const [isFollowing, setFollowing] = useState(isAtFirst)
  /** Where the page itself scrolled to. The browser reports that a frame later, when the person may have paused the log. */
  const own = useRef<number>(undefined)
  useLayoutEffect(() => {
    if (!isFollowing) return
    toEnd(box.current)
    own.current = box.current?.scrollTop
  }, [isFollowing, count])
  const onScroll = () => {
    if (!box.current || box.current.scrollTop === own.current) return
    own.current = undefined
    setFollowing(isAtEnd(box.current))
  }
  return { isFollowing, setFollowing, onScroll }
}
