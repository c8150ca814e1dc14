import { href } from '../app/router.ts'
import { useRead } from '../data/read.ts'
import type { RunFilter } from '../data/run-filter.ts'
import { client } from '../data/server.ts'
import { Ago } from '../ui/ago.tsx'
import { Problem } from '../ui/problem.tsx'
import { Snippet } from '../ui/snippet.tsx'
import { Badge, statusLooks } from '../ui/status.tsx'

/** The runs in which all words of `q` are, of the projects and statuses that the filter asks for. */
export function RunResults({ q, filter }: { q: string; filter: RunFilter }) {
  const { project, status, order, ...others } = filter
  const input = { ...(project && { project }), q, type: ['run' as const], limit: 50 }
  const { data, error, reload } = useRead(JSON.stringify(input), (signal) => client.search(input, { signal }), {
    touches: ({ type }) => type.startsWith('run.'),
    restMs: 1000,
  })
  if (error) return <Problem error={error} onRetry={reload} />
  if (!data) return null
  const results = data.results.filter((one) => !status || status.some((wanted) => wanted === one.status))
  const isNarrowed = Object.values(others).some((value) => value !== undefined)
  return (
    <>
      {isNarrowed && (
        <p class="muted small">
          The word search filters by project and status only. Other filters apply without words.
        </p>
      )}
      {results.length === 0 && <p class="empty">{noneOf(data.results.length, data.meta.hasMore)}</p>}
      <ul class="results">
        {results.map(({ project, subject, title, snippet, status, updatedAt }) => (
          <li key={`${project}/${subject}`}>
            {status && Object.hasOwn(statusLooks, status) && (
              <Badge look={statusLooks[status as keyof typeof statusLooks]} />
            )}
            <a class="title" href={href(['runs', project, subject])}>
              {title ?? subject}
            </a>
            <span class="facts">
              <span>{project}</span>
              <span>{subject}</span>
              <Ago at={updatedAt} />
            </span>
            <Snippet text={snippet} q={q} />
          </li>
        ))}
      </ul>
      {data.meta.hasMore && (
        <p class="more muted">
          These are the first {data.results.length} runs that contain the words. Add a word to narrow them down.
        </p>
      )}
    </>
  )
}

function noneOf(found: number, hasMore: boolean): string {
  if (found === 0) return 'No run contains all of these words.'
  return hasMore
    ? `None of the first ${found} runs has this status.`
    : 'No run with this status contains all of these words.'
}
