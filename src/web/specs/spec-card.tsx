import { useEffect, useRef, useState } from 'preact/hooks'
import type { Spec } from '../../api/spec.ts'
import { href } from '../app/router.ts'
import { useRead } from '../data/read.ts'
import { clientOf } from '../data/server.ts'
import { may, useSession } from '../data/session.ts'
import { SpecMove } from './spec-move.tsx'
import { Checklist, VerdictCounts } from './spec-status.tsx'

interface Props {
  spec: Spec
  onMoved: (spec: Spec) => void
  onConflict: () => void
  /** It is dragged; undefined: it was let go. */
  onDrag: (spec: Spec | undefined) => void
}

/** A spec on the board. What its runs come to is read once it comes into sight. */
export function SpecCard({ spec, onMoved, onConflict, onDrag }: Props) {
  const canMove = may(useSession(), 'agent')
  const card = useRef<HTMLLIElement>(null)
  const [isSeen, setSeen] = useState(false)
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setSeen(true))
    if (card.current) observer.observe(card.current)
    return () => observer.disconnect()
  }, [])
  const { project, specId } = spec
  const { data } = useRead(
    isSeen ? `${project}/${specId}` : '',
    (signal) => clientOf(project).getSpec({ specId }, { signal }),
    // A change of a run does not say whose spec it was made from, and each card in sight asks.
    { touches: (event) => event.project === project && bearsOnTotals(event.changes), restMs: 10_000 },
  )
  return (
    <li
      ref={card}
      class="card"
      draggable={canMove}
      onDragStart={(event) => {
        // Without data Firefox begins no drag; elsewhere it is the spec's id.
        event.dataTransfer?.setData('text/plain', specId)
        onDrag(spec)
      }}
      onDragEnd={() => onDrag(undefined)}
    >
      <a class="title" id={cardId(spec)} href={href(['specs', project, specId])}>
        {spec.title ?? specId}
      </a>
      <span class="facts">
        <span>{project}</span>
        <span>{specId}</span>
        {spec.agent && <span>{spec.agent}</span>}
      </span>
      <Checklist checklist={spec.checklist} />
      <div class="foot">
        {data && data.spec.totals.runs > 0 ? (
          <VerdictCounts byVerdict={data.spec.totals.byVerdict} />
        ) : (
          <span class="muted small">{data ? 'No run yet' : '\u00a0'}</span>
        )}
        <SpecMove spec={spec} onMoved={onMoved} onConflict={onConflict} />
      </div>
    </li>
  )
}

/** Where the focus goes once a card has moved. */
export const cardId = ({ id }: Spec) => `spec-${id}`

export const bearsOnTotals = (changes: object) =>
  ['status', 'verdict', 'specId', 'usage'].some((field) => field in changes)
