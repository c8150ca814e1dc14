import { go, goQuery, href, type Route } from '../app/router.ts'
import { Choice, Menu } from '../ui/menu.tsx'
import { ProjectChoice } from '../ui/project-choice.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { statusLooks, verdictLooks } from '../ui/status.tsx'

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
  const isSearch = query.has('q')
  const used = fields.filter(({ name }) => query.has(name)).length
  const set = (name: string) => (value: string | string[]) => goQuery(route, { [name]: value })
  return (
    <search class="filters">
      <SearchField route={route} label="Search in runs" />
      <ProjectChoice route={route} />
      <Choice name="Status" options={optionsOf(statusLooks)} chosen={query.getAll('status')} onChange={set('status')} />
      {!isSearch && (
        <>
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
