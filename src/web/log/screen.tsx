import type { RefObject } from 'preact'
import { plural } from '../ui/words.ts'
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
  /** Puts the number of a line into the address. */
  onMark: ((number: number) => void) | undefined
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
              <Anchor number={lines.numbers.of(index)} onMark={onMark} />
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

interface AnchorProps extends Pick<Props, 'onMark'> {
  /** Undefined if it is unknown, or there is no line. */
  number: number | undefined
}

/** The number of a line, and a link to it if the address can contain one. */
function Anchor({ number, onMark }: AnchorProps) {
  if (!onMark || number === undefined) return <span class="number">{number}</span>
  const mark = (event: MouseEvent) => {
    event.preventDefault()
    onMark(number)
  }
  return (
    <a class="number" href={addressOf(number)} aria-label={`Line ${number}`} onClick={mark}>
      {number}
    </a>
  )
}

/** The current address of the page, with that line. */
function addressOf(number: number): string {
  const [path = '', query = ''] = location.hash.split('?')
  const params = new URLSearchParams(query)
  params.set('line', String(number))
  return `${path}?${params}`
}
