import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { stayAt } from '../app/scroll.ts'
import { useNear } from '../ui/in-sight.ts'
import { plural } from '../ui/words.ts'
import { Code, type Drawing, useDrawing } from './code.tsx'
import type { DiffLine, HunkPiece, PatchRow } from './patch.ts'

/** The number of a line in the file before (`L12`) or after (`R12`). */
type LineName = `${'L' | 'R'}${number}`

export interface LineLinks {
  /** The line that the address names. */
  marked: string | undefined
  hrefOf: (line: LineName) => string
  onMark: (line: LineName) => void
}

interface Props {
  piece: HunkPiece
  isSplit: boolean
  language: string | undefined
  links: LineLinks
}

/** The id of the line that the address names. */
const markedId = 'marked-line'

/** The height of a line that is not wrapped, as in the style sheet. */
export const linePx = 20

/** Lines of a diff. They are drawn when they come near the window. */
export function Lines({ piece: { rows, isFolded }, isSplit, language, links }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const isAsked = links.marked !== undefined && rows.some((row) => namesOf(row).includes(links.marked as LineName))
  const [isOpen, setOpen] = useState(!isFolded)
  useLayoutEffect(() => {
    if (isAsked) setOpen(true)
  }, [isAsked])
  const isNear = useNear(box, isAsked)
  useLayoutEffect(() => {
    const { top = 0 } = document.getElementById(markedId)?.getBoundingClientRect() ?? {}
    // A line that was clicked is in sight.
    if (isAsked && isNear && isOpen && (top < 0 || top > innerHeight)) return stayAt(markedId, document.body)
  }, [isAsked, isNear, isOpen])
  if (!isOpen) {
    return (
      <button type="button" class="folded-lines" onClick={() => setOpen(true)}>
        Show {plural(rows.length, 'unchanged line')}
      </button>
    )
  }
  const height = `${rows.length * linePx}px`
  return (
    <div
      ref={box}
      class="lines"
      style={isNear ? { containIntrinsicBlockSize: `auto ${height}` } : { blockSize: height }}
    >
      {isNear && <Drawn rows={rows} isSplit={isSplit} language={language} links={links} />}
    </div>
  )
}

function Drawn({ rows, isSplit, language, links }: Omit<Props, 'piece'> & { rows: PatchRow[] }) {
  const drawing = useDrawing(rows, language)
  return rows.map((row, index) => {
    const names = namesOf(row)
    const isMarked = names.some((name) => name === links.marked)
    const RowOf = isSplit ? SplitRow : UnifiedRow
    return <RowOf key={index} row={row} drawing={drawing} links={links} isMarked={isMarked} />
  })
}

interface RowProps {
  row: PatchRow
  drawing: Drawing
  links: LineLinks
  isMarked: boolean
}

function UnifiedRow({ row: { left, right }, drawing, links, isMarked }: RowProps) {
  const line = right ?? left
  if (!line) return null
  return (
    <div id={isMarked ? markedId : undefined} class={`diff-row ${line.kind}${isMarked ? ' marked' : ''}`}>
      {line.kind === 'added' ? <span class="number" /> : <LineNumber line={line} side="L" links={links} />}
      {line.kind === 'removed' ? <span class="number" /> : <LineNumber line={line} side="R" links={links} />}
      <Code line={line} drawing={drawing} />
    </div>
  )
}

const SplitRow = ({ row: { left, right }, drawing, links, isMarked }: RowProps) => (
  <div id={isMarked ? markedId : undefined} class={`diff-row${isMarked ? ' marked' : ''}`}>
    <Half line={left} side="L" drawing={drawing} links={links} />
    <Half line={right} side="R" drawing={drawing} links={links} />
  </div>
)

interface HalfProps extends Omit<RowProps, 'row' | 'isMarked'> {
  line: DiffLine | undefined
  side: 'L' | 'R'
}

function Half({ line, side, drawing, links }: HalfProps) {
  if (!line) return <span class="nothing" />
  return (
    <>
      <LineNumber line={line} side={side} links={links} />
      <Code line={line} drawing={drawing} />
    </>
  )
}

/** The number of a line, which is a link to it. */
function LineNumber({ line, side, links }: Pick<HalfProps, 'side' | 'links'> & { line: DiffLine }) {
  const number = side === 'L' ? line.old : line.now
  const name: LineName = `${side}${number}`
  const mark = (event: MouseEvent) => {
    event.preventDefault()
    links.onMark(name)
  }
  return (
    <a
      class={`number ${line.kind}`}
      href={links.hrefOf(name)}
      aria-label={`Line ${number}${side === 'L' ? ' before' : ''}`}
      onClick={mark}
    >
      {number}
    </a>
  )
}

/** The names of the lines of a row. An unchanged line has two. */
function namesOf({ left, right }: PatchRow): LineName[] {
  return [...(left ? [`L${left.old}` as const] : []), ...(right ? [`R${right.now}` as const] : [])]
}
