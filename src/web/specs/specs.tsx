import { useEffect, useState } from 'preact/hooks'
import type { Spec } from '../../api/spec.ts'
import type { Output } from '../../client/client.ts'
import type { Route } from '../app/router.ts'
import { useRead } from '../data/read.ts'
import { client } from '../data/server.ts'
import { Command } from '../ui/copy.tsx'
import { Head } from '../ui/head.tsx'
import { Problem } from '../ui/problem.tsx'
import { ProjectChoice } from '../ui/project-choice.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { cardId, SpecCard } from './spec-card.tsx'
import { specLooks, specStatuses } from './spec-status.tsx'

const most = 100

/** All specs, in a column for each status. */
export default function Specs({ route: { query }, route }: { route: Route }) {
  const filter = { project: query.has('project') ? query.getAll('project') : undefined, q: query.get('q') || undefined }
  const { data, error, reload } = useRead(
    JSON.stringify(filter),
    (signal) =>
      Promise.all(specStatuses.map((one) => client.listSpecs({ ...filter, status: [one], limit: most }, { signal }))),
    { touches: ({ type }) => type.startsWith('spec.') },
  )
  const [moved, setMoved] = useState<Spec>()
  const onMoved = (spec: Spec) => {
    setMoved(spec)
    reload()
  }
  // The card is drawn anew in its new column, and whoever moved it goes along.
  useEffect(() => {
    if (moved && document.activeElement === document.body) document.getElementById(cardId(moved))?.focus()
  }, [data, moved])
  const isEmpty = data?.every(({ specs }) => specs.length === 0)
  return (
    <>
      <Head title="Specs" />
      <search class="filters">
        <SearchField route={route} label="Search in titles" />
        <ProjectChoice route={route} />
      </search>
      <p class="unseen" role="status">
        {moved && `${moved.specId} is now ${specLooks[moved.status].word}.`}
      </p>
      {error && <Problem error={error} onRetry={reload} />}
      {isEmpty && <None isFiltered={query.size > 0} />}
      {data && !isEmpty && (
        <div class="board">
          {data.map((page, index) => (
            <Column
              key={index}
              page={page}
              status={specStatuses[index] ?? 'draft'}
              onMoved={onMoved}
              onConflict={reload}
            />
          ))}
        </div>
      )}
    </>
  )
}

interface ColumnProps {
  page: Output<'listSpecs'>
  status: Spec['status']
  onMoved: (spec: Spec) => void
  onConflict: () => void
}

function Column({ page: { specs, meta }, status, ...moving }: ColumnProps) {
  return (
    <section aria-labelledby={`column-${status}`}>
      <h2 id={`column-${status}`}>
        {specLooks[status].word}{' '}
        <span class="muted">
          {specs.length}
          {meta.hasMore && '+'}
        </span>
      </h2>
      <ul>
        {specs.map((spec) => (
          <SpecCard key={spec.id} spec={spec} {...moving} />
        ))}
      </ul>
      {meta.hasMore && <p class="muted small">These are the newest {most}. The search finds the others.</p>}
    </section>
  )
}

function None({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <p class="empty">No specs match these filters.</p>
  return (
    <div class="empty">
      <p>No specs yet. To create one from a Markdown file, whose “- [ ]” items become its checklist:</p>
      <Command text="conduct spec create spec.md --spec-id AUTH-001" />
    </div>
  )
}
