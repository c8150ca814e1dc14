import { foldersAbove, pathForm, pathFrom } from '../../contract/file-path.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { useScope } from '../data/lists/projects.ts'
import { useMine } from '../data/lists/whose.ts'
import { useList } from '../data/query/list.ts'
import { client } from '../data/query/server.ts'
import { CountOf, RunBriefs } from '../now/brief.tsx'
import type { PageProps } from '../pages.ts'
import { Head } from '../ui/head.tsx'
import { fileHref } from './file-link.tsx'

/** A file or a folder: the runs that wrote it, the person's own or everyone's, newest first. */
export default function FilePage({ project, id }: PageProps) {
  const path = pathFrom(id)
  return (
    <>
      <Crumbs project={project} path={path ?? id} />
      <Head title={path ?? id} />
      {path === undefined ? (
        <p class="problem" role="alert">
          No run can be found by '{id}': it must be {pathForm}.
        </p>
      ) : (
        <Runs project={project} path={path} />
      )}
    </>
  )
}

/** The last name in a path. */
const nameIn = (path: string) => path.split('/').findLast((name) => name !== '') ?? path

function Crumbs({ project, path }: { project: string; path: string }) {
  return (
    <nav class="crumbs" aria-label="Breadcrumb">
      <a href={href(['runs'], { project: useScope() })}>Runs</a> / <a href={href(['runs'], { project })}>{project}</a> /{' '}
      {foldersAbove(path).map((folder) => (
        <>
          <a href={fileHref(project, folder)}>{nameIn(folder)}</a> /{' '}
        </>
      ))}
      <span>{nameIn(path)}</span>
    </nav>
  )
}

/** The changes of a run are those of all its files, which say nothing about this one. */
const withoutChanges = (run: Run): Run => ({ ...run, changes: null })

function Runs({ project, path }: { project: string; path: string }) {
  const mine = useMine()
  const list = useList(
    `runs of ${path} ${mine}`,
    'runs',
    (page, options) => client.listRuns({ project: [project], file: path, mine, ...page }, options),
    { touches: (event) => event.project === project && /^(run|turn)\./.test(event.type), restMs: 1000 },
  )
  return (
    <section aria-labelledby="wrote">
      <h2 id="wrote">
        {mine ? 'Your runs' : 'Runs'} that wrote {path.endsWith('/') ? 'in it' : 'it'} <CountOf list={list} />
      </h2>
      <RunBriefs list={{ ...list, items: list.items.map(withoutChanges) }}>
        <p>No run of this project has written {path.endsWith('/') ? 'in this folder' : 'this file'}.</p>
      </RunBriefs>
      {list.items.length > 0 && (
        <p class="more">
          <a href={href(['runs'], { project, file: path, mine: mine && 'true' })}>Filter these runs</a>
        </p>
      )}
    </section>
  )
}
