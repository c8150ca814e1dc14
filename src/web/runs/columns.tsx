import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { spanOf } from '../../contract/span.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { keptIn, useKept } from '../data/browser/storage.ts'
import { Choice } from '../ui/menu.tsx'
import { Verdict } from '../ui/status.tsx'
import { Author, Code, plainLine, whyFailed } from '../ui/text.tsx'
import { costOfUse, plural, shortCostOf } from '../ui/words.ts'
import { toneOf } from './changes.tsx'

/** An optional column of the table of runs. */
export interface RunColumn {
  name: string
  label: string
  /** In pixels. */
  width: number
  isNumber?: boolean
  /** The content of a cell; nothing if the run has no value. */
  show: (run: Run) => ComponentChildren
}

/** In the order of display. */
const columns: RunColumn[] = [
  {
    name: 'verdict',
    label: 'Verdict',
    width: 124,
    show: verdictOf,
  },
  {
    name: 'why',
    label: 'Why',
    width: 280,
    show: ({ why }) =>
      why && (
        <span title={plainLine(why)}>
          <Code text={why} />
        </span>
      ),
  },
  { name: 'agent', label: 'Agent', width: 108, show: ({ agent }) => agent },
  { name: 'author', label: 'Author', width: 124, show: ({ author }) => <Author author={author} /> },
  { name: 'spec', label: 'Spec', width: 100, show: ({ specId }) => specId },
  { name: 'branch', label: 'Branch', width: 140, show: ({ git }) => git?.branch },
  { name: 'model', label: 'Model', width: 132, show: ({ usage }) => usage?.model },
  { name: 'changes', label: 'Lines', width: 128, isNumber: true, show: linesOf },
  { name: 'tokens', label: 'Tokens', width: 84, isNumber: true, show: tokensOf },
  { name: 'cost', label: 'Cost', width: 76, isNumber: true, show: costIn },
  { name: 'duration', label: 'Duration', width: 92, isNumber: true, show: durationOf },
]

/** In a list of failures alone, it takes the place of columns that say little about them. */
const failureColumn: RunColumn = {
  ...{ name: 'failure', label: 'Why it failed', width: 290 },
  show: (run) => (
    <span class="why" title={run.failure?.message}>
      {whyFailed(run)}
    </span>
  ),
}
const rarelyTelling = ['verdict', 'why', 'changes']

const usual = ['verdict', 'agent', 'changes', 'cost', 'duration']

const kept = keptIn('columns', (value) => (Array.isArray(value) ? value.map(String) : usual))

/** What goes on, or has not begun, is not yet there to be checked. */
function verdictOf(run: Run) {
  if (run.verdict !== 'unchecked') return <Verdict run={run} />
  return run.endedAt !== null && <span class="muted small">Unchecked</span>
}

function linesOf({ changes }: Run) {
  const { insertions, deletions } = changes ?? {}
  if (insertions === undefined && deletions === undefined) return null
  const title = `${plural(insertions ?? 0, 'line')} added, ${(deletions ?? 0).toLocaleString('en')} removed`
  return (
    <span class="changes" title={title}>
      <span class={toneOf('added', insertions)}>+{short.format(insertions ?? 0)}</span>
      <span class={toneOf('removed', deletions)}>−{short.format(deletions ?? 0)}</span>
    </span>
  )
}

function costIn({ usage }: Run) {
  const [exact, short] = [costOfUse(usage), costOfUse(usage, shortCostOf)]
  return <span title={short === exact ? undefined : exact}>{short}</span>
}

/** At most five characters. */
const short = new Intl.NumberFormat('en', { notation: 'compact' })
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

function tokensOf({ usage }: Run) {
  const { inputTokens, outputTokens } = usage ?? {}
  if (inputTokens === undefined && outputTokens === undefined) return '—'
  const title = `${inputTokens ?? '—'} in, ${outputTokens ?? '—'} out`
  return <span title={title}>{compact.format((inputTokens ?? 0) + (outputTokens ?? 0))}</span>
}

function durationOf({ startedAt, endedAt }: Run) {
  if (startedAt === null || endedAt === null) return null
  const ms = Date.parse(endedAt) - Date.parse(startedAt)
  return ms > 0 && spanOf(ms)
}

/** The width of the status, the creation time and a readable title, in pixels. */
const fixedPx = 256 + 276
/**
 * The width of what is beside the table, and the width of the window from which it is there. In a narrower window the
 * table has no optional columns.
 */
const [besidePx, narrowPx] = [212 + 56, 720]

/** The width that the window leaves for optional columns. */
function useRoom(): number {
  const [width, setWidth] = useState(document.documentElement.clientWidth)
  // A layout effect runs together with the first drawing, so no change is missed.
  useLayoutEffect(() => {
    const measure = () => setWidth(document.documentElement.clientWidth)
    addEventListener('resize', measure)
    return () => removeEventListener('resize', measure)
  }, [])
  return width < narrowPx ? 0 : width - besidePx - fixedPx
}

/** The chosen columns that leave enough room for titles of these runs. The last ones are dropped first. */
export function useColumns(runs: Run[]): RunColumn[] {
  const chosen = useKept(kept)
  const room = useRoom()
  const some = columns.filter(({ name }) => chosen.includes(name))
  const areFailures = runs.length > 0 && runs.every(({ status }) => status === 'failed')
  const wanted = areFailures ? [failureColumn, ...some.filter(({ name }) => !rarelyTelling.includes(name))] : some
  return fitting(wanted, room)
}

/** The first columns, up to one that has no room. */
const fitting = (wanted: RunColumn[], room: number): RunColumn[] =>
  wanted.filter(({ width }) => {
    room -= width
    return room >= 0
  })

/** Chooses the columns for this browser. Nothing where none of them fits. */
export function ColumnChoice() {
  const chosen = useKept(kept)
  const room = useRoom()
  if (columns.every(({ width }) => width > room)) return null
  const some = columns.filter(({ name }) => chosen.includes(name))
  const dropped = some.filter((column) => !fitting(some, room).includes(column))
  return (
    <Choice
      name="Columns"
      isQuiet
      options={columns.map((column) => ({
        ...{ value: column.name, word: column.label },
        note: dropped.includes(column) && 'no room',
      }))}
      chosen={chosen}
      onChange={kept.write}
    />
  )
}
