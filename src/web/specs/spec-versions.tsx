import type { Output } from '../../client/client.ts'
import { goQuery, href, type Route } from '../app/router.ts'
import { type List, useList } from '../data/query/list.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { Markdown } from '../runs/log.tsx'
import { lazy, More, Problem, Skeleton } from '../ui/loading.tsx'
import { Ago } from '../ui/time.tsx'
import { actorText } from '../ui/words.ts'

const Difference = lazy(() => import('./difference.tsx'))

type FullSpec = Output<'getSpec'>['spec']
type Version = Output<'listSpecVersions'>['versions'][number]

/** Earlier versions of a spec: the text of one, or the changes between two. The address names them. */
export function SpecVersions({ spec: { project, specId, version }, route }: { spec: FullSpec; route: Route }) {
  const list = useList(
    `versions of ${project}/${specId}`,
    'versions',
    (page, options) => clientOf(project).listSpecVersions({ specId, ...page }, options),
    { touches: (event) => event.project === project && event.subject === specId && event.type === 'spec.updated' },
  )
  const writers = useWriters(project, specId, list.items.length)
  const one = numberIn(route, 'version')
  const to = numberIn(route, 'to') ?? one ?? version
  const from = numberIn(route, 'from') ?? one ?? Math.max(1, to - 1)
  const compared = useCompared({ project, specId, from, to })
  const numbers = list.items.map((one) => one.version)
  return (
    <>
      <div class="filters">
        <Pick name="from" label="From version" value={from} numbers={numbers} route={route} />
        <Pick name="to" label="to version" value={to} numbers={numbers} route={route} />
      </div>
      {compared.error && <Problem error={compared.error} onRetry={compared.reload} />}
      {compared.data && (
        <div aria-busy={!compared.isCurrent}>
          {compared.data.before.version === compared.data.after.version ? (
            <section aria-labelledby="version-text">
              <h2 id="version-text">Text of version {compared.data.after.version}</h2>
              <Markdown text={textOf(compared.data.after)} />
            </section>
          ) : (
            <Difference before={textOf(compared.data.before)} after={textOf(compared.data.after)} />
          )}
        </div>
      )}
      {/* The list waits for what is above it, which would move it. */}
      {compared.data || compared.error ? (
        <Versions list={list} writers={writers} specId={specId} to={to} route={route} />
      ) : (
        <Skeleton rows={8} />
      )}
    </>
  )
}

interface VersionsProps {
  list: List<Version>
  /** Who wrote a version, by its time. */
  writers: Map<string, string>
  specId: string
  to: number
  route: Route
}

/** Versions have no author: the log knows who saved one, by its time. */
function useWriters(project: string, specId: string, versions: number): Map<string, string> {
  const type = ['spec.created' as const, 'spec.updated' as const]
  const { data } = useRead(`who wrote ${project}/${specId} ${versions}`, (signal) =>
    clientOf(project).listEvents({ subject: specId, type, order: 'desc', limit: 100 }, { signal }),
  )
  return new Map(data?.events.map(({ at, actor }) => [at, actorText({ ...actor, name: actor.name ?? null })]))
}

function Versions({ list, writers, specId, to, route }: VersionsProps) {
  return (
    <>
      <ol class="rows versions" aria-label="Versions">
        {list.items.map((one) => (
          <li key={one.version}>
            <a
              href={href(route.path, { view: 'versions', to: one.version })}
              aria-current={one.version === to ? 'true' : undefined}
            >
              v{one.version}
            </a>
            <span class="what">
              {one.title ?? specId}
              {writers.has(one.createdAt) && <span class="muted"> by {writers.get(one.createdAt)}</span>}
            </span>
            <a href={href(route.path, { version: one.version })}>
              Text<span class="unseen"> of version {one.version}</span>
            </a>
            <Ago at={one.createdAt} />
          </li>
        ))}
      </ol>
      <More list={list} />
    </>
  )
}

/** A number in the address. */
export function numberIn({ query }: Route, name: string): number | undefined {
  const text = query.get(name) ?? ''
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
}

interface PickProps {
  name: string
  label: string
  value: number
  numbers: number[]
  route: Route
}

function Pick({ name, label, value, numbers, route }: PickProps) {
  const shown = [...new Set([...numbers, value])].sort((a, b) => b - a)
  return (
    <label class="row pick">
      {label}
      <select value={String(value)} onChange={(event) => goQuery(route, { [name]: event.currentTarget.value })}>
        {shown.map((one) => (
          <option key={one} value={String(one)}>
            {one}
          </option>
        ))}
      </select>
    </label>
  )
}

interface ComparedProps {
  project: string
  specId: string
  from: number
  to: number
}

/** Two versions of a spec, with the code that compares them. */
function useCompared({ project, specId, from, to }: ComparedProps) {
  const client = clientOf(project)
  return useRead(`${from} ${to}`, async (signal) => {
    const read = (version: number) => client.getSpecVersion({ specId, version }, { signal })
    const [before, after] = await Promise.all([read(from), read(to), Difference.load()])
    return { before: before.version, after: after.version }
  })
}

/** The title belongs to a version unless its content contains it. */
const textOf = ({ title, content }: { title: string | null; content: string }) =>
  title === null || content.includes(title) ? content : `${title}\n\n${content}`
