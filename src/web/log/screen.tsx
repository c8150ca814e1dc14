import type { RefObject } from 'preact'
import { plural } from '../runs/changes.tsx'
import { linePx, useLineWindow } from './line-window.ts'
import type { Lines } from './lines.ts'
import { LogLine } from './log-line.tsx'
import type { Folding } from './use-folds.ts'

interface Props {
  box: RefObject<HTMLElement | null>
  lines: Lines
  /** The index of the highlighted line. */
  marked: number | undefined
  isPlain: boolean
  folding: Folding
  onScroll: () => void
  /** Puts a line into the address. */
  onMark: ((index: number) => void) | undefined
}

/** The lines of a log in a scrolling box. */
export function Screen({ box, lines, marked, isPlain, folding, onScroll, onMark }: Props) {
  const rows = folding.folds.rows(lines.count)
  const { first, last } = useLineWindow(box, rows)
  const shown = Array.from({ length: last - first }, (_, at) => folding.folds.lineAt(first + at))
  return (
    <section
      class="screen"
      aria-label="Terminal output"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus, to be scrolled by keys
      tabIndex={0}
      ref={box}
      onScroll={onScroll}
    >
      <div style={{ height: `${rows * linePx}px` }}>
        <div class="lines" style={{ transform: `translateY(${first * linePx}px)` }}>
          {shown.map((index) => (
            <div key={index} class={index === marked ? 'marked' : undefined}>
              <Anchor index={index} onMark={onMark} />
              <Line lines={lines} index={index} isPlain={isPlain} folding={folding} />
            </div>
          ))}
        </div>
      </div>
    </section>
  )
}

/** A line, or a button that folds and unfolds the group it names. */
function Line({ lines, index, isPlain, folding }: Pick<Props, 'lines' | 'isPlain' | 'folding'> & { index: number }) {
  const group = lines.groups.at(index)
  if (!group) return <LogLine lines={lines} index={index} isPlain={isPlain} />
  const isFolded = folding.isFolded(group)
  const length = (group.end ?? lines.count - 1) - group.start
  return (
    <button
      type="button"
      class="group"
      aria-expanded={!isFolded}
      disabled={group.end === undefined}
      onClick={() => folding.toggle(group)}
    >
      <span aria-hidden="true">{isFolded ? '▸' : '▾'}</span>
      {group.title}
      {isFolded && <span class="muted"> {plural(length, 'line')}</span>}
      {group.errors > 0 && <span class="errors"> {plural(group.errors, 'error line')}</span>}
    </button>
  )
}

/** The number of a line, and a link to it if the address can contain one. */
function Anchor({ index, onMark }: { index: number; onMark: Props['onMark'] }) {
  if (!onMark) return <span class="number">{index + 1}</span>
  const mark = (event: MouseEvent) => {
    event.preventDefault()
    onMark(index)
  }
  return (
    <a class="number" href={addressOf(index)} aria-label={`Line ${index + 1}`} onClick={mark}>
      {index + 1}
    </a>
  )
}

/** The current address of the page, with that line. */
function addressOf(index: number): string {
  const [path = '', query = ''] = location.hash.split('?')
  const params = new URLSearchParams(query)
  params.set('line', String(index + 1))
  return `${path}?${params}`
}
