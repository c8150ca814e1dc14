import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import type { Route } from '../app/router.ts'
import { moves } from '../app/scroll.ts'
import { useTurns } from '../data/runs/turns.ts'
import { Problem } from '../ui/loading.tsx'
import { OpenTurn } from './open-turn.tsx'
import { TurnCard } from './turn-card.tsx'

/** A session as a story: its turns, each with its own link. */
export default function Session({ run, route }: { run: Output<'getRun'>['run']; route: Route }) {
  const { turns, isRead, error } = useTurns(run.project, run.runId)
  const asked = Number(route.query.get('turn'))
  const isThere = turns.some(({ n }) => n === asked)
  const isOpen = run.turns.open !== undefined || (run.activity !== null && run.activity.state !== 'idle')
  const list = useRef<HTMLOListElement>(null)
  useLayoutEffect(() => (isThere && list.current ? stayAt(`turn-${asked}`, list.current) : undefined), [asked, isThere])
  return (
    <>
      {error && <Problem error={error} />}
      {isRead && turns.length === 0 && !isOpen && !error && <p class="empty">No turns{run.endedAt ? '.' : ' yet.'}</p>}
      <ol class="session" ref={list}>
        {turns.map((turn) => (
          <TurnCard key={turn.id} turn={turn} route={route} isMarked={turn.n === asked} />
        ))}
        {isRead && <OpenTurn run={run} n={(turns.at(-1)?.n ?? 0) + 1} />}
      </ol>
    </>
  )
}

/** Scrolls to an element and keeps it in place while the content above it grows, until the person scrolls. */
function stayAt(id: string, list: HTMLElement): () => void {
  const scroll = () => document.getElementById(id)?.scrollIntoView()
  const size = new ResizeObserver(scroll)
  const leave = () => {
    size.disconnect()
    for (const move of moves) removeEventListener(move, leave)
  }
  scroll()
  size.observe(list)
  for (const move of moves) addEventListener(move, leave, { passive: true })
  return leave
}
