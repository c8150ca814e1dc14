import type { ComponentType } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Copy } from '../ui/copy.tsx'

/** Longer texts are shown as they are: as markdown they would make the page slow. In characters. */
const longest = 300_000
/** What sets colours in a terminal. */
const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[ -/]*[@-~]`, 'g')

interface Props {
  text: string
  isRaw: boolean
  isTruncated: boolean
}

/** What an agent said, as markdown or as it is. Whoever is at its end stays there while it grows. */
export function Log({ text, isRaw, isTruncated }: Props) {
  const plain = text.replace(escapes, '')
  const isLong = plain.length > longest
  useStayAtEnd(text)
  return (
    <div class="log">
      <p class="small muted">
        {isTruncated && 'The middle was dropped, since the log outgrew the limit. '}
        {isLong && !isRaw && 'The log is too long to be shown as Markdown.'}
        <Copy text={text} label="Copy the log" />
      </p>
      {isRaw || isLong ? <pre>{plain}</pre> : <Markdown text={plain} />}
    </div>
  )
}

/** Markdown, by code that is loaded with the first of it. */
export function Markdown({ text }: { text: string }) {
  const [Prose, setProse] = useState<ComponentType<{ text: string }>>()
  useEffect(() => {
    void import('../ui/prose.tsx').then(({ default: loaded }) => setProse(() => loaded))
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
