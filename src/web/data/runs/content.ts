import { useEffect, useState } from 'preact/hooks'
import type { ConductError } from '../../../client/client.ts'
import type { Gap } from '../../../text/content.ts'
import { listen } from '../log/stream.ts'
import { failureOf } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { oneAtATime } from '../query/timing.ts'
import { Growing } from './growing.ts'
import { isReplaced } from './run-events.ts'

export interface RunContent {
  /** Another object once the text was replaced rather than appended to. */
  text: Growing
  /** In characters. */
  length: number
  /** All that is missing from it. */
  dropped: Gap | null
  isRead: boolean
  error?: ConductError
}

const nothing = (): RunContent => ({ text: new Growing(), length: 0, dropped: null, isRead: false })

/** The content of a run as it grows. Fetches only new text. `id` is the row id of the run. */
export function useContent(project: string, runId: string, id: number | undefined): RunContent {
  const [content, setContent] = useState(nothing)
  useEffect(() => {
    if (id === undefined) return
    const end = new AbortController()
    let read = nothing()
    let at = 0

    const { soon: readOn } = oneAtATime(async () => {
      try {
        for (let before = -1; before !== at; ) {
          before = at
          const { text: whole } = read
          const piece = await clientOf(project).readContent({ runId, after: at }, end)
          if (whole !== read.text) continue
          // The server has dropped what this page has read in part. Its line numbers would be wrong.
          if (piece.gaps.some(({ start }) => start < at)) {
            beginAgain()
            continue
          }
          at = piece.next
          append(whole, piece)
          read = { text: whole, length: whole.length, dropped: piece.dropped, isRead: true }
        }
      } catch (error) {
        read = { ...read, error: failureOf(error) }
      }
      if (!end.signal.aborted) setContent(read)
    }, 200)

    const beginAgain = () => {
      at = 0
      read = nothing()
    }

    readOn()
    const leave = listen((news) => {
      if (news.kind === 'event' && news.event.subjectId === id && news.event.type === 'run.updated') {
        if (isReplaced(news.event)) beginAgain()
        if (news.event.changes.content) readOn()
      } else if (news.kind === 'connected') readOn()
      else if (news.kind === 'erased') {
        beginAgain()
        readOn()
      }
    })
    return () => {
      end.abort()
      leave()
    }
  }, [project, runId, id])
  return content
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
