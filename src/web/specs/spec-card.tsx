import { useRef, useState } from 'preact/hooks'
import type { Spec } from '../../nouns/spec/fields.ts'
import { href } from '../app/router.ts'
import { may, useSession } from '../data/query/session.ts'
import { useSight } from '../ui/in-sight.ts'
import { SpecMove } from './spec-move.tsx'
import { Checklist } from './spec-status.tsx'
import { NewestWork } from './spec-work.tsx'

interface Props {
  spec: Spec
  /** Whether the board shows several projects. */
  isOfMany: boolean
  onMoved: (spec: Spec) => void
  onConflict: () => void
  /** The card is being dragged, or was dropped if undefined. */
  onDrag: (spec: Spec | undefined) => void
}

/** A spec on the board. Its newest run is loaded once the card becomes visible. */
export function SpecCard({ spec, isOfMany, onMoved, onConflict, onDrag }: Props) {
  const canMove = may(useSession(), 'agent')
  const card = useRef<HTMLLIElement>(null)
  const [isSeen, setSeen] = useState(false)
  const [isDragged, setDragged] = useState(false)
  useSight(card, (isIn) => isIn && setSeen(true))
  const { project, specId } = spec
  return (
    <li
      ref={card}
      class={isDragged ? 'card dragged' : 'card'}
      draggable={canMove}
      onDragStart={(event) => {
        // Firefox starts no drag without data. Elsewhere the data is the id of the spec.
        event.dataTransfer?.setData('text/plain', specId)
        onDrag(spec)
        setDragged(true)
      }}
      onDragEnd={() => {
        onDrag(undefined)
        setDragged(false)
      }}
    >
      <a
        class="title"
        id={cardId(spec)}
        href={href(['specs', project, specId])}
        title={`${spec.title ?? specId}, in ${project}`}
      >
        {spec.title ?? specId}
      </a>
      <span class="facts">
        <span>{specId}</span>
        {isOfMany ? <span>{project}</span> : spec.agent && <span>{spec.agent}</span>}
        <Checklist checklist={spec.checklist} isShort />
      </span>
      <div class="foot">
        <NewestWork spec={spec} isWanted={isSeen} />
        <SpecMove spec={spec} onMoved={onMoved} onConflict={onConflict} />
      </div>
    </li>
  )
}

/** The element that gets the focus after a card has moved. */
export const cardId = ({ id }: Spec) => `spec-${id}`

export const bearsOnTotals = (changes: object) =>
  ['status', 'verdict', 'specId', 'usage'].some((field) => field in changes)
