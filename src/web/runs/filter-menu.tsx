import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Suggested } from '../../find/fields.ts'
import { goQuery, type Route } from '../app/router.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { Icon } from '../ui/icon.tsx'
import { closeMenu, Menu } from '../ui/menu.tsx'
import { type FilterField, filterFields } from './filter-fields.ts'

/** Adds a filter: first the field, then a value, with suggestions from the ledger. */
export function FilterMenu({ route }: { route: Route }) {
  const [field, setField] = useState<FilterField>()
  return (
    <Menu label="Filter" onClose={() => setField(undefined)}>
      <div class="filter-menu">
        {field ? (
          <ValueOf field={field} route={route} />
        ) : (
          filterFields.map((one) => (
            <button key={one.name} type="button" class="option" onClick={() => setField(one)}>
              {one.label}
            </button>
          ))
        )}
      </div>
    </Menu>
  )
}

interface ValueProps {
  field: FilterField
  route: Route
}

function ValueOf({ field: { name, label, suggested, hint }, route }: ValueProps) {
  const [text, setText] = useState(route.query.get(name) ?? '')
  const input = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => input.current?.focus(), [])
  const choose = (value: string, target: EventTarget | null) => {
    closeMenu(target)
    goQuery(route, { [name]: value.trim() })
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        choose(text, event.currentTarget)
      }}
    >
      <label class="field">
        {label}
        <input
          ref={input}
          {...(hint === undefined ? { type: 'date' } : { type: 'text', placeholder: hint })}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {suggested && (
        <Suggestions field={suggested} prefix={text} project={route.query.getAll('project')} onChoose={choose} />
      )}
      <div class="row end">
        <button type="submit">Apply</button>
      </div>
    </form>
  )
}

interface SuggestionsProps {
  field: Suggested
  prefix: string
  project: string[]
  onChoose: (value: string, target: EventTarget | null) => void
}

function Suggestions({ field, prefix, project, onChoose }: SuggestionsProps) {
  const input = { field, limit: 12, ...(prefix && { prefix }), ...(project.length > 0 && { project }) }
  const { data, error, isCurrent } = useRead(JSON.stringify(input), (signal) => client.suggest(input, { signal }))
  if (error) return <p class="muted small note">{error.message}</p>
  if (!data) return null
  return (
    <>
      {data.values.map((value) => (
        <button
          key={value}
          type="button"
          class="option"
          title={value}
          onClick={(event) => onChoose(value, event.target)}
        >
          {value}
        </button>
      ))}
      {data.values.length === 0 && isCurrent && (
        <p class="muted small note">No run has a value that begins like this.</p>
      )}
      {data.meta.hasMore && <p class="muted small note">Type to see others.</p>}
    </>
  )
}

/** The active filters, each with a button to remove it. */
export function FilterChips({ route }: { route: Route }) {
  return (
    <>
      {filterFields.map(({ name, label }) => {
        const value = route.query.get(name)
        if (!value) return null
        return (
          <button
            key={name}
            type="button"
            class="chip"
            title={`Remove ${label}: ${value}`}
            onClick={() => goQuery(route, { [name]: undefined })}
          >
            <span>
              {label}: <b>{value}</b>
            </span>
            <Icon name="close" />
          </button>
        )
      })}
    </>
  )
}
