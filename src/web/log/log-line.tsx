import Anser from 'anser'
import { useMemo } from 'preact/hooks'
import { type Lines, longestLine } from './lines.ts'
import { missingWords } from './numbers.ts'

/** One line of terminal output. Its colours become elements; nothing in it becomes HTML. */
export function LogLine({ lines, index, isPlain }: { lines: Lines; index: number; isPlain: boolean }) {
  // A log that grows draws all lines in sight each time, and only the last of them has changed.
  return useMemo(() => drawn(lines, index, isPlain), [lines, index, isPlain, lines.raw(index)])
}

function drawn(lines: Lines, index: number, isPlain: boolean) {
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

type Piece = ReturnType<typeof Anser.ansiToJson>[number]

const classesOf = ({ fg, bg, decorations }: Piece) =>
  [fg && `${fg}-fg`, bg && `${bg}-bg`, ...decorations.map((name) => `ansi-${name}`)].filter(Boolean).join(' ')

/** Colours beyond the 16 of the style sheet. They are mixed with the text colour, to be legible in both themes. */
function styleOf({ fg, bg, fg_truecolor, bg_truecolor }: Piece) {
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
