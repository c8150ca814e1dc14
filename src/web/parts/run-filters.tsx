import { useEffect, useRef, useState } from 'preact/hooks'
import { useKeys } from '../keyboard.ts'
import { useProjects } from '../projects.ts'
import { go, goQuery, href, type Route } from '../router.ts'
import { Icon } from './icon.tsx'
import { Choice, Menu } from './menu.tsx'
import { statusLooks, verdictLooks } from './status.tsx'

const optionsOf = (looks: Record<string, { word: string }>) =>
  Object.entries(looks).map(([value, { word }]) => ({ value, word }))

/** Filters that are written; those without a hint are days. */
const fields: { name: string; label: string; hint?: string }[] = [
  { name: 'agent', label: 'Agent', hint: 'claude-code' },
  { name: 'specId', label: 'Spec', hint: 'AUTH-001' },
  { name: 'specVersion', label: 'Version of the spec', hint: '2' },
  { name: 'label', label: 'Label', hint: 'team:web' },
  { name: 'featureId', label: 'Number of a feature', hint: '42' },
  { name: 'createdAfter', label: 'Created from' },
  { name: 'createdBefore', label: 'Created before' },
]

const filters = ['q', 'project', 'status', 'verdict', ...fields.map(({ name }) => name)]

/** All that a list of runs can be asked for. What is chosen stands in the address. */
export function RunFilters({ route }: { route: Route }) {
  const { query, path } = route
  const projects = useProjects()
  const isSearch = query.has('q')
  const used = fields.filter(({ name }) => query.has(name)).length
  const set = (name: string) => (value: string | string[]) => goQuery(route, { [name]: value })
  return (
    <search class="filters">
      <SearchField route={route} />
      {projects.length > 1 && (
        <Choice
          name="Project"
          options={projects.map(({ slug, name }) => ({ value: slug, word: name }))}
          chosen={query.getAll('project')}
          onChange={set('project')}
        />
      )}
      {!isSearch && (
        <>
          <Choice
            name="Status"
            options={optionsOf(statusLooks)}
            chosen={query.getAll('status')}
            onChange={set('status')}
          />
          <Choice
            name="Verdict"
            options={optionsOf(verdictLooks)}
            chosen={query.getAll('verdict')}
            onChange={set('verdict')}
          />
          <Menu label={used > 0 ? `More: ${used}` : 'More'} isActive={used > 0}>
            {fields.map(({ name, label, hint }) => (
              <label key={name} class="field">
                {label}
                <input
                  {...(hint === undefined ? { type: 'date' } : { type: 'text', placeholder: hint })}
                  value={query.get(name) ?? ''}
                  onChange={(event) => set(name)(event.currentTarget.value)}
                />
              </label>
            ))}
          </Menu>
        </>
      )}
      {filters.some((name) => query.has(name)) && (
        <button type="button" class="plain" onClick={() => go(href(path))}>
          Clear
        </button>
      )}
    </search>
  )
}

const typingMs = 250

function SearchField({ route }: { route: Route }) {
  const asked = route.query.get('q') ?? ''
  const [text, setText] = useState(asked)
  const input = useRef<HTMLInputElement>(null)
  useKeys({ '/': () => input.current?.focus() })
  useEffect(() => setText(asked), [asked])
  useEffect(() => {
    if (text === asked) return
    // The first letter is a step that the back button takes back; the others only go on with it.
    const timer = setTimeout(() => goQuery(route, { q: text }, { replace: asked !== '' }), typingMs)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label class="search">
      <Icon name="search" />
      <span class="unseen">Search in runs</span>
      <input
        ref={input}
        type="search"
        placeholder="Search in runs"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <kbd>/</kbd>
    </label>
  )
}
