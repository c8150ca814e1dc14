import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { goQuery, type Route } from '../app/router.ts'
import type { Growing } from '../data/runs/growing.ts'
import { Copy } from '../ui/copy.tsx'
import { Download } from '../ui/download.tsx'
import { useSettled } from '../ui/search-field.tsx'
import { plural } from '../ui/words.ts'
import { type Folding, useFolds } from './folds.ts'
import { toEnd, toRow, useFollowing } from './line-window.ts'
import { type LogLines, plainOf, useLines } from './lines.ts'
import { Screen } from './screen.tsx'
import { type LogSource, useTimes } from './times.ts'

interface Props {
  text: Growing
  /** The length of the text, which changes with each append. */
  length: number
  /** Whether it still grows. */
  isLive?: boolean
  /** Without colours. */
  isPlain?: boolean
  /** The name of the file that a download writes; without it, there is none. */
  fileName?: string
  /** The page whose address contains the marked line; without it, line numbers are not links. */
  route?: Route
  /** The run whose events tell when lines arrived; without it, no times are offered. */
  source?: LogSource
}

/** Terminal output. It is windowed, so 10 MB scroll as smoothly as a page. */
export default function TerminalLog({ text, length, isLive = false, isPlain = false, fileName, route, source }: Props) {
  const lines = useLines(text)
  const folding = useFolds(lines)
  const times = useTimes(text, source)
  const box = useRef<HTMLElement>(null)
  const line = lineAsked(route)
  const words = route?.query.get('find') ?? ''
  const asked = line === undefined ? undefined : lines.numbers.indexOf(line)
  const { isFollowing, setFollowing, onScroll } = useFollowing(box, isLive && asked === undefined, lines.count)
  const { marked, mark } = useMarked(box, folding)
  const jump = (index: number) => {
    setFollowing(false)
    mark(index)
  }
  const isThere = asked !== undefined && asked < lines.count
  useLayoutEffect(() => {
    if (isThere) jump(asked)
  }, [asked, isThere])
  return (
    <div class="terminal">
      <div class="bar">
        <FindField key={words} asked={line === undefined ? words : ''} lines={lines} onFound={jump} />
        <FirstError lines={lines} size={length} onFound={jump} />
        <Ends box={box} isLive={isLive} isFollowing={isFollowing} onFollow={setFollowing} />
        {lines.groups.all.length > 0 && <FoldAll lines={lines} folding={folding} />}
        {source && (
          <button type="button" aria-pressed={times.isShown} onClick={times.toggle}>
            Times
          </button>
        )}
        <span class="muted small">{plural(lines.numbers.of(lines.count - 1) ?? lines.count, 'line')}</span>
        <Copy text={() => plainOf(text.toString())} label="Copy the log" />
        {fileName !== undefined && <Download name={fileName} text={text} />}
      </div>
      <Screen
        box={box}
        lines={lines}
        marked={marked}
        isPlain={isPlain}
        folding={folding}
        times={times}
        onScroll={() => isLive && onScroll()}
        onMark={route && ((line) => goQuery(route, { line }, { replace: true }))}
      />
    </div>
  )
}

/** The highlighted line. Marking a line unfolds its group and scrolls to it. */
function useMarked(box: RefObject<HTMLElement | null>, folding: Folding) {
  const [marked, setMarked] = useState<{ index: number }>()
  // Runs after the line is drawn, which may have been folded.
  useLayoutEffect(() => {
    if (marked) toRow(box.current, folding.folds.rowOf(marked.index))
  }, [marked])
  const mark = (index: number) => {
    folding.reveal(index)
    setMarked({ index })
  }
  return { marked: marked?.index, mark }
}

interface EndsProps {
  box: RefObject<HTMLElement | null>
  isLive: boolean
  isFollowing: boolean
  onFollow: (isFollowing: boolean) => void
}

/** Buttons that go to the end, or stay there while the log grows. */
const Ends = ({ box, isLive, isFollowing, onFollow }: EndsProps) => (
  <>
    <button type="button" onClick={() => toEnd(box.current)}>
      End
    </button>
    {isLive && (
      <button type="button" onClick={() => onFollow(!isFollowing)}>
        {isFollowing ? 'Pause' : 'Follow'}
      </button>
    )}
  </>
)

function FoldAll({ lines, folding }: { lines: LogLines; folding: Folding }) {
  const canUnfold = lines.groups.all.some(folding.isFolded)
  return (
    <button type="button" onClick={() => folding.setAll(!canUnfold)}>
      {canUnfold ? 'Unfold all' : 'Fold all'}
    </button>
  )
}

interface ErrorProps {
  lines: LogLines
  /** Changes when lines are added. */
  size: number
  onFound: (index: number) => void
}

function FirstError({ lines, size, onFound }: ErrorProps) {
  const [hasNone, setNone] = useState(false)
  useEffect(() => setNone(false), [size])
  const jump = () => {
    const index = lines.firstError()
    setNone(index < 0)
    if (index >= 0) onFound(index)
  }
  return (
    <>
      <button type="button" onClick={jump}>
        First error
      </button>
      <span class="muted small" role="status">
        {hasNone && 'No line reports an error'}
      </span>
    </>
  )
}

/** The number of the line in the address. */
function lineAsked(route: Route | undefined): number | undefined {
  const line = route?.query.get('line') ?? ''
  return /^[1-9]\d{0,11}$/.test(line) ? Number(line) : undefined
}

const typingMs = 150

interface FindProps {
  /** The words of the address, to begin with. */
  asked: string
  lines: LogLines
  onFound: (index: number) => void
}

/** Finds words in a log. Enter goes to the next matching line, Shift+Enter to the previous one. */
function FindField({ asked, lines, onFound }: FindProps) {
  const [first] = useState(() => findable(lines, asked))
  const [words, setWords] = useState(first)
  const wanted = useSettled(words, typingMs)
  const [at, setAt] = useState(0)
  const found = useFound(lines, wanted)
  const show = (next: number) => {
    const index = found.at(next % Math.max(1, found.length))
    if (index === undefined) return
    setAt(found.indexOf(index))
    onFound(index)
  }
  // The words of the address may come before the lines.
  const isThere = wanted === first && found.length > 0
  useEffect(() => show(0), [wanted, isThere])
  return (
    <search class="find">
      <label>
        <span class="unseen">Find in the log</span>
        <input
          type="search"
          placeholder="Find in the log"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
          onKeyDown={({ key, shiftKey, isComposing }) =>
            key === 'Enter' && !isComposing && show(at + (shiftKey ? -1 : 1))
          }
        />
      </label>
      <span class="muted small" role="status">
        {wanted !== '' && (found.length === 0 ? 'No match' : `${at + 1} of ${found.length.toLocaleString('en')}`)}
      </span>
    </search>
  )
}

/** The words, if a line has them together, else the longest of them. */
function findable(lines: LogLines, words: string): string {
  const [longest = ''] = words.split(/\s+/).toSorted((a, b) => b.length - a.length)
  return words === '' || lines.find(words).length > 0 ? words : longest
}

/** The indexes of the lines with these words. After an append, only the new lines are searched. */
function useFound(lines: LogLines, words: string): number[] {
  const kept = useRef<{ lines: LogLines; words: string; found: number[]; searched: number }>(undefined)
  if (kept.current?.lines !== lines || kept.current.words !== words) {
    kept.current = { lines, words, found: [], searched: 0 }
  }
  const { current } = kept
  if (words === '') return current.found
  // The last line may have grown since.
  if (current.found.at(-1) === current.searched) current.found.pop()
  for (const index of lines.find(words, current.searched)) current.found.push(index)
  current.searched = lines.ended
  return current.found
}
