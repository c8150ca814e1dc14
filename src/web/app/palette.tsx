import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { type Item, useItems } from './palette-items.ts'

/** The command palette, opened by Ctrl+K or Cmd+K. */
export default function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [text, setText] = useState('')
  const { items, isSearched, error } = useItems(text, onHelp)
  const [at, setAt] = useState(0)
  const list = useId()
  const chosen = Math.min(at, items.length - 1)
  const choose = (item: Item | undefined) => {
    if (!item) return
    onClose()
    item.act()
  }
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setAt((chosen + step + items.length) % Math.max(1, items.length))
    else if (event.key === 'Enter') choose(items[chosen])
    else return
    event.preventDefault()
  }
  return (
    <Dialog title="Go to anything" onClose={onClose}>
      <div class="palette">
        <input
          // The browser focuses it when the dialog opens.
          autofocus
          type="text"
          role="combobox"
          aria-label="Pages, runs, specs, features, projects, actions"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={items.length > 0 ? `${list}-${chosen}` : undefined}
          placeholder="Pages, runs, specs, features, projects, actions"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value)
            setAt(0)
          }}
          onKeyDown={press}
        />
        <div id={list} role="listbox" aria-label="Matches">
          {items.map((item, index) => (
            <Option key={item.id} id={`${list}-${index}`} item={item} isChosen={index === chosen} onChoose={choose} />
          ))}
        </div>
        <p class="muted small" role="status">
          {error ? error.message : !isSearched ? 'Searching …' : items.length === 0 && 'Nothing matches these words.'}
        </p>
      </div>
    </Dialog>
  )
}

interface OptionProps {
  id: string
  item: Item
  isChosen: boolean
  onChoose: (item: Item) => void
}

function Option({ id, item, isChosen, onChoose }: OptionProps) {
  const option = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (isChosen) option.current?.scrollIntoView({ block: 'nearest' })
  }, [isChosen])
  return (
    <button
      ref={option}
      id={id}
      type="button"
      role="option"
      aria-selected={isChosen}
      tabIndex={-1}
      onClick={() => onChoose(item)}
    >
      <Icon name={item.icon} />
      <span class="title">{item.label}</span>
      <span class="muted small">{item.detail}</span>
    </button>
  )
}
