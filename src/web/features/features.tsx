import type { Output } from '../../client/client.ts'
import { href, type Route } from '../app/router.ts'
import { useEveryones } from '../data/lists/whose.ts'
import { useList } from '../data/query/list.ts'
import { client } from '../data/query/server.ts'
import { Command } from '../ui/copy.tsx'
import { Head } from '../ui/head.tsx'
import { More, Skeleton } from '../ui/loading.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { LastRun } from '../ui/status.tsx'
import { costOf, knownFor, plural } from '../ui/words.ts'

type ListedFeature = Output<'listFeatures'>['features'][number]

/** The parts of the code base that runs have touched. */
export default function Features({ route: { query }, route }: { route: Route }) {
  const filter = { project: query.has('project') ? query.getAll('project') : undefined, q: query.get('q') || undefined }
  const list = useList(
    JSON.stringify(filter),
    'features',
    (page, options) => client.listFeatures({ ...filter, ...page }, options),
    { touches: ({ type }) => /^(feature|run|check)\./.test(type), restMs: 2000 },
  )
  // An empty list of other filters says nothing about these.
  const isAwaited = !list.error && (!list.isRead || (list.items.length === 0 && list.isOther))
  return (
    <>
      <Head title="Features" />
      <search class="filters">
        <SearchField route={route} label="Search in features" />
      </search>
      {isAwaited && <Skeleton rows={8} />}
      {list.isRead && list.items.length === 0 && !isAwaited && <None isFiltered={query.has('q')} />}
      <ul class="rows features" aria-busy={list.isOther}>
        {list.items.map((feature) => (
          <Row key={`${feature.project}/${feature.id}`} feature={feature} />
        ))}
      </ul>
      <More list={list} />
    </>
  )
}

function Row({ feature }: { feature: ListedFeature }) {
  const { id, project, name, file, description, runs, lastRun, costUsd, costed } = feature
  return (
    <li>
      <div class="what">
        <a class="title" href={href(['features', project, id])}>
          {name}
        </a>
        <span class="facts">
          <span>{project}</span>
          <span>number {id}</span>
          {file && <span class="path">{file}</span>}
          {description && <span>{description.split('\n', 1)}</span>}
        </span>
      </div>
      <div class="figured">
        <span class="facts">
          <a href={href(['runs'], { project, featureId: id, mine: useEveryones() })}>{plural(runs, 'run')}</a>
          <span title={`Cost of its runs, ${knownFor(costed, runs)}`}>{costOf(costUsd)}</span>
        </span>
        <LastRun project={project} run={lastRun} />
      </div>
    </li>
  )
}

function None({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <p class="empty">No features match these filters.</p>
  return (
    <div class="empty">
      <p>No features yet. Runs name the features that they touch; you can also create one:</p>
      <Command text="conduct feature create --name user-auth --file src/auth/login.ts" />
    </div>
  )
}
