import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { FileDiff as FileChange } from '../../nouns/run/diff/fields.ts'
import { goQuery, type Route } from '../app/router.ts'
import { stayAt } from '../app/scroll.ts'
import { FileRuns } from '../files/file-link.tsx'
import { Changes } from '../runs/changes.tsx'
import { Copy } from '../ui/copy.tsx'
import { Icon } from '../ui/icon.tsx'
import { useNear } from '../ui/in-sight.ts'
import { plural } from '../ui/words.ts'
import { useLanguage } from './colours.ts'
import { addressOf, FileName, idOf } from './file-list.tsx'
import { hunksOf, piecesOf, splitRows, unifiedRows } from './patch.ts'
import { type LineLinks, Lines, linePx } from './pieces.tsx'

/** The height of a file whose lines are not drawn yet is estimated, up to so many pixels. */
const [mostPx, contextLines] = [8000, 6]

interface Props {
  project: string
  file: FileChange
  route: Route
  isSplit: boolean
  /** Whether the address names this file. */
  isAsked: boolean
}

/** The diff of a file. Its lines are drawn when it comes near the window. */
export function FileDiff({ project, file, route, isSplit, isAsked }: Props) {
  const { path, insertions, deletions } = file
  const box = useRef<HTMLElement>(null)
  const [isOpen, setOpen] = useState(true)
  const isNear = useNear(box, isAsked)
  const isWhole = isAsked && !route.query.has('line')
  useLayoutEffect(() => (isWhole ? stayAt(idOf(path), document.body) : undefined), [isWhole])
  return (
    <section ref={box} id={idOf(path)} class="file-diff" aria-label={path}>
      <header>
        <button type="button" class="plain" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name="down" />
          <span class="unseen">{isOpen ? 'Fold' : 'Unfold'}</span>
          <FileName path={path} />
        </button>
        <Notes file={file} />
        <Changes changes={{ insertions, deletions }} />
        <FileRuns project={project} path={path} />
        <Copy text={path} label="Copy the path" />
      </header>
      {isOpen && <Body file={file} route={route} isSplit={isSplit} isAsked={isAsked} isNear={isNear} />}
    </section>
  )
}

/** What the lines of a diff do not show. */
function Notes({ file: { status, from, mode, oldMode, shared, masked, cut } }: Pick<Props, 'file'>) {
  const notes = [
    status !== 'modified' && (from === undefined ? status : `${status} from ${from}`),
    mode && oldMode && mode !== oldMode && `mode ${oldMode} → ${mode}`,
    shared && 'another session wrote it, too',
    masked && 'secrets are masked',
    cut && `${plural(cut.lines, 'line')} of the diff ${cut.lines === 1 ? 'is' : 'are'} missing`,
  ]
  return <span class="facts">{notes.map((note, index) => note && <span key={index}>{note}</span>)}</span>
}

interface BodyProps extends Omit<Props, 'project'> {
  isNear: boolean
}

function Body({ file, route, isSplit, isAsked, isNear }: BodyProps) {
  const { patch, binary, bytes, erased, withheld, insertions = 0, deletions = 0 } = file
  const height = Math.min(mostPx, (insertions + deletions + contextLines) * linePx)
  if (patch !== undefined && !isNear) return <div style={{ blockSize: `${height}px` }} />
  if (patch !== undefined)
    return <Patch patch={patch} path={file.path} route={route} isSplit={isSplit} isAsked={isAsked} />
  const why =
    (binary && `Binary file${bytes === undefined ? '' : `, ${plural(bytes, 'byte')}`}`) ||
    (erased && 'Its text was erased, or its retention is over') ||
    (withheld && 'The project does not record texts of changes') ||
    'No line changed'
  return <p class="note muted small">{why}.</p>
}

interface PatchProps extends Pick<Props, 'route' | 'isSplit' | 'isAsked'> {
  patch: string
  path: string
}

function Patch({ patch, path, route, isSplit, isAsked }: PatchProps) {
  const language = useLanguage(path)
  const hunks = useMemo(() => hunksOf(patch), [patch])
  const parts = useMemo(
    () => hunks.map(({ lines }) => piecesOf(isSplit ? splitRows(lines) : unifiedRows(lines))),
    [hunks, isSplit],
  )
  const links: LineLinks = {
    marked: isAsked ? (route.query.get('line') ?? undefined) : undefined,
    hrefOf: (line) => addressOf(route, { file: path, line }),
    onMark: (line) => goQuery(route, { file: path, line }, { replace: true }),
  }
  return (
    <div class={isSplit ? 'patch split' : 'patch'}>
      {hunks.map(({ skipped, heading }, at) => (
        <div key={at} class="diff-hunk">
          {skipped > 0 && (
            <p class="skipped">
              {plural(skipped, 'unchanged line')} {heading && <code>{heading}</code>}
            </p>
          )}
          {parts[at]?.map((piece, index) => (
            <Lines key={`${isSplit} ${index}`} piece={piece} isSplit={isSplit} language={language} links={links} />
          ))}
        </div>
      ))}
    </div>
  )
}
