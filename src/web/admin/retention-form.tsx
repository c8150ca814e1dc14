import { useEffect, useState } from 'preact/hooks'
import type { Client, Input, Output } from '../../client/client.ts'
import type { Project } from '../../nouns/project/fields.ts'
import { isLike, useDraft } from '../data/browser/draft.ts'
import { draftEtagOf, followsNewest, useAct } from '../data/query/change.ts'
import { client, clientOf } from '../data/query/server.ts'
import { Field, Form, Restored } from '../ui/form.tsx'
import { Problem } from '../ui/loading.tsx'
import { Ago } from '../ui/time.tsx'
import { plural } from '../ui/words.ts'

interface Props {
  project: Project
  onClose: () => void
  /** Reads the project again, after a change here or by someone else. */
  onChange: () => void
}

/** How long a project keeps its runs. The form counts what a retention would remove before it is saved. */
export function RetentionForm({ project, onClose, onChange }: Props) {
  const { slug } = project
  const begin = begunWith(project)
  const { draft, isRestored, change, drop } = useDraft(`retention ${slug}`, begin, isLike(begin))
  const { contentDays, runDays, keepFailed, labels } = draft
  const given: Retention = {
    contentDays: daysOf(contentDays),
    runDays: daysOf(runDays),
    keep: { failed: keepFailed, labels: labelsOf(labels) },
  }
  const isNone = given.contentDays === null && given.runDays === null
  const work = async () => {
    const ifVersion = draftEtagOf(slug, draft, project.version)
    await client.updateProject({ slug, retention: isNone ? null : given, ifVersion })
    onChange()
  }
  const conflict = () => {
    change(followsNewest)
    onChange()
  }
  const close = () => {
    drop()
    onClose()
  }
  return (
    <Form title={`Retention of ${slug}`} deed="Save retention" work={work} onClose={close} onConflict={conflict}>
      {isRestored && <Restored />}
      <Days
        name="retention.contentDays"
        label="Erase the texts of a run after so many days; empty: never"
        days={contentDays}
        onInput={(contentDays) => change({ contentDays })}
      />
      <Days
        name="retention.runDays"
        label="Delete a run after so many days; empty: never"
        days={runDays}
        onInput={(runDays) => change({ runDays })}
      />
      <label class="row permission">
        <input type="checkbox" checked={keepFailed} onChange={() => change({ keepFailed: !keepFailed })} />
        Keep failed runs
      </label>
      <Field name="retention.keep.labels" label="Keep runs with one of these labels">
        <input
          value={labels}
          placeholder="release, audit"
          onInput={(event) => change({ labels: event.currentTarget.value })}
        />
      </Field>
      <Preview key={JSON.stringify(given)} slug={slug} retention={given} />
    </Form>
  )
}

const begunWith = ({ version, retention }: Project) => ({
  opened: version,
  contentDays: String(retention?.contentDays ?? ''),
  runDays: String(retention?.runDays ?? ''),
  keepFailed: retention?.keep.failed ?? false,
  labels: retention?.keep.labels.join(', ') ?? '',
})

const daysOf = (text: string) => (text.trim() === '' ? null : Number(text))

const labelsOf = (text: string) =>
  text
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '')

interface DaysProps {
  name: string
  label: string
  days: string
  onInput: (days: string) => void
}

const Days = ({ name, label, days, onInput }: DaysProps) => (
  <Field name={name} label={label}>
    <input
      type="number"
      min="1"
      max="36500"
      step="1"
      value={days}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  </Field>
)

/** Counts what the retention would remove now. */
function Preview({ slug, retention }: { slug: string; retention: Retention }) {
  const [found, setFound] = useState<Forgotten>()
  const { act, isBusy, error } = useAct()
  const [end] = useState(() => new AbortController())
  useEffect(() => () => end.abort(), [])
  const count = () => act(async () => setFound(await countForgotten(clientOf(slug), retention, end.signal)))
  return (
    <div class="preview">
      <button type="button" disabled={isBusy} onClick={count}>
        {isBusy ? 'Counting …' : 'Count what would go now'}
      </button>
      {error && <Problem error={error} />}
      {found && (
        <ul role="status">
          <Sum words="would lose their texts" sum={found.erased} />
          <Sum words="would be deleted" sum={found.deleted} />
        </ul>
      )}
    </div>
  )
}

const Sum = ({ words, sum: { runs, bytes, oldest } }: { words: string; sum: Forgotten['erased'] }) => (
  <li>
    <b>{plural(runs, 'run')}</b> {words}
    {runs > 0 && ` (${plural(bytes, 'byte')})`}
    {oldest && (
      <>
        , the oldest from <Ago at={oldest} />
      </>
    )}
  </li>
)

/** A retention in sentences. */
export function retentionWords(retention: Project['retention']): string {
  if (retention === null) return 'Runs are kept for ever.'
  const { contentDays, runDays, keep } = retention
  const kept = [keep.failed && 'failed runs', keep.labels.length > 0 && `runs labelled ${keep.labels.join(' or ')}`]
  return [
    contentDays !== null && `Runs lose their texts ${plural(contentDays, 'day')} after their end.`,
    runDays !== null && `Runs are deleted ${plural(runDays, 'day')} after their end.`,
    kept.some(Boolean) && `Kept for ever: ${kept.filter(Boolean).join(', ')}.`,
  ]
    .filter(Boolean)
    .join(' ')
}

type Retention = NonNullable<Input<'updateProject'>['retention']>
/** The runs that would lose their texts, and those that would be deleted. */
type Forgotten = Pick<Output<'forget'>, 'erased' | 'deleted'>

/** Counts what a retention would remove. */
async function countForgotten(client: Client, retention: Retention, signal: AbortSignal): Promise<Forgotten> {
  let cursor: string | undefined
  for (;;) {
    const { erased, deleted, nextCursor } = await client.forget({ dryRun: true, retention, cursor }, { signal })
    if (nextCursor === undefined) return { erased, deleted }
    cursor = nextCursor
  }
}
