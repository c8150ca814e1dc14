import { useEffect, useRef, useState } from 'preact/hooks'
import type { CallOptions, Client, ConductError, Input, Output } from '../../client/client.ts'
import { failureOf } from '../data/query/read.ts'
import { client, clientOf } from '../data/query/server.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Form } from '../ui/form.tsx'
import { Problem } from '../ui/loading.tsx'
import { plural } from '../ui/words.ts'

interface Props {
  title: string
  /** In which project; without it, in all that the key sees. */
  project?: string
  input: Erasable
  onClose: () => void
}

/**
 * Counts what would be erased, erases it once the person agrees, and says what was erased. Who closes it meanwhile stops
 * it, and sees what was erased so far.
 */
export default function EraseDialog({ title, project, input, onClose }: Props) {
  const place = project === undefined ? client : clientOf(project)
  const count = useCount(place, input)
  const [gone, setGone] = useState<Counts>()
  const [end, setEnd] = useState<'whole' | 'stopped'>()
  const progress = useRef<'erasing' | 'stopping'>(undefined)
  const work = async () => {
    progress.current = 'erasing'
    try {
      const isWhole = await erase(place, input, setGone, { isStopped: () => progress.current === 'stopping' })
      setEnd(isWhole ? 'whole' : 'stopped')
    } finally {
      progress.current = undefined
    }
  }
  const close = () => {
    if (progress.current === 'erasing') progress.current = 'stopping'
    else onClose()
  }
  if (end && gone) return <Erased gone={gone} isWhole={end === 'whole'} onClose={onClose} />
  return (
    <Form
      title={title}
      label="Erase texts"
      isDanger
      isReady={count.isWhole && (wordsOf(count.counts) !== '' || hasResponses(count.counts))}
      work={work}
      onDone={() => {}}
      onClose={close}
    >
      <Found count={count} />
      <p>
        Their texts go for good; this cannot be undone. Ids, times, statuses, figures and hashes stay, and readers see
        “[erased]” in place of a text.
      </p>
      {gone && <p role="status">Erased so far: {wordsOf(gone)}.</p>}
    </Form>
  )
}

function Found({ count: { counts, isWhole, error } }: { count: Count }) {
  if (error) return <Problem error={error} />
  const words = wordsOf(counts)
  if (!isWhole) return <p role="status">Counting … {words}</p>
  return (
    <>
      {words === '' ? (
        <p role="status">No text to erase was found.</p>
      ) : (
        <p role="status">
          Texts were found in <b>{words}</b>.
        </p>
      )}
      {hasResponses(counts) && (
        <p class="muted small">
          The server also drops {plural(counts?.responses ?? 0, 'stored response')} to repeated requests. They are
          encrypted, so it cannot tell what they contain.
        </p>
      )}
    </>
  )
}

const hasResponses = (counts: Counts | undefined) => (counts?.responses ?? 0) > 0

function Erased({ gone, isWhole, onClose }: { gone: Counts; isWhole: boolean; onClose: () => void }) {
  return (
    <Dialog title={isWhole ? 'Texts erased' : 'Erasure stopped'} onClose={onClose}>
      <div>
        <p>
          Erased in <b>{wordsOf(gone) || (hasResponses(gone) ? 'no row' : 'nothing: somebody else erased it first')}</b>
          .{hasResponses(gone) && ` Dropped ${plural(gone.responses, 'stored response')}.`}
        </p>
        {!isWhole && <p>The rest is still there. To continue, erase again.</p>}
        <p class="muted small">
          Copies elsewhere still have them: backups, exports, what webhooks sent, and the agent’s own transcript.
        </p>
      </div>
    </Dialog>
  )
}

const nouns: [keyof Counts, string][] = [
  ['runs', 'run'],
  ['turns', 'turn'],
  ['specs', 'spec'],
  ['checks', 'check'],
  ['features', 'feature'],
  ['events', 'event'],
  ['others', 'other text'],
]

/** Counts of texts in words: `1 run, 12 events`; '' for none. */
const wordsOf = (counts: Counts | undefined) =>
  nouns.flatMap(([field, noun]) => (counts?.[field] ? plural(counts[field], noun) : [])).join(', ')

/** Asks for a text, then erases every text that contains it. */
export function EraseTextDialog({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('')
  const [isAsked, setAsked] = useState(false)
  if (isAsked) return <EraseDialog title="Erase all texts that contain it?" input={{ text }} onClose={onClose} />
  return (
    <Form
      title="Erase a text everywhere"
      label="Find"
      work={async () => {}}
      onDone={() => setAsked(true)}
      onClose={onClose}
    >
      <label class="field">
        A password, a name or another text that must not stay, exactly as written
        <textarea
          rows={3}
          required
          minLength={4}
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <p class="muted small">Conduct searches all projects that your key can see. Nothing is erased yet.</p>
    </Form>
  )
}

/** What can be erased: a run, a spec, a whole project, or every text that contains one. */
type Erasable = Pick<Input<'erase'>, 'runId' | 'specId' | 'everything' | 'text'>
/** How many rows lose texts. */
type Counts = Output<'erase'>['erased']

interface EraseOptions extends CallOptions {
  /** Asked after each slice. */
  isStopped?: () => boolean
}

/**
 * Erases, or with `dryRun` only counts, slice by slice. `onCount` receives the counts so far. Returns whether it came to
 * the end.
 */
async function erase(
  client: Client,
  input: Erasable & { dryRun?: boolean },
  onCount: (counts: Counts) => void,
  { signal, isStopped = () => false }: EraseOptions = {},
): Promise<boolean> {
  let cursor: string | undefined
  do {
    const { erased, nextCursor } = await client.erase({ ...input, cursor }, { signal })
    onCount(erased)
    cursor = nextCursor
  } while (cursor !== undefined && !isStopped())
  return cursor === undefined
}

interface Count {
  counts?: Counts
  /** Whether everything is counted. */
  isWhole: boolean
  error?: ConductError
}

/** Counts once what would be erased. */
function useCount(client: Client, input: Erasable): Count {
  const [count, setCount] = useState<Count>({ isWhole: false })
  useEffect(() => {
    const end = new AbortController()
    const set = (next: Count) => {
      if (!end.signal.aborted) setCount(next)
    }
    let counts: Counts | undefined
    const show = (found: Counts) => {
      counts = found
      set({ counts, isWhole: false })
    }
    erase(client, { ...input, dryRun: true }, show, { signal: end.signal }).then(
      () => set({ counts, isWhole: true }),
      (error) => set({ isWhole: false, error: failureOf(error) }),
    )
    return () => end.abort()
  }, [])
  return count
}
