import type { ComponentChildren } from 'preact'
import { useContext, useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { useKeys } from '../app/keyboard.ts'
import { go, href, type Route } from '../app/router.ts'
import { LanesContext } from '../data/lists/lanes.ts'
import { AttentionContext } from '../data/lists/needs.ts'

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

/** The width of the icon of the tab, in pixels. */
const iconPx = 64

const colours = { attention: '#b3261e', waiting: '#8a5600' }

/** Shows Conduct's logo in the tab, or a count in the colour of what it counts. */
export function showCount(count: number, of: keyof typeof colours = 'attention'): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  if (!link) return
  link.type = count > 0 ? 'image/png' : 'image/svg+xml'
  link.href = count > 0 ? iconOf(count > 99 ? '99' : String(count), colours[of]) : './favicon.svg'
}

function iconOf(text: string, colour: string): string {
  const canvas = document.createElement('canvas')
  canvas.width = iconPx
  canvas.height = iconPx
  const pen = canvas.getContext('2d')
  if (!pen) return './favicon.svg'
  pen.fillStyle = colour
  pen.roundRect(0, 0, iconPx, iconPx, 16)
  pen.fill()
  pen.fillStyle = '#ffffff'
  pen.font = `700 ${text.length > 1 ? 40 : 48}px system-ui, sans-serif`
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.fillText(text, iconPx / 2, iconPx / 2 + 3)
  return canvas.toDataURL()
}

interface Props {
  views: Record<string, string>
  /** The view without a name in the address; by default the first one. */
  usual?: string
  view: string
  route: Route
}

/** Links that switch between views of a page, also by the keys `1`, `2`, …. The view is part of the address. */
export function Tabs({ views, usual = Object.keys(views)[0], view, route }: Props) {
  const addressOf = (name: string) => href(route.path, { view: name === usual ? undefined : name })
  const names = Object.keys(views)
  useKeys(Object.fromEntries(names.map((name, index) => [String(index + 1), () => go(addressOf(name))])))
  return (
    <nav class="tabs" aria-label="Views">
      {Object.entries(views).map(([name, word]) => (
        <a key={name} href={addressOf(name)} aria-current={name === view ? 'true' : undefined}>
          {word}
        </a>
      ))}
    </nav>
  )
}
