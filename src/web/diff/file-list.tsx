import type { FileDiff } from '../../nouns/run/diff/fields.ts'
import { goQuery, href, type Route } from '../app/router.ts'
import { Changes } from '../runs/changes.tsx'
import { Visible } from '../ui/text.tsx'

/** The files of a diff beside it, each a link to its part. */
export function FileList({ files, route }: { files: FileDiff[]; route: Route }) {
  const asked = route.query.get('file')
  return (
    <nav class="file-list" aria-label="Changed files">
      <ul>
        {files.map(({ path, insertions, deletions }) => (
          <li key={path}>
            <a
              href={addressOf(route, { file: path })}
              aria-current={path === asked ? 'true' : undefined}
              onClick={(event) => {
                event.preventDefault()
                goQuery(route, { file: path, line: undefined }, { replace: true })
                document.getElementById(idOf(path))?.scrollIntoView()
              }}
            >
              <FileName path={path} />
              <Changes changes={{ insertions, deletions }} />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

/** The id of the part of a file in the page. */
export const idOf = (path: string) => `file ${path}`

/** The address of a file or a line of the diff that is shown. */
export const addressOf = ({ path, query }: Route, to: { file: string; line?: string }) =>
  href(path, { view: 'changes', turn: query.get('turn') ?? undefined, ...to })

/** The path of a file that a run changed. Its folder gives way to its name. */
export function FileName({ path }: { path: string }) {
  const end = path.lastIndexOf('/') + 1
  return (
    <span class="path" title={path}>
      <span class="muted">
        <Visible text={path.slice(0, end)} />
      </span>
      <Visible text={path.slice(end)} />
    </span>
  )
}
