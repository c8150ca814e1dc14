import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import type { FileDiff as FileChange } from '../../nouns/run/diff/fields.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { useKeys } from '../app/keyboard.ts'
import { href, type Route } from '../app/router.ts'
import { keptIn, useKept } from '../data/browser/storage.ts'
import { type Read, useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { isTurnOf } from '../data/runs/run-events.ts'
import { FileLink } from '../files/file-link.tsx'
import { Changes } from '../runs/changes.tsx'
import { Problem, Skeleton } from '../ui/loading.tsx'
import { useMatch } from '../ui/media.ts'
import { plural } from '../ui/words.ts'
import { FileDiff } from './file-diff.tsx'
import { FileList } from './file-list.tsx'

const views = { unified: 'Unified', split: 'Side by side' } as const
type View = keyof typeof views

const keptView = keptIn('diff', (value): View => (value === 'split' ? 'split' : 'unified'))

interface Props {
  run: Run
  route: Route
}

/** What a run, or one of its turns, wrote: every file with its diff. */
export default function ChangesView({ run, route }: Props) {
  const { project, runId } = run
  const turn = turnAsked(route)
  const { data, error, isCurrent, reload } = useDiff(project, runId, turn)
  const problem = error && <Problem error={error} onRetry={reload} />
  if (problem && !data) return problem
  if (!data || !isCurrent) return <Skeleton rows={8} />
  const { files, missing } = data
  return (
    <div class="diff">
      {problem}
      {turn !== undefined && (
        <p class="small muted">
          What <a href={href(route.path, { turn })}>turn {turn}</a> wrote.{' '}
          <a href={href(route.path, { view: 'changes' })}>Show the changes of the whole run</a>
        </p>
      )}
      {files.length > 0 && <Files project={project} route={route} files={files} />}
      {files.length === 0 && <p class="muted">No diff was recorded.</p>}
      {files.length === 0 && turn === undefined && <RunFiles run={run} />}
      {files.length > 0 && missing > 0 && (
        <p class="muted">{plural(missing, 'more file')} changed, whose diff is not shown.</p>
      )}
    </div>
  )
}

/** Scrolls to the view if it begins in the lower part of the window, unless the address names a place in it. */
function useInSight(route: Route) {
  useLayoutEffect(() => {
    const it = document.querySelector('.told')
    if (it && !route.query.has('file') && it.getBoundingClientRect().top > innerHeight / 2) it.scrollIntoView()
  }, [])
}

/** The number of the turn in the address. */
function turnAsked(route: Route): number | undefined {
  const turn = route.query.get('turn') ?? ''
  return /^[1-9]\d{0,6}$/.test(turn) ? Number(turn) : undefined
}

function Files({ project, route, files }: Pick<Props, 'route'> & { project: string; files: FileChange[] }) {
  const view = useKept(keptView)
  const isWide = useMatch(wide)
  useInSight(route)
  const list = useRef<HTMLDivElement>(null)
  useFileKeys(list)
  return (
    <>
      <div class="diff-bar">
        <Changes changes={sumOf(files)} />
        <fieldset class="choice" aria-label="View of the diff">
          {Object.entries(views).map(([name, word]) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === view}
              onClick={() => keptView.write(name === 'split' ? 'split' : 'unified')}
            >
              {word}
            </button>
          ))}
        </fieldset>
      </div>
      <div class="diff-files">
        <FileList files={files} route={route} />
        <div ref={list}>
          {files.map((file) => (
            <FileDiff
              key={file.path}
              project={project}
              file={file}
              route={route}
              isSplit={view === 'split' && isWide}
              isAsked={route.query.get('file') === file.path}
            />
          ))}
        </div>
      </div>
    </>
  )
}

/** Side by side, lines need as much room as in this window. */
const wide = matchMedia('(width >= 720px)')

function sumOf(files: FileChange[]) {
  const sum = (of: 'insertions' | 'deletions') => files.reduce((sum, file) => sum + (file[of] ?? 0), 0)
  return { files: files.length, insertions: sum('insertions'), deletions: sum('deletions') }
}

/** Lets j and k go from file to file. */
function useFileKeys(list: { current: HTMLElement | null }) {
  const step = (by: 1 | -1) => {
    const heads = [...(list.current?.querySelectorAll<HTMLElement>('.file-diff > header > [aria-expanded]') ?? [])]
    const all = heads.map((head) => head.closest('.file-diff'))
    const focused = all.findIndex((file) => file?.contains(document.activeElement))
    const inSight = all.findIndex((file) => (file?.getBoundingClientRect().bottom ?? 0) > innerHeight / 3)
    const next = Math.max(0, Math.min(all.length - 1, focused < 0 ? inSight : focused + by))
    heads[next]?.focus({ preventScroll: true })
    all[next]?.scrollIntoView()
  }
  useKeys({ j: () => step(1), k: () => step(-1) })
}

interface Diff {
  files: FileChange[]
  /** How many files changed whose diff is not among them. */
  missing: number
}

/** The most files to read, and to read at once. */
const [most, limit] = [1000, 100]

/** Reads what a run, or one of its turns, wrote. */
const useDiff = (project: string, runId: string, turn: number | undefined): Read<Diff> =>
  useRead(`diff ${turn ?? ''}`, (signal) => readDiff(project, runId, turn, signal), {
    touches: (event) => /^turn\.(created|updated)$/.test(event.type) && isTurnOf(event, project, runId),
    restMs: 2000,
  })

async function readDiff(project: string, runId: string, turn: number | undefined, signal: AbortSignal): Promise<Diff> {
  const client = clientOf(project)
  const files: FileChange[] = []
  let cursor: string | undefined
  for (;;) {
    const page = await client.getDiff({ runId, turn, limit, cursor }, { signal })
    files.push(...page.files)
    const { nextCursor, total, omitted = 0 } = page.meta
    if (nextCursor === undefined || files.length >= most) return { files, missing: total - files.length + omitted }
    cursor = nextCursor
  }
}

type RunFile = Output<'listRunFiles'>['files'][number]

/** The files that the turns of a run changed, most changed lines first, with a bar for each. */
function RunFiles({ run: { project, runId } }: { run: Run }) {
  const { data, error, reload } = useRead(
    'files',
    (signal) => clientOf(project).listRunFiles({ runId, limit }, { signal }),
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
          These are the {limit} largest. {plural(meta.total - files.length, 'smaller file')} not shown.
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
