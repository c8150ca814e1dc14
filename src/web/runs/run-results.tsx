import { href } from '../app/router.ts'
import { useRead } from '../data/read.ts'
import { client } from '../data/server.ts'
import { Ago } from '../ui/ago.tsx'
import { Problem } from '../ui/problem.tsx'
import { Snippet } from '../ui/snippet.tsx'
import { Badge, statusLooks } from '../ui/status.tsx'

/** The runs in which all words of `q` are. */
export function RunResults({ q, project }: { q: string; project: string[] }) {
  const filter = { ...(project.length > 0 && { project }), q, type: ['run' as const], limit: 50 }
  const { data, error, reload } = useRead(JSON.stringify(filter), (signal) => client.search(filter, { signal }), {
    touches: ({ type }) => type.startsWith('run.'),
    restMs: 1000,
  })
  if (error) return <Problem error={error} onRetry={reload} />
  if (!data) return null
  if (data.results.length === 0) return <p class="empty">No run contains all of these words.</p>
  return (
    <>
      <ul class="results">
        {data.results.map(({ project, subject, title, snippet, status, updatedAt }) => (
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
        <p class="more muted">These are the first {data.results.length}. Another word finds fewer.</p>
      )}
    </>
  )
}
