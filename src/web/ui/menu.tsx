import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from './icon.tsx'

interface Props {
  label: ComponentChildren
  /** Whether something in it is chosen. */
  isActive?: boolean
  children: ComponentChildren
}

/** A button that unfolds something; Escape and a click elsewhere fold it up. */
export function Menu({ label, isActive = false, children }: Props) {
  const details = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const close = (event: Event) => {
      const it = details.current
      if (!it?.open) return
      if (event instanceof KeyboardEvent ? event.key !== 'Escape' : it.contains(event.target as Node)) return
      it.open = false
      if (event instanceof KeyboardEvent) it.querySelector('summary')?.focus()
    }
    addEventListener('pointerdown', close)
    addEventListener('keydown', close)
    return () => {
      removeEventListener('pointerdown', close)
      removeEventListener('keydown', close)
    }
  }, [])
  return (
    <details ref={details} class={`menu ${isActive ? 'active' : ''}`}>
      <summary>
        {label} <Icon name="down" />
      </summary>
      <div class="sheet">{children}</div>
    </details>
  )
}

interface ChoiceProps {
  name: string
  options: { value: string; word: string }[]
  chosen: string[]
  onChange: (chosen: string[]) => void
}

/** A menu in which any number of values is chosen. */
export function Choice({ name, options, chosen, onChange }: ChoiceProps) {
  const words = options.filter(({ value }) => chosen.includes(value)).map(({ word }) => word)
  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value])
  return (
    <Menu label={words.length > 0 ? `${name}: ${words.join(', ')}` : name} isActive={words.length > 0}>
      <fieldset>
        <legend class="unseen">{name}</legend>
        {options.map(({ value, word }) => (
          <label key={value}>
            <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
            {word}
          </label>
        ))}
      </fieldset>
    </Menu>
  )
}
