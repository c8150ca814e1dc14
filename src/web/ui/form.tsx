import { type ComponentChildren, cloneElement, createContext, type VNode } from 'preact'
import { useContext, useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks'
import type { Issue } from '../../contract/error.ts'
import { useAct } from '../data/query/change.ts'
import { Dialog } from './dialog.tsx'
import { Problem } from './loading.tsx'

interface FormProps {
  title: string
  /** The label of the submit button. */
  label: string
  isDanger?: boolean
  /** Whether the form can be submitted. */
  isReady?: boolean
  work: () => Promise<unknown>
  onClose: () => void
  /** Called after success. By default the dialog closes. */
  onDone?: () => void
  onConflict?: () => void
  /** Whether its text was restored from a draft. */
  isRestored?: boolean
  /** Forgets the draft, once it is saved or no longer wanted. */
  drop?: () => void
  children: ComponentChildren
}

/**
 * A dialog that makes one change. If the change fails, it stays open and shows the error: beside the fields that it
 * names, else above the buttons. What arrives after the person has closed it must not touch the dialog that is open then.
 */
export function Form({ title, label, isDanger = false, isReady = true, work, children, ...then }: FormProps) {
  const { onClose, onDone = onClose, onConflict, isRestored, drop } = then
  const form = useRef<HTMLFormElement>(null)
  const isLeft = useRef(false)
  const { act, isBusy, error } = useAct(() => form.current && onConflict?.())
  const leave = () => {
    isLeft.current = true
    onClose()
  }
  const cancel = () => {
    drop?.()
    leave()
  }
  const names = useRef(new Set<string>()).current
  const faults = { issues: error?.issues ?? [], names }
  // The dialog would give it to the button that closes it.
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>('input, textarea, select')?.focus(), [])
  // Once the fields show the error.
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus()
  }, [error])
  const submit = async (event: Event) => {
    event.preventDefault()
    if (!(await act(work)) || isLeft.current) return
    drop?.()
    onDone()
  }
  return (
    // Closing keeps the draft, unless it is being saved.
    <Dialog title={title} onClose={isBusy ? cancel : leave}>
      <form ref={form} onSubmit={submit}>
        {isRestored && <Restored />}
        <FaultsContext.Provider value={faults}>{children}</FaultsContext.Provider>
        {error && !areShown(faults) && <Problem error={error} />}
        <FormEnd label={label} isDanger={isDanger} isReady={isReady && !isBusy} onCancel={cancel} />
      </form>
    </Dialog>
  )
}

/** Above a text that was restored from a draft. */
export const Restored = () => <p class="muted small">You did not save this text when you left.</p>

interface EndProps {
  label: string
  isDanger?: boolean
  isReady: boolean
  onCancel: () => void
}

/** The buttons at the end of a form. */
export const FormEnd = ({ label, isDanger = false, isReady, onCancel }: EndProps) => (
  <div class="row end">
    <button type="button" onClick={onCancel}>
      Cancel
    </button>
    <button type="submit" class={isDanger ? 'danger' : 'main'} disabled={!isReady}>
      {label}
    </button>
  </div>
)

/** What the server found wrong with the input of a form, and the fields of the form, which show it. */
interface Faults {
  issues: readonly Issue[]
  /** The names of the fields. */
  names: Set<string>
}

const FaultsContext = createContext<Faults>({ issues: [], names: new Set() })

/** Whether an issue is about that field of the API, or a part of it. */
const isOf = (name: string, { path }: Issue) => path === name || path.startsWith(`${name}.`)

/** Whether a field shows each of the issues. */
const areShown = ({ issues, names }: Faults) =>
  issues.length > 0 && issues.every((issue) => [...names].some((name) => isOf(name, issue)))

function useFault(name: string) {
  const { issues, names } = useContext(FaultsContext)
  const id = useId()
  useLayoutEffect(() => {
    names.add(name)
    return () => {
      names.delete(name)
    }
  }, [name, names])
  const text = issues
    .filter((issue) => isOf(name, issue))
    .map(({ message }) => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`)
    .join(' ')
  const fault = text !== '' && (
    <p id={id} class="fault" role="alert">
      {text}
    </p>
  )
  return { id, fault }
}

interface Props {
  /** The field of the API: `retention.runDays`. */
  name: string
  label: ComponentChildren
}

/** One control with its label and, below it, what the server says about its value. */
export function Field({ name, label, children }: Props & { children: VNode }) {
  const control = useId()
  const { id, fault } = useFault(name)
  return (
    <>
      <label class="field" htmlFor={control}>
        {label}
        {cloneElement(children, { id: control, ...(fault && { 'aria-invalid': 'true', 'aria-describedby': id }) })}
      </label>
      {fault}
    </>
  )
}

/** The same for a group of controls. */
export function FieldGroup({ name, label, children }: Props & { children: ComponentChildren }) {
  const { id, fault } = useFault(name)
  return (
    <>
      <fieldset class="field" aria-describedby={fault ? id : undefined}>
        <legend>{label}</legend>
        {children}
      </fieldset>
      {fault}
    </>
  )
}

interface ChoiceProps {
  label: string
  projects: readonly { slug: string; name: string }[]
  chosen: string
  onChoose(slug: string): void
  /** The label for no project; undefined if that is no choice. */
  none?: string | undefined
  /** Whether the form is not sent without one. */
  isRequired?: boolean
  disabled?: boolean
}

/** A field for choosing a project. */
export function ProjectChoice({ label, projects, chosen, onChoose, none, isRequired, disabled = false }: ChoiceProps) {
  return (
    <Field name="project" label={label}>
      <select
        value={chosen}
        required={isRequired}
        disabled={disabled}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {none !== undefined && <option value="">{none}</option>}
        {projects.map(({ slug, name }) => (
          <option key={slug} value={slug}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  )
}
