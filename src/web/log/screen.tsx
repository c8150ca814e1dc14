import type { RefObject } from 'preact'
import { isAtEnd, linePx, useLineWindow } from './line-window.ts'
import type { Lines } from './lines.ts'
import { LogLine } from './log-line.tsx'

interface Props {
  box: RefObject<HTMLElement | null>
  lines: Lines
  /** The index of the line that stands out. */
  marked: number | undefined
  isPlain: boolean
  onScroll: (isAtEnd: boolean) => void
  /** Keeps a line in the address. */
  onMark: ((index: number) => void) | undefined
}

/** The lines of a log in a box that scrolls them. */
export function Screen({ box, lines, marked, isPlain, onScroll, onMark }: Props) {
  const { first, last } = useLineWindow(box, lines.count)
  const shown = Array.from({ length: last - first }, (_, at) => first + at)
  return (
    <section
      class="screen"
      aria-label="Terminal output"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus, to be scrolled by keys
      tabIndex={0}
      ref={box}
      onScroll={({ currentTarget }) => onScroll(isAtEnd(currentTarget))}
    >
      <div style={{ height: `${lines.count * linePx}px` }}>
        <div class="lines" style={{ transform: `translateY(${first * linePx}px)` }}>
          {shown.map((index) => (
            <div key={index} class={index === marked ? 'marked' : undefined}>
              <Anchor index={index} onMark={onMark} />
              <LogLine lines={lines} index={index} isPlain={isPlain} />
            </div>
          ))}
        </div>
      </div>
    </section>
  )
}

/** The number of a line, and a link to it where the address can keep it. */
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

/** The address of the page as it is, with that line. */
function addressOf(index: number): string {
  const [path = '', query = ''] = location.hash.split('?')
  const params = new URLSearchParams(query)
  params.set('line', String(index + 1))
  return `${path}?${params}`
}
