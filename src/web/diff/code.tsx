import { useMemo } from 'preact/hooks'
import { Visible } from '../ui/text.tsx'
import { colouredLines, type Token } from './colours.ts'
import type { DiffLine, PatchRow } from './patch.ts'
import { type WordSpan, wordsOf } from './words.ts'

/** Longer lines are cut: a page that draws megabytes in one line stands still. */
const longest = 2000

/** How the lines of some rows are drawn: their colours, and the words that changed. */
export interface Drawing {
  tokens: Map<DiffLine, Token[]>
  words: Map<DiffLine, WordSpan[]>
}

export function useDrawing(rows: PatchRow[], language: string | undefined): Drawing {
  return useMemo(() => {
    const tokens = new Map<DiffLine, Token[]>()
    // Unchanged lines belong to both files, so they get the colours of the later one.
    for (const side of ['left', 'right'] as const) {
      const lines = rows.flatMap((row) => row[side] ?? [])
      const coloured = colouredLines(
        lines.map(({ text }) => text.slice(0, longest)),
        language,
      )
      for (const [index, line] of lines.entries()) tokens.set(line, coloured[index] ?? [])
    }
    return { tokens, words: wordsOf(rows) }
  }, [rows, language])
}

const signs = { same: '', removed: 'removed: ', added: 'added: ' }

/** The text of a line. */
export function Code({ line, drawing }: { line: DiffLine; drawing: Drawing }) {
  const { kind, text, isUnended } = line
  const more = text.length - longest
  return (
    <code class={`code ${kind}`}>
      {signs[kind] && <span class="unseen">{signs[kind]}</span>}
      {partsOf(drawing.tokens.get(line) ?? [], drawing.words.get(line) ?? []).map(
        ({ text, tone, isChanged }, index) => {
          const classes = [tone, isChanged && 'word'].filter(Boolean).join(' ')
          return classes === '' ? (
            <Visible key={index} text={text} />
          ) : (
            <span key={index} class={classes}>
              <Visible text={text} />
            </span>
          )
        },
      )}
      {more > 0 && <i class="muted"> … {more.toLocaleString('en')} more characters</i>}
      {isUnended && <i class="muted"> (no line break at the end)</i>}
      {text === '' && '\u200b'}
    </code>
  )
}

/** Tokens cut where a changed word begins or ends. */
function partsOf(tokens: Token[], words: WordSpan[]): (Token & { isChanged: boolean })[] {
  const edges = words.flat()
  let at = 0
  return tokens.flatMap(({ text, tone }) => {
    const [from, to] = [at, at + text.length]
    at = to
    const cuts = [from, ...edges.filter((edge) => edge > from && edge < to), to]
    return cuts.slice(1).map((end, index) => {
      const begin = cuts[index] ?? from
      const isChanged = words.some(([first, last]) => begin >= first && end <= last)
      return { text: text.slice(begin - from, end - from), tone, isChanged }
    })
  })
}
