import { useRef, useState } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import type { Spec } from '../../nouns/spec/fields.ts'
import { Problem } from '../ui/loading.tsx'
import { SpecCard } from './spec-card.tsx'
import { useMove } from './spec-move.tsx'
import { specLooks, specStatuses } from './spec-status.tsx'

/** The most specs in a column. */
export const most = 100

interface Moving {
  onMoved: (spec: Spec) => void
  onConflict: () => void
}

interface Props extends Moving {
  /** A page of specs for each status, in the order of `specStatuses`. */
  pages: Output<'listSpecs'>[]
  /** Whether they are still those of other filters. */
  isBusy: boolean
}

/** One column per status. A card moves by its menu, or by dragging. */
export function Board({ pages, isBusy, ...moving }: Props) {
  const { move, error } = useMove(moving)
  const dragged = useRef<Spec | undefined>(undefined)
  const isOfMany = new Set(pages.flatMap(({ specs }) => specs.map(({ project }) => project))).size > 1
  const drop = (status: Spec['status']) => {
    const spec = dragged.current
    dragged.current = undefined
    if (spec && spec.status !== status) void move(spec, status)
  }
  return (
    <>
      {error && <Problem error={error} />}
      <div class="board" aria-busy={isBusy}>
        {pages.map((page, index) => (
          <Column
            key={index}
            page={page}
            status={specStatuses[index] ?? 'draft'}
            isOfMany={isOfMany}
            onDrag={(spec) => {
              dragged.current = spec
            }}
            isWanted={(status) => dragged.current !== undefined && dragged.current.status !== status}
            onDrop={drop}
            {...moving}
          />
        ))}
      </div>
    </>
  )
}

interface ColumnProps extends Moving {
  page: Output<'listSpecs'>
  status: Spec['status']
  /** Whether the board shows several projects. */
  isOfMany: boolean
  /** A card was picked up, or dropped if undefined. */
  onDrag: (spec: Spec | undefined) => void
  /** Whether the dragged card can be dropped here. */
  isWanted: (status: Spec['status']) => boolean
  onDrop: (status: Spec['status']) => void
}

function Column({ page: { specs, meta }, status, isWanted, onDrop, ...cards }: ColumnProps) {
  const [isOver, setOver] = useState(false)
  return (
    <section
      aria-labelledby={`column-${status}`}
      class={isOver ? 'over' : undefined}
      onDragOver={(event) => {
        if (!isWanted(status)) return
        // Allows the drop.
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false)
      }}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        onDrop(status)
      }}
    >
      <h2 id={`column-${status}`}>
        {specLooks[status].word}{' '}
        <span class="muted">
          {specs.length}
          {meta.hasMore && '+'}
        </span>
      </h2>
      <ul>
        {specs.map((spec) => (
          <SpecCard key={spec.id} spec={spec} {...cards} />
        ))}
      </ul>
      {meta.hasMore && <p class="muted small">These are the newest {most}. The search finds the others.</p>}
    </section>
  )
}
