import type { ComponentType } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Run } from '../../nouns/run/fields.ts'
import type { Gap } from '../../text/content.ts'
import type { Route } from '../app/router.ts'
import type { RunContent } from '../data/runs/content.ts'
import { Growing } from '../data/runs/growing.ts'
import { plainOf } from '../log/lines.ts'
import { missingWords } from '../log/numbers.ts'
import { Copy } from '../ui/copy.tsx'
import { Download } from '../ui/download.tsx'
import { lazy, Skeleton } from '../ui/loading.tsx'

const TerminalLog = lazy(() => import('../log/terminal-log.tsx'), <Skeleton rows={6} />)

interface Props {
  run: Pick<Run, 'contentType' | 'endedAt' | 'project' | 'runId'>
  content: RunContent
  isRaw: boolean
  route: Route
}

/** Longer texts, in characters, are shown as plain text: rendering Markdown would make the page slow. */
const longest = 300_000

/** The content of a run: Markdown or terminal output. */
export function Log({ run, content: { text, length, dropped }, isRaw, route }: Props) {
  const isLong = length > longest
  const isMarkdown = run.contentType === 'text/markdown' && !isRaw && !isLong
  return (
    <div class="log">
      {dropped && <Missing text={text} dropped={dropped} />}
      {run.contentType === 'text/markdown' && isLong && !isRaw && (
        <p class="small muted">The log is too long to be shown as Markdown.</p>
      )}
      {isMarkdown ? (
        <MarkdownLog text={text} length={length} fileName={`${run.runId}.md`} />
      ) : (
        <TerminalLog
          text={text}
          length={length}
          isLive={run.endedAt === null}
          isPlain={isRaw}
          fileName={`${run.runId}.log`}
          route={route}
          source={run}
        />
      )}
    </div>
  )
}

/** How much of a log is missing, and where. */
function Missing({ text, dropped }: { text: Growing; dropped: Gap }) {
  const holes = [...text.holes.values()]
  const [first] = holes
  const where =
    holes.length === 1 && first
      ? missingWords(first)
      : `${missingWords({ ...dropped, line: undefined })}, in ${holes.length} places`
  return (
    <p class="small muted" role="note">
      {where} missing. A log that is too long, or comes too fast, keeps its beginning and its end.
    </p>
  )
}

interface MarkdownProps {
  text: Growing
  /** The length of the text, which changes with each append. */
  length: number
  fileName: string
}

/** Growing Markdown. A reader at its end stays there. */
function MarkdownLog({ text, length, fileName }: MarkdownProps) {
  const whole = useMemo(() => text.toString(), [text, length])
  useStayAtEnd(whole)
  return (
    <>
      <p class="small tools">
        <Copy text={whole} label="Copy the log" />
        <Download name={fileName} text={text} />
      </p>
      <Markdown text={plainOf(whole)} />
    </>
  )
}

/** A text of a check or a run, rendered by its content type. */
export function Text({ text, contentType }: { text: string; contentType: Run['contentType'] }) {
  const growing = useMemo(() => new Growing(text), [text])
  return contentType === 'text/x-terminal' ? (
    <TerminalLog text={growing} length={text.length} />
  ) : (
    <Markdown text={text} />
  )
}

let Prose: ComponentType<{ text: string }> | undefined

/** Loads the code of `Markdown` in advance, so that nothing below it moves when it is drawn. */
export async function loadMarkdown(): Promise<void> {
  Prose ??= (await import('../ui/prose.tsx')).default
}

/** Markdown. Its code is loaded on first use. */
export function Markdown({ text }: { text: string }) {
  const [, draw] = useState(Prose !== undefined)
  useEffect(() => {
    void loadMarkdown().then(() => draw(true))
  }, [])
  return Prose ? <Prose text={text} /> : <pre class="prose">{text}</pre>
}

function useStayAtEnd(text: string) {
  const wasAtEnd = useRef(false)
  useEffect(() => {
    const look = () => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement
      wasAtEnd.current = scrollTop > 0 && scrollHeight - scrollTop - clientHeight < 40
    }
    addEventListener('scroll', look, { passive: true })
    return () => removeEventListener('scroll', look)
  }, [])
  useLayoutEffect(() => {
    if (wasAtEnd.current) scrollTo({ top: document.documentElement.scrollHeight })
  }, [text])
}
