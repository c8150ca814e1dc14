import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Run } from '../../nouns/run/fields.ts'
import { isTyping, useKeys } from '../app/keyboard.ts'
import { keepRow, keptRow } from '../app/scroll.ts'
import { useLiveRuns } from '../data/lists/lanes.ts'
import { type RunColumn, useColumns } from './columns.tsx'
import { RunTableRow } from './run-row.tsx'

interface Props {
  runs: Run[]
  /** Whether they are still those of other filters. */
  isBusy: boolean
  hasMore: boolean
  order: 'asc' | 'desc'
  /** The runs picked for comparison. */
  picked: Run[]
  onEnd: () => void
  onOrder: () => void
  onPick: (run: Run) => void
}

/** A dense table of runs that draws only visible rows. */
export function RunTable({ runs: listed, isBusy, hasMore, order, picked, onEnd, onOrder, onPick }: Props) {
  const runs = useLiveRuns(listed)
  const columns = useColumns(runs)
  const body = useRef<HTMLTableSectionElement>(null)
  const rowPx = useRowHeight(body, runs.length)
  const { first, last } = useRowWindow(body, runs.length, rowPx)
  const { at, onFocus } = useRowFocus(body, runs, first, rowPx)
  useKeys({ x: () => runs[at] && onPick(runs[at]) })
  useEffect(() => {
    if (hasMore && last >= runs.length - 20) onEnd()
  }, [last, hasMore, runs.length])

  return (
    <table class="runs" aria-busy={isBusy} aria-rowcount={hasMore ? -1 : runs.length + 1}>
      <colgroup>
        <col class="pick" />
        <col class="status" />
        <col />
        {columns.map(({ name, width }) => (
          <col key={name} width={width} />
        ))}
        <col class="created" />
      </colgroup>
      <Head columns={columns} order={order} onOrder={onOrder} />
      <tbody ref={body}>
        <Space rows={first} rowPx={rowPx} />
        {runs.slice(first, last).map((run, index) => (
          <RunTableRow
            key={run.id}
            run={run}
            row={first + index}
            columns={columns}
            isPicked={picked.some(({ id }) => id === run.id)}
            onFocus={onFocus}
            onPick={onPick}
          />
        ))}
        <Space rows={runs.length - last} rowPx={rowPx} />
      </tbody>
    </table>
  )
}

/**
 * Lets j and k move the focus from row to row. Also follows focus that moves in other ways, and begins where it was when
 * the person left the list. It is that of a run, whose row changes when others come or go.
 */
function useRowFocus(body: RefObject<HTMLTableSectionElement | null>, runs: Run[], first: number, rowPx: number) {
  const [focused, setFocused] = useState(() => runs.find(({ id }) => id === keptRow())?.id)
  const at = runs.findIndex(({ id }) => id === focused)
  // The row of a run that is gone, which the next one has now.
  const last = useRef(at)
  if (at >= 0) last.current = at
  const isMoving = useRef(false)
  const step = (by: 1 | -1) => {
    const next = at >= 0 || by < 0 ? last.current + by : Math.max(0, last.current)
    setFocused(runs[Math.min(runs.length - 1, Math.max(0, next))]?.id)
  }
  useKeys({ j: () => step(1), k: () => step(-1) })
  useLayoutEffect(() => reveal(body.current, at, rowPx), [focused])
  // The row may be drawn only after scrolling. Focusing it then must not change the position.
  // It has the focus before the next key comes, which may be Enter.
  useLayoutEffect(() => {
    if (isTyping(document.activeElement)) return
    isMoving.current = true
    body.current?.querySelector<HTMLElement>(`[data-row="${at}"]`)?.focus({ preventScroll: true })
    isMoving.current = false
  }, [focused, first])
  // At once: the next thing may be the click that opens the run.
  const onFocus = ({ id }: Run) => {
    keepRow(id)
    if (!isMoving.current) setFocused(id)
  }
  return { at, onFocus }
}

interface ColumnsProps extends Pick<Props, 'order' | 'onOrder'> {
  columns: RunColumn[]
}

const Head = ({ columns, order, onOrder }: ColumnsProps) => (
  <thead>
    <tr aria-rowindex={1}>
      <th scope="col" class="pick">
        <span class="unseen">Compare</span>
      </th>
      <th scope="col" class="status">
        Status
      </th>
      <th scope="col">Run</th>
      {columns.map(({ name, label, isNumber }) => (
        <th key={name} scope="col" class={isNumber ? 'number' : undefined}>
          {label}
        </th>
      ))}
      <th scope="col" class="number created" aria-sort={order === 'asc' ? 'ascending' : 'descending'}>
        <button type="button" class="plain" onClick={onOrder}>
          Created <span aria-hidden="true">{order === 'asc' ? '↑' : '↓'}</span>
        </button>
      </th>
    </tr>
  </thead>
)

/** Takes the space of rows that are not drawn. */
function Space({ rows, rowPx }: { rows: number; rowPx: number }) {
  if (rows <= 0) return null
  return (
    <tr class="space">
      <td style={{ height: `${rows * rowPx}px` }} />
    </tr>
  )
}

/** Scrolls the row into view, below the head of the table. */
function reveal(body: HTMLElement | null, row: number, rowPx: number) {
  if (!body || row < 0) return
  const top = body.getBoundingClientRect().top + row * rowPx
  const room = 3 * rowPx
  if (top < room) scrollBy({ top: top - room })
  else if (top + room > innerHeight) scrollBy({ top: top + room - innerHeight })
}

/** The height of every row of that body: as in `--row` of the style sheet, or more if the letters are large. */
function useRowHeight(body: RefObject<HTMLElement | null>, count: number): number {
  const [height, setHeight] = useState(usualRowPx)
  useLayoutEffect(() => {
    const row = body.current?.querySelector('[data-row]')?.closest('tr')
    if (row) setHeight(row.getBoundingClientRect().height)
  }, [count])
  return height
}

const usualRowPx = 44
/** Extra rows to draw beyond the visible ones, so that scrolling shows no gaps. */
const spare = 15

/** The range of rows to draw of `count` rows in that body; all of them on paper. `last` is exclusive. */
function useRowWindow(
  body: RefObject<HTMLElement | null>,
  count: number,
  rowPx: number,
): { first: number; last: number } {
  const [range, setRange] = useState({ first: 0, last: 60 })
  useEffect(() => {
    let frame = 0
    const measure = () => {
      frame = 0
      const top = body.current?.getBoundingClientRect().top ?? 0
      const first = Math.max(0, Math.floor(-top / rowPx) - spare)
      const last = Math.ceil((innerHeight - top) / rowPx) + spare
      // Changes in steps, so that not every pixel of scrolling draws again.
      setRange((before) => (near(before.first, first) && near(before.last, last) ? before : { first, last }))
    }
    const soon = () => {
      frame ||= requestAnimationFrame(measure)
    }
    const all = () => setRange({ first: 0, last: Number.MAX_SAFE_INTEGER })
    measure()
    addEventListener('scroll', soon, { passive: true })
    addEventListener('resize', soon)
    addEventListener('beforeprint', all)
    addEventListener('afterprint', soon)
    return () => {
      cancelAnimationFrame(frame)
      removeEventListener('scroll', soon)
      removeEventListener('resize', soon)
      removeEventListener('beforeprint', all)
      removeEventListener('afterprint', soon)
    }
  }, [rowPx])
  const last = Math.min(range.last, count)
  return { first: Math.min(range.first, last), last }
}

const near = (a: number, b: number) => Math.abs(a - b) < spare / 3
