import { Component, type RefObject } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Run } from '../../api/run.ts'
import { isTyping, useKeys } from '../app/keyboard.ts'
import { href } from '../app/router.ts'
import { Ago, spanOf } from '../ui/ago.tsx'
import { rowPx, useRowWindow } from '../ui/row-window.ts'
import { Status, Verdict } from '../ui/status.tsx'
import { Changes } from './changes.tsx'

interface Props {
  runs: Run[]
  hasMore: boolean
  order: 'asc' | 'desc'
  onEnd: () => void
  onOrder: () => void
}

/** Runs as a dense table, of which only the rows in sight are drawn. */
export function RunTable({ runs, hasMore, order, onEnd, onOrder }: Props) {
  const body = useRef<HTMLTableSectionElement>(null)
  const { first, last } = useRowWindow(body, runs.length)
  const onFocus = useRowFocus(body, runs.length, first)
  useEffect(() => {
    if (hasMore && last >= runs.length - 20) onEnd()
  }, [last, hasMore, runs.length])

  return (
    <table class="runs" aria-rowcount={hasMore ? -1 : runs.length + 1}>
      <Columns order={order} onOrder={onOrder} />
      <tbody ref={body}>
        <Space rows={first} />
        {runs.slice(first, last).map((run, index) => (
          <Row key={run.id} run={run} row={first + index} onFocus={onFocus} />
        ))}
        <Space rows={runs.length - last} />
      </tbody>
    </table>
  )
}

/** Lets j and k move the focus from row to row; gives what is to be told of a row that took the focus in another way. */
function useRowFocus(body: RefObject<HTMLTableSectionElement | null>, count: number, first: number) {
  const [at, setAt] = useState(-1)
  const isMoving = useRef(false)
  const step = (by: number) => setAt((before) => Math.min(count - 1, Math.max(0, before + by)))
  useKeys({ j: () => step(1), k: () => step(-1) })
  useEffect(() => reveal(body.current, at), [at])
  // The row may be drawn only after it was scrolled to. That it takes the focus is no news of where somebody is.
  useEffect(() => {
    if (isTyping(document.activeElement)) return
    isMoving.current = true
    body.current?.querySelector<HTMLElement>(`[data-row="${at}"]`)?.focus({ preventScroll: true })
    isMoving.current = false
  }, [at, first])
  return (row: number) => {
    if (!isMoving.current) setAt(row)
  }
}

const columns = [
  ['Status', undefined],
  ['Run', 'wide'],
  ['Verdict', 'from-s'],
  ['Agent', 'from-m'],
  ['Spec', 'from-xl'],
  ['Changes', 'from-l'],
  ['Took', 'from-m number'],
] as const

const Columns = ({ order, onOrder }: Pick<Props, 'order' | 'onOrder'>) => (
  <thead>
    <tr aria-rowindex={1}>
      {columns.map(([name, look]) => (
        <th key={name} scope="col" class={look}>
          {name}
        </th>
      ))}
      <th scope="col" class="number" aria-sort={order === 'asc' ? 'ascending' : 'descending'}>
        <button type="button" class="plain" onClick={onOrder}>
          Created <span aria-hidden="true">{order === 'asc' ? '↑' : '↓'}</span>
        </button>
      </th>
    </tr>
  </thead>
)

interface RowProps {
  run: Run
  row: number
  onFocus: (row: number) => void
}

/** Drawn anew only when its run has changed: scrolling draws the rows that come into sight, and no others. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate({ run, row }: RowProps) {
    return run !== this.props.run || row !== this.props.row
  }

  render() {
    const { run, row, onFocus } = this.props
    return (
      <tr aria-rowindex={row + 2}>
        <td>
          <Status run={run} />
        </td>
        <td class="wide">
          <a
            class="title"
            data-row={row}
            href={href(['runs', run.project, run.runId])}
            title={run.title ?? undefined}
            onFocus={() => onFocus(row)}
          >
            {run.title ?? run.runId}
          </a>
          <span class="id">
            {run.project} / {run.runId}
            {run.attempt > 1 && ` · attempt ${run.attempt}`}
          </span>
        </td>
        <td class="from-s">
          <Verdict run={run} />
        </td>
        <td class="from-m">{run.agent}</td>
        <td class="from-xl">{run.specId}</td>
        <td class="from-l">
          <Changes changes={run.changes} />
        </td>
        <td class="from-m number">{tookOf(run)}</td>
        <td class="number">
          <Ago at={run.createdAt} />
        </td>
      </tr>
    )
  }
}

function tookOf({ startedAt, endedAt }: Run): string {
  if (startedAt === null || endedAt === null) return ''
  const ms = Date.parse(endedAt) - Date.parse(startedAt)
  return ms > 0 ? spanOf(ms) : ''
}

/** What stands for rows that are not drawn. */
function Space({ rows }: { rows: number }) {
  if (rows <= 0) return null
  return (
    <tr class="space">
      <td style={{ height: `${rows * rowPx}px` }} />
    </tr>
  )
}

/** Scrolls so far that the row is in sight, clear of the head of the table. */
function reveal(body: HTMLElement | null, row: number) {
  if (!body || row < 0) return
  const top = body.getBoundingClientRect().top + row * rowPx
  const room = 3 * rowPx
  if (top < room) scrollBy({ top: top - room })
  else if (top + room > innerHeight) scrollBy({ top: top + room - innerHeight })
}
