import { useState } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import { type Read, useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { isTurnOf } from '../data/runs/run-events.ts'
import { Problem } from '../ui/loading.tsx'
import { plural } from '../ui/words.ts'
import { Changes } from './changes.tsx'

type RunFile = Output<'listRunFiles'>['files'][number]

/** How many files to show at first, and the most to read. */
const shownFirst = 10
const most = 100

export type FilesRead = Read<Output<'listRunFiles'>>

/** Reads the files that the turns of a run changed. */
export const useRunFiles = (project: string, runId: string): FilesRead =>
  useRead('files', (signal) => clientOf(project).listRunFiles({ runId, limit: most }, { signal }), {
    touches: (event) => event.type === 'turn.created' && isTurnOf(event, project, runId),
    restMs: 1000,
  })

/** The files that a run changed, most changed lines first, with a bar for each. */
export function RunFiles({ read: { data, error, reload } }: { read: FilesRead }) {
  const [isWhole, setWhole] = useState(false)
  if (error && !data) return <Problem error={error} onRetry={reload} />
  if (!data || data.files.length === 0) return null
  const { files, meta } = data
  const shown = isWhole ? files : files.slice(0, shownFirst)
  const largest = linesOf(files[0])
  return (
    <div class="files">
      <ul aria-label="Files">
        {shown.map((file) => (
          <FileRow key={file.path} file={file} largest={largest} />
        ))}
      </ul>
      {files.length > shown.length && (
        <button type="button" class="plain" onClick={() => setWhole(true)}>
          {meta.total > most ? `Show the ${most} largest` : `Show all ${plural(meta.total, 'file')}`}
        </button>
      )}
      {isWhole && meta.total > files.length && (
        <p class="muted small">{plural(meta.total - files.length, 'smaller file')} not shown.</p>
      )}
    </div>
  )
}

const linesOf = (file: RunFile | undefined) => (file?.insertions ?? 0) + (file?.deletions ?? 0)

function FileRow({ file, largest }: { file: RunFile; largest: number }) {
  const { path, insertions = 0, deletions = 0 } = file
  const width = (lines: number) => ({ width: `${largest === 0 ? 0 : (lines / largest) * 100}%` })
  return (
    <li>
      <span class="path">{path}</span>
      <Changes changes={file} />
      <span class="lines-bar" aria-hidden="true">
        <span class="plus" style={width(insertions)} />
        <span class="minus" style={width(deletions)} />
      </span>
    </li>
  )
}
