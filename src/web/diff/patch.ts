/** A line of a diff. `old` and `now` are its numbers in the file before and after. */
export interface DiffLine {
  kind: 'same' | 'removed' | 'added'
  old: number
  now: number
  text: string
  /** Whether the file ends here without a line break. */
  isUnended?: boolean
}

interface Hunk {
  lines: DiffLine[]
  /** How many unchanged lines there are between this and what comes before. */
  skipped: number
  /** What git says of where it is, such as the name of a function. */
  heading: string
}

const head = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,\d{1,9})? @@ ?(.*)$/s

/**
 * The hunks of a unified diff of one file. It may end anywhere: the ledger cuts long ones, which libraries refuse to
 * read.
 */
export function hunksOf(patch: string): Hunk[] {
  const hunks: Hunk[] = []
  let [old, now] = [1, 1]
  for (const text of patch.split('\n')) {
    const found = head.exec(text)
    if (found) {
      const [, oldStart, oldCount, newStart, heading = ''] = found
      // A file that does not exist begins at 0. So does a hunk without old lines that comes before the first line.
      const next = Math.max(1, Number(oldStart) + (oldCount === '0' ? 1 : 0))
      hunks.push({ lines: [], skipped: Math.max(0, next - old), heading })
      old = next
      now = Math.max(1, Number(newStart))
      continue
    }
    const hunk = hunks.at(-1)
    if (!hunk) continue
    const kind = kinds[text[0] ?? '']
    if (text.startsWith('\\')) {
      const last = hunk.lines.at(-1)
      if (last) last.isUnended = true
    }
    if (!kind) continue
    hunk.lines.push({ kind, old, now, text: text.slice(1).replace(/\r$/, '') })
    if (kind !== 'added') old++
    if (kind !== 'removed') now++
  }
  return hunks
}

const kinds: Record<string, DiffLine['kind']> = { ' ': 'same', '-': 'removed', '+': 'added' }

/**
 * A row of a diff. An unchanged line is on both sides; in the view side by side, an added line is beside the removed one
 * that it replaces.
 */
export interface PatchRow {
  left?: DiffLine
  right?: DiffLine
}

/** A row for each line. */
export const unifiedRows = (lines: DiffLine[]): PatchRow[] =>
  lines.map((line) =>
    line.kind === 'same' ? { left: line, right: line } : line.kind === 'removed' ? { left: line } : { right: line },
  )

/** Rows in which each removed line is beside the added line that replaces it, in their order. */
export function splitRows(lines: DiffLine[]): PatchRow[] {
  const rows: PatchRow[] = []
  let [removed, added]: [DiffLine[], DiffLine[]] = [[], []]
  const flush = () => {
    for (let n = 0; n < Math.max(removed.length, added.length); n++) {
      rows.push({ ...(removed[n] && { left: removed[n] }), ...(added[n] && { right: added[n] }) })
    }
    removed = []
    added = []
  }
  for (const line of lines) {
    if (line.kind !== 'added' && added.length > 0) flush()
    if (line.kind === 'removed') removed.push(line)
    if (line.kind === 'added') added.push(line)
    if (line.kind !== 'same') continue
    flush()
    rows.push({ left: line, right: line })
  }
  flush()
  return rows
}

/** A part of a hunk that is drawn at once, or unchanged lines that are folded. */
export interface HunkPiece {
  rows: PatchRow[]
  isFolded: boolean
}

/** How many unchanged lines stay visible beside a change, and how many more are folded. */
const [context, fewest] = [3, 8]
const pieceRows = 200

/** The rows of a hunk in pieces, none of which takes long to draw. */
export function piecesOf(rows: PatchRow[]): HunkPiece[] {
  const pieces: HunkPiece[] = []
  let piece: PatchRow[] = []
  const end = () => {
    if (piece.length > 0) pieces.push({ rows: piece, isFolded: false })
    piece = []
  }
  const add = (more: PatchRow[]) => {
    for (const row of more) {
      if (piece.length === pieceRows) end()
      piece.push(row)
    }
  }
  for (const run of runsOf(rows)) {
    const before = run[0] === rows[0] ? 0 : context
    const after = run.length - (run.at(-1) === rows.at(-1) ? 0 : context)
    if (!isSame(run[0]) || after - before < fewest) add(run)
    else {
      add(run.slice(0, before))
      end()
      pieces.push({ rows: run.slice(before, after), isFolded: true })
      add(run.slice(after))
    }
  }
  end()
  return pieces
}

const isSame = (row: PatchRow | undefined) => row?.left?.kind === 'same'

/** Rows in runs of unchanged and of changed ones. */
function runsOf(rows: PatchRow[]): PatchRow[][] {
  const runs: PatchRow[][] = []
  for (const row of rows) {
    const last = runs.at(-1)
    if (last && isSame(last[0]) === isSame(row)) last.push(row)
    else runs.push([row])
  }
  return runs
}

/** The lines of rows, each once. */
export const linesOf = (rows: PatchRow[]): DiffLine[] =>
  rows.flatMap(({ left, right }) => [...(left ? [left] : []), ...(right && right !== left ? [right] : [])])
