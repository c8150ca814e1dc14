import type { Output } from '../../client/client.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { isTurnOf } from '../data/runs/run-events.ts'
import { FileLink } from '../files/file-link.tsx'
import { Problem, Skeleton } from '../ui/loading.tsx'
import { plural } from '../ui/words.ts'
import { Changes } from './changes.tsx'

type RunFile = Output<'listRunFiles'>['files'][number]

/** The most to read. */
const most = 100

/** The files that the turns of a run changed, most changed lines first, with a bar for each. */
export function RunFiles({ run: { project, runId } }: { run: Run }) {
  const { data, error, reload } = useRead(
    'files',
    (signal) => clientOf(project).listRunFiles({ runId, limit: most }, { signal }),
    { touches: (event) => event.type === 'turn.created' && isTurnOf(event, project, runId), restMs: 1000 },
  )
  if (error && !data) return <Problem error={error} onRetry={reload} />
  if (!data) return <Skeleton rows={5} />
  const { files, meta } = data
  const largest = linesOf(files[0])
  return (
    <div class="files">
      <ul aria-label="Files">
        {files.map((file) => (
          <FileRow key={file.path} project={project} file={file} largest={largest} />
        ))}
      </ul>
      {meta.omitted !== undefined && (
        <p class="muted small">{plural(meta.omitted, 'more file')} changed, which no turn lists.</p>
      )}
      {meta.total > files.length && (
        <p class="muted small">
          These are the {most} largest. {plural(meta.total - files.length, 'smaller file')} not shown.
        </p>
      )}
    </div>
  )
}

const linesOf = (file: RunFile | undefined) => (file?.insertions ?? 0) + (file?.deletions ?? 0)

function FileRow({ project, file, largest }: { project: string; file: RunFile; largest: number }) {
  const { path, insertions = 0, deletions = 0 } = file
  const width = (lines: number) => ({ width: `${largest === 0 ? 0 : (lines / largest) * 100}%` })
  return (
    <li>
      <FileLink project={project} path={path} />
      <Changes changes={file} />
      <span class="lines-bar" aria-hidden="true">
        <span class="plus" style={width(insertions)} />
        <span class="minus" style={width(deletions)} />
      </span>
    </li>
  )
}
