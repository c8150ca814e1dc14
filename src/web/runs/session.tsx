import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import { useKeys } from '../app/keyboard.ts'
import type { Route } from '../app/router.ts'
import { stayAt } from '../app/scroll.ts'
import type { Turns } from '../data/runs/turns.ts'
import { Problem } from '../ui/loading.tsx'
import { plural } from '../ui/words.ts'
import { OpenTurn } from './open-turn.tsx'
import { TurnCard } from './turn-card.tsx'

interface Props {
  run: Output<'getRun'>['run']
  route: Route
  read: Turns
  /** The number of the turn whose answer stands at the top of the page. */
  above: number | undefined
}

/** A session as a story: its turns, each with its own link, folded to a line but for the last. */
export default function Session({ run, route, read: { turns, isRead, error }, above }: Props) {
  const asked = Number(route.query.get('turn'))
  const isThere = turns.some(({ n }) => n === asked)
  const isOpen = run.turns.open !== undefined || (run.activity !== null && run.activity.state !== 'idle')
  const list = useRef<HTMLOListElement>(null)
  const last = turns.at(-1)?.n ?? 0
  const isMissing = route.query.has('turn') && isRead && !isThere && !(isOpen && asked === last + 1)
  const unfolding = useUnfolding(isRead && !error ? last : undefined)
  // By the route, which is new whenever the turn is asked for, also again.
  useLayoutEffect(() => {
    if (isThere) unfolding.set(asked, true)
  }, [route, isThere])
  useLayoutEffect(
    () => ((isThere || isMissing) && list.current ? stayAt(`turn-${asked}`, list.current) : undefined),
    [route, isThere, isMissing],
  )
  useTurnKeys(list)
  return (
    <>
      {error && <Problem error={error} />}
      {isRead && turns.length === 0 && !isOpen && !error && <p class="empty">No turns{run.endedAt ? '.' : ' yet.'}</p>}
      {turns.length > 1 && (
        <p class="turns-bar small muted">
          {plural(turns.length, 'turn')}
          <UnfoldAll isAll={turns.every(({ n }) => unfolding.has(n))} onSet={unfolding.setAll} />
        </p>
      )}
      <div class="turns">
        <ol class="session" ref={list}>
          {turns.map((turn) => (
            <TurnCard
              key={turn.id}
              turn={turn}
              route={route}
              isOpen={unfolding.has(turn.n)}
              isMarked={turn.n === asked}
              isAnswerAbove={turn.n === above}
              onToggle={() => unfolding.set(turn.n, !unfolding.has(turn.n))}
            />
          ))}
          {isRead && <OpenTurn run={run} n={last + 1} />}
        </ol>
        {isMissing && (
          <p id={`turn-${asked}`} class="empty">
            This session has no turn {route.query.get('turn')}.
          </p>
        )}
      </div>
    </>
  )
}

const UnfoldAll = ({ isAll, onSet }: { isAll: boolean; onSet: (isUnfolded: boolean) => void }) => (
  <button type="button" class="plain" onClick={() => onSet(!isAll)}>
    {isAll ? 'Fold all' : 'Unfold all'}
  </button>
)

/**
 * Which turns are unfolded: those that the person unfolded, and those from `last` on, the last one when the page was
 * opened. So a turn that comes is unfolded, and the one before it, which may be being read, stays so.
 */
function useUnfolding(last: number | undefined) {
  const first = useRef(last)
  first.current ??= last
  const [state, setState] = useState<{ all?: boolean; by: Map<number, boolean> }>({ by: new Map() })
  return {
    has: (n: number) => state.by.get(n) ?? state.all ?? n >= (first.current ?? 0),
    set: (n: number, isUnfolded: boolean) =>
      setState((before) => ({ ...before, by: new Map(before.by).set(n, isUnfolded) })),
    setAll: (all: boolean) => setState({ all, by: new Map() }),
  }
}

/** Lets j and k move the focus from turn to turn, and o unfold the one that has it. Enter does so anyway. */
function useTurnKeys(list: { current: HTMLElement | null }) {
  const heads = () => [...(list.current?.querySelectorAll<HTMLButtonElement>('[data-turn]') ?? [])]
  const step = (by: 1 | -1) => {
    const all = heads()
    const focused = all.findIndex((head) => head.closest('.turn')?.contains(document.activeElement))
    const inSight = all.findIndex((head) => head.getBoundingClientRect().top >= 0)
    const next = focused < 0 ? inSight : focused + by
    const head = all[Math.max(0, Math.min(all.length - 1, next))]
    head?.focus({ preventScroll: true })
    head?.closest('.turn')?.scrollIntoView({ block: 'nearest' })
  }
  const toggle = () =>
    heads()
      .find((head) => head.closest('.turn')?.contains(document.activeElement))
      ?.click()
  useKeys({ j: () => step(1), k: () => step(-1), o: toggle })
}
