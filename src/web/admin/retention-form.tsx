import { useEffect, useState } from 'preact/hooks'
import type { Client, Output } from '../../client/client.ts'
import type { Project } from '../../nouns/project/fields.ts'
import { isLike, useDraft } from '../data/browser/draft.ts'
import { etagOf, useAct, useDraftVersion } from '../data/query/change.ts'
import { client, clientOf } from '../data/query/server.ts'
import { Field, Form } from '../ui/form.tsx'
import { Problem } from '../ui/loading.tsx'
import { Ago } from '../ui/time.tsx'
import { plural } from '../ui/words.ts'

interface Props {
  project: Project
  onClose: () => void
  /** Reads the project again, after a change here or by someone else. */
  onChange: () => void
}

/** How long a project keeps its runs. A retention that removes more than before is counted before it can be saved. */
export function RetentionForm({ project, onClose, onChange }: Props) {
  const { slug } = project
  const begin = begunWith(project)
  const { draft, change, ...kept } = useDraft(`retention ${slug}`, begin, isLike(begin))
  const replaced = useDraftVersion({ draft, change }, project.version)
  const { contentDays, runDays, keepFailed, labels } = draft
  const given: Retention = {
    contentDays: daysOf(contentDays),
    runDays: daysOf(runDays),
    keep: { failed: keepFailed, labels: labelsOf(labels) },
  }
  const [counted, setCounted] = useState('')
  const shown = JSON.stringify(given)
  const isNone = given.contentDays === null && given.runDays === null
  const work = async () => {
    const ifVersion = etagOf({ id: slug, version: replaced.version })
    await client.updateProject({ slug, retention: isNone ? null : given, ifVersion })
    onChange()
  }
  const conflict = () => {
    replaced.onConflict()
    onChange()
  }
  return (
    <Form
      title={`Retention of ${slug}`}
      label="Save retention"
      isReady={isNone || counted === shown || !removesMore(given, project.retention)}
      work={work}
      onClose={onClose}
      {...kept}
      onConflict={conflict}
    >
      <Days
        name="retention.contentDays"
        label="Days after which a run loses its texts; empty: never"
        days={contentDays}
        fault={faultOf(given)}
        onInput={(contentDays) => change({ contentDays })}
      />
      <Days
        name="retention.runDays"
        label="Days after which a run is deleted; empty: never"
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
      <Preview key={shown} slug={slug} retention={given} onCounted={() => setCounted(shown)} />
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

const none: Retention = { contentDays: null, runDays: null, keep: { failed: false, labels: [] } }

/** Whether a retention may remove what the one before does not. */
function removesMore(given: Retention, before: Project['retention']): boolean {
  const { contentDays, runDays, keep } = before ?? none
  const isSooner = (days: number | null, than: number | null) =>
    days !== null && days < (than ?? Number.POSITIVE_INFINITY)
  return (
    isSooner(given.contentDays, contentDays) ||
    isSooner(given.runDays, runDays) ||
    (keep.failed && !given.keep.failed) ||
    keep.labels.some((label) => !given.keep.labels.includes(label))
  )
}

/** Why texts cannot go after so many days; '' if they can. */
const faultOf = ({ contentDays, runDays }: Retention) =>
  contentDays !== null && runDays !== null && contentDays >= runDays
    ? `The runs are deleted after ${plural(runDays, 'day')}: erase their texts sooner, or never.`
    : ''

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
  fault?: string
  onInput: (days: string) => void
}

const Days = ({ name, label, days, fault = '', onInput }: DaysProps) => (
  <Field name={name} label={label}>
    <input
      type="number"
      min="1"
      max="36500"
      step="1"
      value={days}
      ref={(input) => input?.setCustomValidity(fault)}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  </Field>
)

interface PreviewProps {
  slug: string
  retention: Retention
  onCounted: () => void
}

/** Counts what the retention would remove now. */
function Preview({ slug, retention, onCounted }: PreviewProps) {
  const [found, setFound] = useState<Forgotten>()
  const { act, isBusy, error } = useAct()
  const [end] = useState(() => new AbortController())
  useEffect(() => () => end.abort(), [])
  const count = async (button: HTMLButtonElement) => {
    if (!button.form?.reportValidity()) return
    const isDone = await act(async () => setFound(await countForgotten(clientOf(slug), retention, end.signal)))
    if (isDone) onCounted()
  }
  return (
    <div class="preview">
      <button type="button" disabled={isBusy} onClick={(event) => count(event.currentTarget)}>
        {isBusy ? 'Counting …' : 'Count what would be removed now'}
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
  if (retention === null) return 'Runs are kept forever.'
  const { contentDays, runDays, keep } = retention
  const kept = [keep.failed && 'failed runs', keep.labels.length > 0 && `runs labelled ${keep.labels.join(' or ')}`]
  return [
    contentDays !== null && `Runs lose their texts ${plural(contentDays, 'day')} after their end.`,
    runDays !== null && `Runs are deleted ${plural(runDays, 'day')} after their end.`,
    kept.some(Boolean) && `Kept forever: ${kept.filter(Boolean).join(', ')}.`,
  ]
    .filter(Boolean)
    .join(' ')
}

type Retention = NonNullable<Project['retention']>
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
