import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { go, goQuery, href, type Route } from '../app/router.ts'
import { useKept } from '../data/browser/storage.ts'
import { forgetView, saveView, unnamed, views } from '../data/lists/views.ts'
import { Form } from '../ui/form.tsx'
import { Icon } from '../ui/icon.tsx'
import { Choice, closeMenu, Menu } from '../ui/menu.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { statusLooks, verdictLooks } from '../ui/status.tsx'
import { dateWords, timeWords } from '../ui/time.tsx'
import { ColumnChoice } from './columns.tsx'
import { filterFields, filterNames } from './filter-fields.ts'
import { onlySuggestion, Suggestions, type SuggestionsProps } from './suggestions.tsx'

type Field = (typeof filterFields)[number]

const optionsOf = (looks: Record<string, { word: string }>) =>
  Object.entries(looks).map(([value, { word }]) => ({ value, word }))

/** All filters of a list of runs. The choice is part of the address. */
export function RunFilters({ route: shown }: { route: Route }) {
  const route = unnamed(shown)
  const { query, path } = route
  const set = (name: string) => (value: string[]) => goQuery(route, { [name]: value })
  return (
    <search class="filters">
      <SearchField route={route} label="Search in runs" />
      <Choice name="Status" options={optionsOf(statusLooks)} chosen={query.getAll('status')} onChange={set('status')} />
      <Choice
        name="Verdict"
        options={optionsOf(verdictLooks)}
        chosen={query.getAll('verdict')}
        onChange={set('verdict')}
      />
      <FilterMenu route={route} />
      <FilterChips route={route} />
      {filterNames.some((name) => query.has(name)) && (
        <button type="button" class="plain" onClick={() => go(href(path, { project: query.getAll('project') }))}>
          Clear
        </button>
      )}
      <div class="row at-end">
        <ViewMenu route={shown} />
        {!query.has('q') && <ColumnChoice />}
      </div>
    </search>
  )
}

/** Adds a filter: first the field, then a value, with suggestions from the ledger. */
function FilterMenu({ route }: { route: Route }) {
  const [field, setField] = useState<Field>()
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
  field: Field
  route: Route
}

function ValueOf({ field: { name, label, kind, isRepeated, suggested, hint }, route }: ValueProps) {
  const [text, setText] = useState((!isRepeated && route.query.get(name)) || '')
  const input = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => input.current?.focus(), [])
  const choose = (value: string, target: EventTarget | null) => {
    closeMenu(target)
    const others = isRepeated ? route.query.getAll(name).filter((one) => one !== value.trim()) : []
    goQuery(route, { [name]: [...others, value.trim()] })
  }
  return (
    <form
      onSubmit={async (event) => {
        event.preventDefault()
        const form = event.currentTarget
        const value = suggested ? await onlySuggestion(suggested, text.trim(), route.query.getAll('project')) : text
        // The person may have closed the menu meanwhile.
        if (form.isConnected) choose(value, form)
      }}
    >
      <label class="field">
        {label}
        <input
          ref={input}
          {...(kind === 'day' ? { type: 'date' } : { type: 'text', placeholder: hint })}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {kind === 'day' && name.endsWith('After') && <Spans onChoose={choose} />}
      {suggested && (
        <Suggestions field={suggested} text={text} project={route.query.getAll('project')} onChoose={choose} />
      )}
      <div class="row end">
        <button type="submit">Apply</button>
      </div>
    </form>
  )
}

const spans = [
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
] as const

/** Spans that end now, and move on with the day. */
function Spans({ onChoose }: Pick<SuggestionsProps, 'onChoose'>) {
  return spans.map(([value, words]) => (
    <button key={value} type="button" class="option" onClick={(event) => onChoose(value, event.target)}>
      {words}
    </button>
  ))
}

/** The value of a filter in words. */
const wordsOf = ({ kind }: Field, value: string): string =>
  spans.find(([span]) => kind === 'day' && span === value)?.[1] ?? (kind === 'day' ? dayIn(value) : value)

/** A day or a moment of an address in words. */
function dayIn(value: string): string {
  if (Number.isNaN(Date.parse(value)) || !/^\d{4}-/.test(value)) return value
  return value.includes('T') ? timeWords(value) : dateWords(value)
}

/** The active filters, each with a button to remove it. */
function FilterChips({ route }: { route: Route }) {
  return (
    <>
      {filterFields.flatMap((field) => {
        const { name, label } = field
        const values = route.query.getAll(name).filter(Boolean)
        return values.map((value) => (
          <button
            key={`${name} ${value}`}
            type="button"
            class="chip"
            title={`Remove ${label}: ${wordsOf(field, value)}`}
            onClick={() => goQuery(route, { [name]: values.filter((one) => one !== value) })}
          >
            <span>
              {label}: <b>{wordsOf(field, value)}</b>
            </span>
            <Icon name="close" />
          </button>
        ))
      })}
    </>
  )
}

/** The views saved in this browser. A view is an address, so it can also be sent to others. */
function ViewMenu({ route }: { route: Route }) {
  const kept = useKept(views)
  const [isNaming, setNaming] = useState(false)
  return (
    <>
      <Menu label="Views" isAtEnd>
        {kept.map(({ name, query }) => (
          <div key={name} class="row view">
            <a href={`#/runs?${query}`}>{name}</a>
            <button type="button" class="plain" title="Delete view" onClick={() => forgetView(name)}>
              <Icon name="close" />
              <span class="unseen">Delete view {name}</span>
            </button>
          </div>
        ))}
        {kept.length === 0 && <p class="muted small note">A view keeps filters, words and order under a name.</p>}
        <button
          type="button"
          onClick={({ target }) => {
            closeMenu(target)
            setNaming(true)
          }}
        >
          Save this view
        </button>
      </Menu>
      {isNaming && <NameForm route={route} onClose={() => setNaming(false)} />}
    </>
  )
}

function NameForm({ route, onClose }: { route: Route; onClose: () => void }) {
  const [name, setName] = useState(route.query.get('view') ?? '')
  const work = async () => {
    const query = new URLSearchParams(route.query)
    query.set('view', name.trim())
    saveView({ name: name.trim(), query: query.toString() })
    goQuery(route, { view: name.trim() }, { replace: true })
  }
  return (
    <Form title="Save this view" label="Save view" work={work} onClose={onClose}>
      <label class="field">
        Name
        <input
          value={name}
          required
          maxLength={60}
          pattern=".*\S.*"
          placeholder="Failed nightly runs"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <p class="muted small">
        The view is kept in this browser. Its address carries the filters and the name, so you can also send it to
        others.
      </p>
    </Form>
  )
}
