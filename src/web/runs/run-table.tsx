import { Component } from 'preact'
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
  const [at, setAt] = useState(-1)
  const isMoving = useRef(false)
  const shown = runs.slice(first, last)

  const step = (by: number) => setAt((before) => Math.min(runs.length - 1, Math.max(0, before + by)))
  useKeys({ j: () => step(1), k: () => step(-1) })
  useEffect(() => {
    if (hasMore && last >= runs.length - 20) onEnd()
  }, [last, hasMore, runs.length])
  useEffect(() => reveal(body.current, at), [at])
  // The row may be drawn only after it was scrolled to. That it takes the focus is no news of where somebody is.
  useEffect(() => {
    if (isTyping(document.activeElement)) return
    isMoving.current = true
    body.current?.querySelector<HTMLElement>(`[data-row="${at}"]`)?.focus({ preventScroll: true })
    isMoving.current = false
  }, [at, first])
  const follow = (row: number) => {
    if (!isMoving.current) setAt(row)
  }

  return (
    <table class="runs" aria-rowcount={hasMore ? -1 : runs.length + 1}>
      <thead>
        <tr aria-rowindex={1}>
          <th scope="col">Status</th>
          <th scope="col" class="wide">
            Run
          </th>
          <th scope="col" class="from-s">
            Verdict
          </th>
          <th scope="col" class="from-m">
            Agent
          </th>
          <th scope="col" class="from-xl">
            Spec
          </th>
          <th scope="col" class="from-l">
            Changes
          </th>
          <th scope="col" class="from-m number">
            Took
          </th>
          <th scope="col" class="number" aria-sort={order === 'asc' ? 'ascending' : 'descending'}>
            <button type="button" class="plain" onClick={onOrder}>
              Created <span aria-hidden="true">{order === 'asc' ? '↑' : '↓'}</span>
            </button>
          </th>
        </tr>
      </thead>
      <tbody ref={body}>
        <Space rows={first} />
        {shown.map((run, index) => (
          <Row key={run.id} run={run} row={first + index} onFocus={follow} />
        ))}
        <Space rows={runs.length - last} />
      </tbody>
    </table>
  )
}

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
