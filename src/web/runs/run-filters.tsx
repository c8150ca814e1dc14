import { go, goQuery, href, type Route } from '../app/router.ts'
import { unnamed } from '../data/lists/views.ts'
import { Choice } from '../ui/menu.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { statusLooks, verdictLooks } from '../ui/status.tsx'
import { ColumnChoice } from './columns.tsx'
import { filterNames } from './filter-fields.ts'
import { FilterChips, FilterMenu } from './filter-menu.tsx'
import { ViewMenu } from './view-menu.tsx'

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
