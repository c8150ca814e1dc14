import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from './icon.tsx'

interface Props {
  label: ComponentChildren
  /** Whether something in it is chosen. */
  isActive?: boolean
  /** Whether it opens to the left because it is at the right edge. */
  isAtEnd?: boolean
  onClose?: () => void
  children: ComponentChildren
}

/** A button that opens a menu. Escape and a click elsewhere close it. */
export function Menu({ label, isActive = false, isAtEnd = false, onClose, children }: Props) {
  const details = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const close = (event: Event) => {
      const it = details.current
      if (!it?.open) return
      if (event instanceof KeyboardEvent ? event.key !== 'Escape' : it.contains(event.target as Node)) return
      it.open = false
      if (event instanceof KeyboardEvent) it.querySelector('summary')?.focus()
    }
    // Following a link closes the menu.
    const leave = ({ target }: Event) => target instanceof Element && target.closest('a') && closeMenu(target)
    const it = details.current
    it?.addEventListener('click', leave)
    addEventListener('pointerdown', close)
    addEventListener('keydown', close)
    return () => {
      it?.removeEventListener('click', leave)
      removeEventListener('pointerdown', close)
      removeEventListener('keydown', close)
    }
  }, [])
  return (
    <details
      ref={details}
      class={`menu ${isActive ? 'active' : ''}`}
      onToggle={(event) => event.currentTarget.open || onClose?.()}
    >
      <summary>
        <span class="label">{label}</span> <Icon name="down" />
      </summary>
      <div class={isAtEnd ? 'sheet left' : 'sheet'}>{children}</div>
    </details>
  )
}

/** The label of a menu of rare actions. */
export const MoreActions = () => (
  <>
    <Icon name="more" />
    <span class="unseen">More actions</span>
  </>
)

/** Closes the menu that contains an element. The focus must not stay in what is hidden. */
export function closeMenu(target: EventTarget | null): void {
  const menu = target instanceof Element ? target.closest('details') : null
  if (!menu) return
  if (menu.contains(document.activeElement)) menu.querySelector('summary')?.focus()
  menu.open = false
}

interface ChoiceProps {
  name: string
  options: { value: string; word: string; note?: string | false }[]
  chosen: string[]
  onChange: (chosen: string[]) => void
  /** The label when nothing is chosen, instead of the name. */
  none?: string
  /**
   * Whether the button shows only its name, because the choice is visible elsewhere. The menu is then at the right
   * edge.
   */
  isQuiet?: boolean
}

/** A menu for choosing any number of values. */
export function Choice({ name, options, chosen, onChange, none, isQuiet = false }: ChoiceProps) {
  const words = isQuiet ? [] : options.filter(({ value }) => chosen.includes(value)).map(({ word }) => word)
  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value])
  return (
    <Menu
      label={words.length > 0 ? `${name}: ${words.join(', ')}` : (none ?? name)}
      isActive={words.length > 0}
      isAtEnd={isQuiet}
    >
      <fieldset>
        <legend class="unseen">{name}</legend>
        {options.map(({ value, word, note }) => (
          <label key={value}>
            <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
            {word} {note && <span class="muted small">{note}</span>}
          </label>
        ))}
      </fieldset>
    </Menu>
  )
}
