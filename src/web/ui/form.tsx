import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useAct } from '../data/act.ts'
import { Dialog } from './dialog.tsx'
import { areShown, FaultsContext } from './field.tsx'
import { Problem } from './problem.tsx'

interface FormProps {
  title: string
  /** The label of the submit button. */
  deed: string
  isDanger?: boolean
  /** Whether the form can be submitted. */
  isReady?: boolean
  work: () => Promise<unknown>
  onClose: () => void
  /** Called after success. By default the dialog closes. */
  onDone?: () => void
  onConflict?: () => void
  children: ComponentChildren
}

/**
 * A dialog that makes one change. If the change fails, it stays open and shows the error: beside the fields that it
 * names, else above the buttons. What arrives after the person has closed it must not touch the dialog that is open then.
 */
export function Form({ title, deed, isDanger = false, isReady = true, work, children, ...then }: FormProps) {
  const { onClose, onDone = onClose, onConflict } = then
  const form = useRef<HTMLFormElement>(null)
  const isLeft = useRef(false)
  const { act, isBusy, error } = useAct(() => form.current && onConflict?.())
  const leave = () => {
    isLeft.current = true
    onClose()
  }
  const names = useRef(new Set<string>()).current
  const faults = { issues: error?.issues ?? [], names }
  // Once the fields show the error.
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus()
  }, [error])
  const submit = async (event: Event) => {
    event.preventDefault()
    if ((await act(work)) && !isLeft.current) onDone()
  }
  return (
    <Dialog title={title} onClose={leave}>
      <form ref={form} onSubmit={submit}>
        <FaultsContext.Provider value={faults}>{children}</FaultsContext.Provider>
        {error && !areShown(faults) && <Problem error={error} />}
        <FormEnd deed={deed} isDanger={isDanger} isReady={isReady && !isBusy} onCancel={leave} />
      </form>
    </Dialog>
  )
}

/** Above a text that was restored from a draft. */
export const Restored = () => <p class="muted small">You did not save this text when you left.</p>

interface EndProps {
  deed: string
  isDanger?: boolean
  isReady: boolean
  onCancel: () => void
}

/** The buttons at the end of a form. */
export const FormEnd = ({ deed, isDanger = false, isReady, onCancel }: EndProps) => (
  <div class="row end">
    <button type="button" onClick={onCancel}>
      Cancel
    </button>
    <button type="submit" class={isDanger ? 'danger' : 'main'} disabled={!isReady}>
      {deed}
    </button>
  </div>
)
