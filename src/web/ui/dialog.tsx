import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from './icon.tsx'

interface Props {
  title: string
  onClose: () => void
  children: ComponentChildren
}

/**
 * A modal dialog. The browser keeps the focus inside, restores it afterwards, and closes the dialog on Escape. It
 * reports a close only a moment later, when the person may already have opened the next dialog, so Escape and the
 * button report it at once.
 */
export function Dialog({ title, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useLayoutEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  const cancel = (event: Event) => {
    // A cancelled file field also sends `cancel`, which bubbles up to here.
    if (event.target !== dialog.current) return
    event.preventDefault()
    onClose()
  }
  return (
    <dialog ref={dialog} aria-labelledby={heading} onCancel={cancel} onClose={onClose}>
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" class="plain" onClick={onClose}>
          <Icon name="close" />
          <span class="unseen">Close</span>
        </button>
      </header>
      {children}
    </dialog>
  )
}
