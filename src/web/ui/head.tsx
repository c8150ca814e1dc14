import type { ComponentChildren } from 'preact'
import { useContext, useEffect, useRef } from 'preact/hooks'
import { showCount } from '../app/favicon.ts'
import { AttentionContext } from '../data/use-attention.ts'

/** The head of a page: its one `h1`, which also names the tab and takes the focus when the page is come to. */
export function Head({ title, tab = title, children }: { title: string; tab?: string; children?: ComponentChildren }) {
  const { count } = useContext(AttentionContext)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${count > 0 ? `(${count}) ` : ''}${tab} · Conduct`
    showCount(count)
  }, [tab, count])
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  return (
    <header class="head">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </header>
  )
}
