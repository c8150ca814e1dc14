import { pathFrom } from '../../contract/file-path.ts'
import { href } from '../app/router.ts'

/** The address of the page of a file, or of a folder, which ends in `/`. */
export const fileHref = (project: string, path: string) => href(['files', project, ...path.split('/')])

/** A link to the runs that wrote a file. Nothing for a path outside of the repository. */
export function FileRuns({ project, path }: { project: string; path: string }) {
  const found = pathFrom(path)
  if (found === undefined) return null
  return (
    <a class="small" href={fileHref(project, found)}>
      Runs<span class="unseen"> that wrote {found}</span>
    </a>
  )
}

/** The name of a file, as a link to the runs that wrote it. A path outside of the repository is no link. */
export function FileLink({ project, path }: { project: string; path: string }) {
  const found = pathFrom(path)
  if (found === undefined) return <span class="path">{path}</span>
  return (
    <a class="path" href={fileHref(project, found)} title={`Runs that wrote ${found}`}>
      {path}
    </a>
  )
}
