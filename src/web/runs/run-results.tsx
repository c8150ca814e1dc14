import { useRef } from 'preact/hooks'
import type { Found } from '../../find/fields.ts'
import { useKeys } from '../app/keyboard.ts'
import { href } from '../app/router.ts'
import { useList } from '../data/query/list.ts'
import { client } from '../data/query/server.ts'
import type { RunFilter } from '../data/run-filter.ts'
import { plainOf } from '../log/lines.ts'
import { NoneOfYours } from '../ui/begin.tsx'
import { More, Problem, Skeleton } from '../ui/loading.tsx'
import { logPlaceOf, Marked, MarkedTitle, placeOf } from '../ui/marked.tsx'
import { Badge, saysVerdict, statusLooks, verdictLooks } from '../ui/status.tsx'
import { Author } from '../ui/text.tsx'
import { Ago } from '../ui/time.tsx'

const searched = ['run', 'turn', 'diff', 'check'] as const

/** Each run once, with what was found of it on any page. */
const joined = (found: Found[]): Found[] =>
  [...Map.groupBy(found, ({ project, subject }) => `${project}/${subject}`).values()].map(([first, ...others]) => {
    const parts = [first, ...others].flatMap((one) => one?.parts ?? [])
    return { ...(first as Found), ...(parts.length > 0 && { parts }) }
  })

/** The runs that contain all words of `q` and match the filter. */
export function RunResults({ q, filter }: { q: string; filter: RunFilter }) {
  const { order: _, ...filters } = filter
  const input = { ...filters, q, type: [...searched], group: 'run' as const }
  const list = useList(
    JSON.stringify(input),
    'results',
    (page, options) => client.search({ ...input, ...page }, options),
    { touches: ({ type }) => type.startsWith('run.'), restMs: 1000 },
  )
  const { items, error, isRead, isOther, isCurrent, hasMore, reload } = list
  const results = joined(items)
  const rows = useRowKeys()
  const isFiltered = Object.values(filters).some((value) => value !== undefined)
  if (error && !isRead) return <Problem error={error} onRetry={reload} />
  // No result for other words says nothing about these.
  if (!isRead || (results.length === 0 && (isOther || !isCurrent))) return <Skeleton rows={8} />
  return (
    <>
      {results.length === 0 &&
        !hasMore &&
        (filter.mine ? (
          <NoneOfYours words="No run of yours that these filters show contains all of these words." />
        ) : (
          <p class="empty">No run{isFiltered && ' that these filters show'} contains all of these words.</p>
        ))}
      <ul class="results" ref={rows} aria-busy={!isCurrent}>
        {results.map(({ project, subject, title, snippet, status, verdict, agent, author, at, parts, isInContent }) => (
          <li key={`${project}/${subject}`}>
            {status && Object.hasOwn(statusLooks, status) && (
              <Badge look={statusLooks[status as keyof typeof statusLooks]} />
            )}
            <a class="title" href={href(['runs', project, subject])}>
              <MarkedTitle text={title ?? subject} q={q} />
            </a>
            <span class="facts">
              <span>{project}</span>
              <span>{subject}</span>
              {agent && <span>{agent}</span>}
              <Author author={author} />
              {isVerdict(verdict) && saysVerdict({ verdict, status }) && <Badge look={verdictLooks[verdict]} />}
              <Ago at={at} />
            </span>
            {(!parts || isInContent) && (
              <p class={isInContent ? 'snippet parts' : 'snippet'}>
                {isInContent && <a href={href(['runs', project, subject], logPlaceOf({ isInContent }, q))}>Log</a>}{' '}
                <Marked text={plainOf(snippet)} q={q} />
              </p>
            )}
            {parts && <Parts project={project} run={subject} parts={parts} q={q} />}
          </li>
        ))}
      </ul>
      <More list={list} />
    </>
  )
}

/** Lets j and k move the focus from run to run of a list. */
function useRowKeys() {
  const list = useRef<HTMLUListElement>(null)
  const step = (by: 1 | -1) => {
    const rows = [...(list.current?.children ?? [])]
    const at = rows.findIndex((row) => row.contains(document.activeElement)) + by
    rows
      .at(Math.max(0, Math.min(at, rows.length - 1)))
      ?.querySelector<HTMLElement>('.title')
      ?.focus()
  }
  useKeys({ j: () => step(1), k: () => step(-1) })
  return list
}

const isVerdict = (value: string | null): value is keyof typeof verdictLooks =>
  value !== null && Object.hasOwn(verdictLooks, value)

/** The turns, diffs and checks of a run that contain the words. */
function Parts({ project, run, parts, q }: { project: string; run: string; parts: Parts; q: string }) {
  return (
    <ul class="parts">
      {parts.map(({ type, subject, title, snippet }) => {
        const to = placeOf({ type, subject, title })
        return (
          <li key={`${type} ${subject} ${title}`}>
            <a href={href(['runs', project, run], to)}>{type === 'turn' ? `Turn ${to.turn}` : (title ?? subject)}</a>{' '}
            {type === 'diff' && <span class="muted">in turn {to.turn}:</span>}{' '}
            <span class="muted">
              <Marked text={plainOf(snippet)} q={q} />
            </span>
          </li>
        )
      })}
    </ul>
  )
}

type Parts = NonNullable<Found['parts']>
