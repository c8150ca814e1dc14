import { useEffect, useRef, useState } from 'preact/hooks'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import { href, type Route } from '../app/router.ts'
import { failedOf, titleOf } from './turn-head.tsx'

/** A turn with less than this in sight is no longer the one that is read, in pixels. */
const headPx = 60

/** Shorter sessions need no outline. */
const fewest = 4

/** The turns of a session, in sight while one reads. */
export function Outline({ turns, route }: { turns: Turn[]; route: Route }) {
  const current = useTurnInSight()
  const nav = useRef<HTMLElement>(null)
  useEffect(() => revealIn(nav.current), [current])
  if (turns.length < fewest) return null
  return (
    <nav class="outline" aria-label="Turns" ref={nav}>
      <ol>
        {turns.map((turn) => (
          <li key={turn.id}>
            <a
              href={href(route.path, { turn: turn.n })}
              class={turn.failure || failedOf(turn) > 0 ? 'with-failure' : undefined}
              aria-current={turn.n === current ? 'location' : undefined}
              title={titleOf(turn)}
            >
              <span class="muted">{turn.n}</span> {titleOf(turn)}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  )
}

/** Scrolls a long outline, and not the page, to the turn that is read. */
function revealIn(outline: HTMLElement | null) {
  const link = outline?.querySelector('[aria-current]')
  if (!outline || !link) return
  const [around, its] = [outline.getBoundingClientRect(), link.getBoundingClientRect()]
  if (its.top < around.top || its.bottom > around.bottom) {
    outline.scrollTop += its.top - around.top - (around.height - its.height) / 2
  }
}

/** The number of the first turn in the upper part of the window. */
function useTurnInSight(): number | undefined {
  const [current, setCurrent] = useState<number>()
  useEffect(() => {
    let frame = 0
    const look = () => {
      frame = 0
      const shown = [...document.querySelectorAll<HTMLElement>('.turn[id]')]
      const first = shown.find((turn) => turn.getBoundingClientRect().bottom > headPx)
      setCurrent(first && Number(first.id.slice('turn-'.length)))
    }
    const soon = () => {
      frame ||= requestAnimationFrame(look)
    }
    look()
    addEventListener('scroll', soon, { passive: true })
    return () => {
      cancelAnimationFrame(frame)
      removeEventListener('scroll', soon)
    }
  }, [])
  return current
}
