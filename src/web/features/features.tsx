import { href, type Route } from '../app/router.ts'
import { useList } from '../data/list.ts'
import { client } from '../data/server.ts'
import { Ago } from '../ui/ago.tsx'
import { Command } from '../ui/copy.tsx'
import { Head } from '../ui/head.tsx'
import { More } from '../ui/more.tsx'
import { SearchField } from '../ui/search-field.tsx'

/** The parts of the code base that runs have touched. */
export default function Features({ route: { query }, route }: { route: Route }) {
  const filter = { project: query.has('project') ? query.getAll('project') : undefined, q: query.get('q') || undefined }
  const list = useList(
    JSON.stringify(filter),
    async (page, options) => {
      const { features, meta } = await client.listFeatures({ ...filter, ...page }, options)
      return { items: features, nextCursor: meta.nextCursor }
    },
    { touches: ({ type }) => type.startsWith('feature.'), restMs: 1000 },
  )
  return (
    <>
      <Head title="Features" />
      <search class="filters">
        <SearchField route={route} label="Search in features" />
      </search>
      {list.isRead && list.items.length === 0 && <None isFiltered={query.size > 0} />}
      <ul class="rows features">
        {list.items.map((feature) => (
          <li key={`${feature.project}/${feature.id}`}>
            <div class="what">
              <a class="title" href={href(['features', feature.project, feature.id])}>
                {feature.name}
              </a>
              <span class="facts">
                <span>{feature.project}</span>
                <span>number {feature.id}</span>
                {feature.file && <span class="path">{feature.file}</span>}
                {feature.description && <span>{feature.description.split('\n', 1)}</span>}
              </span>
            </div>
            <Ago at={feature.updatedAt} />
          </li>
        ))}
      </ul>
      <More list={list} />
    </>
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
