import { useEffect, useState } from 'preact/hooks'
import type { ConductError } from '../../client/client.ts'
import { isReplaced } from './append.ts'
import { Growing } from './growing.ts'
import { listen } from './live.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { failureOf } from './read.ts'
import { clientOf } from './server.ts'

export interface Content {
  /** Another object once the text was replaced rather than appended to. */
  text: Growing
  /** In characters. */
  length: number
  /** Whether the server had already dropped the middle of the text. */
  truncated: boolean
  isRead: boolean
  error?: ConductError
}

const nothing = (): Content => ({ text: new Growing(), length: 0, truncated: false, isRead: false })

/** The content of a run as it grows. Fetches only new text. `id` is the row id of the run. */
export function useContent(project: string, runId: string, id: number | undefined): Content {
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
          const { text, next, truncated } = await clientOf(project).readContent({ runId, after: at }, end)
          if (whole !== read.text) continue
          at = next
          whole.append(text)
          read = { text: whole, length: whole.length, truncated: read.truncated || truncated, isRead: true }
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
