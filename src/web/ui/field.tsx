import { type ComponentChildren, cloneElement, createContext, type VNode } from 'preact'
import { useContext, useId, useLayoutEffect } from 'preact/hooks'
import type { Issue } from '../../contract/error.ts'

/** What the server found wrong with the input of a form, and the fields of the form, which show it. */
export interface Faults {
  issues: readonly Issue[]
  /** The names of the fields. */
  names: Set<string>
}

export const FaultsContext = createContext<Faults>({ issues: [], names: new Set() })

/** Whether an issue is about that field of the API, or a part of it. */
const isOf = (name: string, { path }: Issue) => path === name || path.startsWith(`${name}.`)

/** Whether a field shows each of the issues. */
export const areShown = ({ issues, names }: Faults) =>
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
