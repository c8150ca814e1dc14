import { useState } from 'preact/hooks'
import { Icon } from './icon.tsx'

/** A command to copy. */
export function Command({ text }: { text: string }) {
  return (
    <span class="command">
      <code>{text}</code>
      <Copy text={text} />
    </span>
  )
}

interface Props {
  /** The text, or what makes it once it is copied. */
  text: string | (() => string)
  /** Only read aloud, and shown to the mouse. */
  label?: string
}

export function Copy({ text, label = 'Copy' }: Props) {
  const [said, setSaid] = useState('')
  const copy = async () => {
    setSaid((await copied(typeof text === 'string' ? text : text())) ? 'Copied' : 'Select the text and press Ctrl+C')
    setTimeout(() => setSaid(''), 2500)
  }
  return (
    <button type="button" class="plain" onClick={copy} title={label}>
      <Icon name={said === 'Copied' ? 'check' : 'copy'} />
      <span class={said === '' ? 'unseen' : undefined} aria-live="polite">
        {said || label}
      </span>
    </button>
  )
}

/** Copies the text and returns whether that worked. A page without TLS from another host may not use the clipboard. */
async function copied(text: string): Promise<boolean> {
  if (!navigator.clipboard) return false
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  )
}
