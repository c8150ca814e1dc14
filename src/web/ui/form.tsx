import type { ComponentChildren } from 'preact'
import { useAct } from '../data/act.ts'
import { Dialog } from './dialog.tsx'
import { Problem } from './problem.tsx'

interface FormProps {
  title: string
  /** The label of the submit button. */
  deed: string
  isDanger?: boolean
  work: () => Promise<unknown>
  onClose: () => void
  onConflict?: () => void
  children: ComponentChildren
}

/** A dialog that makes one change. If the change fails, it stays open and shows the error. */
export function Form({ title, deed, isDanger = false, work, onClose, onConflict, children }: FormProps) {
  const { act, isBusy, error } = useAct(onConflict)
  const submit = async (event: Event) => {
    event.preventDefault()
    if (await act(work)) onClose()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        {error && <Problem error={error} />}
        <div class="row end">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={isDanger ? 'danger' : 'main'} disabled={isBusy}>
            {deed}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
