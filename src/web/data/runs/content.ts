import { useEffect, useRef } from 'preact/hooks'
import type { ConductError } from '../../../client/client.ts'
import type { Event } from '../../../log/fields.ts'
import type { Gap } from '../../../text/content.ts'
import { listen } from '../log/stream.ts'
import { useRead } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { Growing } from './growing.ts'
import { isReplaced } from './run-events.ts'

/** What is read of the content of a run. */
interface ReadContent {
  /** Another object once the text was replaced rather than appended to. */
  text: Growing
  /** In characters. */
  length: number
  /** All that is missing from it. */
  dropped: Gap | null
}

export interface RunContent extends ReadContent {
  isRead: boolean
  error?: ConductError | undefined
}

const none: ReadContent = { text: new Growing(), length: 0, dropped: null }

/** What this page has read, up to a byte of the content. */
const nothing = () => ({ text: new Growing(), at: 0 })

/** The content of a run as it grows. Fetches only new text. `id` is the row id of the run. */
export function useContent(project: string, runId: string, id: number | undefined): RunContent {
  const known = useRef(nothing())
  const isOfRun = ({ subjectId, type }: Event) => subjectId === id && type === 'run.updated'
  // Before the read that this causes.
  useEffect(() => {
    known.current = nothing()
    return listen((news) => {
      const isGone = news.kind === 'event' ? isOfRun(news.event) && isReplaced(news.event) : news.kind === 'erased'
      if (isGone) known.current = nothing()
    })
  }, [project, runId, id])
  const { data, error } = useRead(
    id === undefined ? '' : `content ${id}`,
    (signal) => readOn(known, project, runId, signal),
    { touches: (event) => isOfRun(event) && event.changes.content !== undefined, restMs: 200 },
  )
  // After an erasure, nothing of the text before it stays, even if the next read fails.
  const isGone = error !== undefined && data?.text !== known.current.text
  return { ...(data && !isGone ? data : none), isRead: data !== undefined, error }
}

/** Reads to the end of the content, from its beginning if it was replaced meanwhile. */
async function readOn(
  known: { current: ReturnType<typeof nothing> },
  project: string,
  runId: string,
  signal: AbortSignal,
): Promise<ReadContent> {
  for (;;) {
    const mine = known.current
    const piece = await clientOf(project).readContent({ runId, after: mine.at }, { signal })
    if (mine !== known.current) continue
    // The server has dropped what this page has read in part. Its line numbers would be wrong.
    if (piece.gaps.some(({ start }) => start < mine.at)) {
      known.current = nothing()
      continue
    }
    const isEnd = piece.next === mine.at
    mine.at = piece.next
    append(mine.text, piece)
    if (isEnd) return { text: mine.text, length: mine.text.length, dropped: piece.dropped }
  }
}

interface ReadPiece {
  text: string
  /** Where it ends in the content. */
  next: number
  gaps: (Gap & { start: number; at: number; length: number })[]
}

/** Appends a piece as its texts, and the lines about gaps between them. */
function append(whole: Growing, { text, next, gaps }: ReadPiece) {
  if (gaps.length === 0) return whole.append(text, next)
  // Places in a piece are bytes.
  const bytes = new TextEncoder().encode(text)
  const between = (from: number, to?: number) =>
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(from, to))
  let from = 0
  for (const gap of gaps) {
    whole.append(between(from, gap.at), gap.start)
    from = gap.at + gap.length
    whole.appendGap(between(gap.at, from), gap)
  }
  whole.append(between(from), next)
}
