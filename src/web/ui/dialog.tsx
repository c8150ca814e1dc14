import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from './icon.tsx'

interface Props {
  title: string
  onClose: () => void
  /** Whether only its button closes it, because nothing brings back what it shows. */
  isFirm?: boolean
  children: ComponentChildren
}

/**
 * A modal dialog. The browser keeps the focus inside, restores it afterwards, and closes the dialog on Escape. It
 * reports a close only a moment later, when the person may already have opened the next dialog, so Escape and the
 * button report it at once.
 */
export function Dialog({ title, onClose, isFirm = false, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useLayoutEffect(() => {
    const it = dialog.current
    it?.showModal()
    // Closing restores the focus. Elements behind an open dialog cannot take it.
    return () => it?.close()
  }, [])
  const cancel = (event: Event) => {
    // A cancelled file field also sends `cancel`, which bubbles up to here.
    if (event.target !== dialog.current) return
    event.preventDefault()
    if (!isFirm) onClose()
  }
  // The report may arrive after this dialog is gone, when the next one is open.
  const close = () => dialog.current && onClose()
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      closedby={isFirm ? 'none' : 'closerequest'}
      onCancel={cancel}
      onClose={close}
    >
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
