import type { ComponentChildren } from 'preact'
import { useContext, useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { showCount } from '../app/favicon.ts'
import { AttentionContext } from '../data/use-attention.ts'
import { LanesContext } from '../data/use-lanes.ts'

/** The head of a page with its only `h1`, which also names the tab and gets the focus when the page opens. */
export function Head({ title, tab = title, children }: { title: string; tab?: string; children?: ComponentChildren }) {
  const { count, hasMore } = useContext(AttentionContext)
  const waiting = useContext(LanesContext).waiting.length
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const open = count > 0 ? `(${count}${hasMore ? '+' : ''}) ` : ''
    document.title = `${waiting > 0 ? `(${waiting} waiting) ` : open}${tab} · Conduct`
    if (waiting > 0) showCount(waiting, 'waiting')
    else showCount(count, 'attention')
  }, [tab, count, hasMore, waiting])
  // A layout effect, so that it does not take the focus from someone who has started to type.
  useLayoutEffect(() => heading.current?.focus({ preventScroll: true }), [])
  return (
    <header class="head">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </header>
  )
}
