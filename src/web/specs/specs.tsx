import { useEffect, useRef, useState } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import type { Spec } from '../../nouns/spec/fields.ts'
import { href, type Route } from '../app/router.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { may, useSession } from '../data/query/session.ts'
import { Command } from '../ui/copy.tsx'
import { Head } from '../ui/head.tsx'
import { useInSight } from '../ui/in-sight.ts'
import { lazy, Problem, Skeleton } from '../ui/loading.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { Badge, lookOf } from '../ui/status.tsx'
import { Board, most } from './board.tsx'
import { cardId } from './spec-card.tsx'
import { Checklist, newSpecAddress, specLooks, specStatuses } from './spec-status.tsx'
import { NewestWork } from './spec-work.tsx'

const NewSpec = lazy(() => import('./new-spec.tsx'))

/** All specs, in one column per status. */
export default function Specs({ route }: { route: Route }) {
  const mayWrite = may(useSession(), 'agent')
  if (route.query.get('view') === 'new' && mayWrite) return <NewSpec route={route} />
  return <AllSpecs route={route} />
}

function AllSpecs({ route: { query }, route }: { route: Route }) {
  const filter = { project: query.has('project') ? query.getAll('project') : undefined, q: query.get('q') || undefined }
  const { data, error, isCurrent, reload } = useRead(
    JSON.stringify(filter),
    (signal) =>
      Promise.all(specStatuses.map((one) => client.listSpecs({ ...filter, status: [one], limit: most }, { signal }))),
    { touches: ({ type }) => type.startsWith('spec.') },
  )
  const isList = query.get('view') === 'list'
  const as = (view: string | undefined) => href(['specs'], { ...filter, view, mine: query.get('mine') ?? undefined })
  const [moved, setMoved] = useState<Spec>()
  const follow = useFocusOf(data)
  const onMoved = (spec: Spec) => {
    setMoved(spec)
    follow(spec)
    reload()
  }
  const isEmpty = data?.every(({ specs }) => specs.length === 0)
  // An empty board of other filters says nothing about these.
  const isAwaited = !error && (!data || (isEmpty && !isCurrent))
  return (
    <>
      <SpecsHead project={query.get('project') ?? undefined} />
      <search class="filters">
        <SearchField route={route} label="Search in titles and ids" />
        <nav class="row at-end" aria-label="What the specs look like">
          <a class="button" href={as(undefined)} aria-current={isList ? undefined : 'true'}>
            Board
          </a>
          <a class="button" href={as('list')} aria-current={isList ? 'true' : undefined}>
            List
          </a>
        </nav>
      </search>
      <p class="unseen" role="status">
        {moved && `${moved.specId} is now ${lookOf(specLooks, moved.status).word}.`}
      </p>
      {error && <Problem error={error} onRetry={reload} />}
      {isAwaited && <Skeleton rows={10} of="cards" />}
      {isEmpty && !isAwaited && <None isFiltered={query.has('q')} />}
      {data && !isEmpty && isList && <SpecList pages={data} isBusy={!isCurrent} />}
      {data && !isEmpty && !isList && <Board pages={data} isBusy={!isCurrent} onMoved={onMoved} onConflict={reload} />}
    </>
  )
}

/** Lets the focus follow a moved card, once it is drawn again in its new column. */
function useFocusOf(pages: Output<'listSpecs'>[] | undefined): (spec: Spec) => void {
  const moved = useRef<Spec>(undefined)
  useEffect(() => {
    const { current: spec } = moved
    if (
      !spec ||
      !pages?.some(({ specs }) => specs.some(({ id, version }) => id === spec.id && version >= spec.version))
    )
      return
    moved.current = undefined
    if (document.activeElement === document.body) document.getElementById(cardId(spec))?.focus()
  }, [pages])
  return (spec) => {
    moved.current = spec
  }
}

function SpecsHead({ project }: { project: string | undefined }) {
  return (
    <Head title="Specs">
      {may(useSession(), 'agent') && (
        <a class="button main" href={newSpecAddress(project)}>
          New spec
        </a>
      )}
    </Head>
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

/** All specs as one list, in the order of the board. */
function SpecList({ pages, isBusy }: { pages: Output<'listSpecs'>[]; isBusy: boolean }) {
  return (
    <>
      <ul class="rows spec-list" aria-busy={isBusy}>
        {pages
          .flatMap(({ specs }) => specs)
          .map((spec) => (
            <SpecRow key={spec.id} spec={spec} />
          ))}
      </ul>
      {pages.some(({ meta }) => meta.hasMore) && (
        <p class="muted small">These are the newest {most} of each status. The search finds the others.</p>
      )}
    </>
  )
}

function SpecRow({ spec }: { spec: Spec }) {
  const place = useRef<HTMLLIElement>(null)
  const isSeen = useInSight(place)
  const { project, specId, title, status, checklist, agent } = spec
  return (
    <li ref={place}>
      <Badge look={lookOf(specLooks, status)} />
      <div class="what">
        <a class="title" href={href(['specs', project, specId])}>
          {title ?? specId}
        </a>
        <span class="facts">
          <span>{project}</span>
          <span>{specId}</span>
          {agent && <span>{agent}</span>}
        </span>
      </div>
      <Checklist checklist={checklist} />
      <NewestWork spec={spec} isWanted={isSeen} />
    </li>
  )
}
