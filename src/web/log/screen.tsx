import Anser from 'anser'
import type { RefObject } from 'preact'
import { useMemo } from 'preact/hooks'
import { plural } from '../ui/words.ts'
import type { Folding } from './folds.ts'
import { linePx, useLineWindow } from './line-window.ts'
import { type LogLines, longestLine } from './lines.ts'
import { missingWords } from './numbers.ts'
import type { Times } from './times.ts'

interface Props {
  box: RefObject<HTMLElement | null>
  lines: LogLines
  /** The index of the highlighted line. */
  marked: number | undefined
  isPlain: boolean
  folding: Folding
  times: Times
  onScroll: () => void
  /** Puts the number of a line into the address. */
  onMark: ((number: number) => void) | undefined
}

/** The lines of a log in a scrolling box. */
export function Screen({ box, lines, marked, isPlain, folding, times, onScroll, onMark }: Props) {
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
              {times.isShown && <Arrived at={times.of(index)} />}
              <Line lines={lines} index={index} isPlain={isPlain} folding={folding} />
            </div>
          ))}
        </div>
      </div>
    </section>
  )
}

const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' })

/** When the ledger received a line. */
function Arrived({ at }: { at: string | undefined }) {
  if (at === undefined) return <span class="at" />
  const time = new Date(at)
  return (
    <time class="at" dateTime={at} title={`Received ${exact.format(time)}`}>
      {clock.format(time)}
    </time>
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

/** One line of terminal output. Its colours become elements; nothing in it becomes HTML. */
function LogLine({ lines, index, isPlain }: { lines: LogLines; index: number; isPlain: boolean }) {
  // A log that grows draws all lines in sight each time, and only the last of them has changed.
  return useMemo(() => drawn(lines, index, isPlain), [lines, index, isPlain, lines.raw(index)])
}

function drawn(lines: LogLines, index: number, isPlain: boolean) {
  const hole = lines.numbers.holeAt(index)
  if (hole) return <i class="text missing">{missingWords(hole)} missing here</i>
  const plain = lines.plain(index)
  const left = plain.length - longestLine
  return (
    <span class="text">
      {isPlain ? plain.slice(0, longestLine) : <Coloured text={lines.coloured(index)} />}
      {left > 0 && <i class="muted"> … {left.toLocaleString('en')} more characters</i>}
      {plain === '' && '\u200b'}
    </span>
  )
}

function Coloured({ text }: { text: string }) {
  const pieces = Anser.ansiToJson(text, { use_classes: true, remove_empty: true })
  return pieces.map((piece, index) =>
    piece.fg || piece.bg || piece.decorations.length > 0 ? (
      <span key={index} class={classesOf(piece)} style={styleOf(piece)}>
        {piece.content}
      </span>
    ) : (
      piece.content
    ),
  )
}

type ColouredPiece = ReturnType<typeof Anser.ansiToJson>[number]

const classesOf = ({ fg, bg, decorations }: ColouredPiece) =>
  [fg && `${fg}-fg`, bg && `${bg}-bg`, ...decorations.map((name) => `ansi-${name}`)].filter(Boolean).join(' ')

/** Colours beyond the 16 of the style sheet. They are mixed with the text colour, to be legible in both themes. */
function styleOf({ fg, bg, fg_truecolor, bg_truecolor }: ColouredPiece) {
  const text = rgbOf(fg, fg_truecolor)
  const ground = rgbOf(bg, bg_truecolor)
  return {
    ...(text && { color: `color-mix(in oklab, rgb(${text}) 40%, var(--ink))` }),
    ...(ground && { backgroundColor: `color-mix(in oklab, rgb(${ground}) 25%, var(--sheet))` }),
  }
}

function rgbOf(name: string | null, trueColour: string | null): string | undefined {
  if (name === 'ansi-truecolor') return trueColour ?? undefined
  const [, digits] = /^ansi-palette-(\d+)$/.exec(name ?? '') ?? []
  return digits === undefined ? undefined : paletteRgb(Number(digits)).join(', ')
}

/** The colour of xterm's palette from 16 on: a cube of 6 × 6 × 6, then 24 greys. */
function paletteRgb(index: number): number[] {
  if (index >= 232) return Array(3).fill(8 + (index - 232) * 10)
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40)
  const at = index - 16
  return [level(Math.floor(at / 36)), level(Math.floor(at / 6) % 6), level(at % 6)]
}
