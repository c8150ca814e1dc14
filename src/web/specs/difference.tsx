import { structuredPatch } from 'diff'
import { useMemo } from 'preact/hooks'

/** How many unchanged lines to show around a change. */
const context = 3
/** Texts with more differing lines are not compared: that would take too long. */
const maxEditLength = 4000

interface Props {
  before: string
  after: string
}

/** The changes between two texts, line by line. */
export default function Difference({ before, after }: Props) {
  // It may take a second, and the page is drawn again every few seconds.
  const patch = useMemo(
    () => structuredPatch('', '', before, after, '', '', { context, maxEditLength }),
    [before, after],
  )
  if (!patch) return <p class="empty">These versions have too little in common to compare.</p>
  if (patch.hunks.length === 0) return <p class="empty">The text is the same: only the status or the author changed.</p>
  return (
    <div class="difference">
      {patch.hunks.map(({ oldStart, newStart, lines }) => (
        <div key={`${oldStart} ${newStart}`} class="hunk">
          <p class="muted small">From line {newStart}</p>
          {lines.map((line, index) => (
            <Line key={index} line={line} />
          ))}
        </div>
      ))}
    </div>
  )
}

/** The first character says whether the line was added or removed. */
function Line({ line }: { line: string }) {
  const text = line.slice(1)
  if (line.startsWith('+')) {
    return (
      <ins>
        <span class="unseen">added: </span>
        {text}
      </ins>
    )
  }
  if (line.startsWith('-')) {
    return (
      <del>
        <span class="unseen">removed: </span>
        {text}
      </del>
    )
  }
  return <span>{line.startsWith('\\') ? line : text}</span>
}
