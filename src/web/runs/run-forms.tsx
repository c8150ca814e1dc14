import { useState } from 'preact/hooks'
import { ConductError } from '../../client/client.ts'
import type { CheckResult } from '../../nouns/run/check/fields.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { goFrom, href } from '../app/router.ts'
import { useDraft } from '../data/browser/draft.ts'
import { useScope } from '../data/lists/projects.ts'
import { etagOf } from '../data/query/change.ts'
import { clientOf } from '../data/query/server.ts'
import { Field, Form } from '../ui/form.tsx'
import { resultLooks, results } from '../ui/status.tsx'

interface Props {
  run: Run
  onClose: () => void
}

interface ChangeProps extends Props {
  /** Reads the run again, after a change here or by someone else. */
  onChange: () => void
}

interface NewCheck {
  name: string
  result: CheckResult
  content: string
  /** The work that the person looks at, if it is known. */
  tree?: string | undefined
}

const isNewCheck = (kept: unknown): kept is NewCheck => {
  const { name, result, content, tree } = (kept ?? {}) as Partial<NewCheck>
  const isTree = tree === undefined || typeof tree === 'string'
  return typeof name === 'string' && typeof content === 'string' && isTree && results.some((one) => one === result)
}

export function CheckForm({ run: { project, runId, git }, onClose, onChange }: ChangeProps) {
  const begin: NewCheck = { name: 'review', result: 'pass', content: '', tree: git?.tree }
  const { draft, change, ...kept } = useDraft(`check ${project}/${runId}`, begin, isNewCheck)
  const { name, result, content } = draft
  const work = async () => {
    await clientOf(project).createCheck({ runId, ...draft })
    onChange()
  }
  return (
    <Form title={`Check ${runId}`} label="Add check" work={work} onClose={onClose} {...kept}>
      <Field name="name" label="Name">
        <input value={name} required onInput={(event) => change({ name: event.currentTarget.value })} />
      </Field>
      <p class="field">
        It replaces your earlier checks of this name, and also those of others unless you wrote to the run.
      </p>
      <fieldset class="field">
        <legend>Result</legend>
        <div class="row">
          {results.toReversed().map((one) => (
            <label key={one} class="row">
              <input type="radio" name="result" checked={one === result} onChange={() => change({ result: one })} />
              {resultLooks[one].word}
            </label>
          ))}
        </div>
      </fieldset>
      <Field name="content" label="What was found, as Markdown">
        <textarea rows={5} value={content} onInput={(event) => change({ content: event.currentTarget.value })} />
      </Field>
    </Form>
  )
}

interface EditedLabels {
  opened: Run['labels']
  text: string
}

const isEditedLabels = (kept: unknown): kept is EditedLabels => {
  const { opened, text } = (kept ?? {}) as Partial<EditedLabels>
  return opened instanceof Object && typeof text === 'string'
}

export function LabelForm({ run, onClose, onChange }: ChangeProps) {
  const [begin] = useState(() => {
    const opened = Object.fromEntries(Object.entries(run.labels).filter(isLine))
    return { opened, text: textOf(opened) }
  })
  const { draft, change, ...kept } = useDraft(`labels ${run.project}/${run.runId}`, begin, isEditedLabels)
  const { opened, text } = draft
  const others = Object.entries(run.labels).flatMap((label) => (isLine(label) ? [] : label[0]))
  const work = async () => {
    const labels = mergedLabels(run.labels, opened, labelsOf(text))
    await clientOf(run.project)
      .updateRun({ runId: run.runId, labels, ifVersion: etagOf(run) })
      .catch((error) => {
        throw withLines(error, text)
      })
    onChange()
  }
  return (
    <Form title={`Labels of ${run.runId}`} label="Save" work={work} onClose={onClose} {...kept} onConflict={onChange}>
      <Field name="labels" label="One on each line, as name: value">
        <textarea
          rows={6}
          placeholder="team: web"
          value={text}
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
      </Field>
      {others.length > 0 && (
        <p class="muted small">
          Kept but not shown, because a value has several lines or blanks around it: {others.join(', ')}
        </p>
      )}
    </Form>
  )
}

/** Whether a line can hold a label. A value of several lines, or with blanks around it, would be another one. */
const isLine = ([, value]: [string, string]) => value === value.trim() && !/[\r\n]/.test(value)

const textOf = (labels: Run['labels']) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')

/** The server decides what a line means. */
function labelsOf(text: string): Run['labels'] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', value = ''] = line.split(/:(.*)/s)
      return [name.trim(), value.trim()]
    }),
  )
}

/** An error of the server, with the lines of the labels that it names. */
function withLines(error: unknown, text: string): unknown {
  if (!(error instanceof ConductError) || !error.issues) return error
  const lines = text.split('\n')
  const issues = error.issues.map(({ path, message }) => {
    const at = lines.findIndex((line) => Object.keys(labelsOf(line)).some((name) => path === `labels.${name}`))
    return { path, message: at < 0 ? message : `line ${at + 1}, '${lines[at]?.trim().slice(0, 60)}': ${message}` }
  })
  return new ConductError(error.code, error.message, { issues })
}

/** The newest labels with the changes of a form: `opened` is what it began with, `edited` what it contains now. */
function mergedLabels(newest: Run['labels'], opened: Run['labels'], edited: Run['labels']): Run['labels'] {
  const isRemoved = (name: string) => Object.hasOwn(opened, name) && !Object.hasOwn(edited, name)
  return Object.fromEntries([
    ...Object.entries(newest).filter(([name]) => !isRemoved(name)),
    ...Object.entries(edited).filter(([name, value]) => !Object.hasOwn(opened, name) || opened[name] !== value),
  ])
}

export function DeleteForm({ run, onClose, onConflict }: Props & { onConflict: () => void }) {
  const scope = useScope()
  const work = async () => {
    const { project, runId } = run
    await clientOf(project).deleteRun({ runId, ifVersion: etagOf(run) })
    goFrom(['runs', project, runId], href(['runs'], { project: scope }))
  }
  return (
    <Form
      title={`Delete ${run.runId}?`}
      label="Delete run"
      isDanger
      work={work}
      onClose={onClose}
      onConflict={onConflict}
    >
      <p>
        This deletes the run for good, with its log, its checks and its links to features. The log of events still shows
        that it existed.
      </p>
    </Form>
  )
}

export function CancelForm({ run, onClose, onChange }: ChangeProps) {
  const work = async () => {
    await cancel(run)
    onChange()
  }
  return (
    <Form
      title={`Cancel ${run.runId}?`}
      label="End the run"
      isDanger
      work={work}
      onClose={onClose}
      onConflict={onChange}
    >
      <p>
        An agent holds this run and may still be at work. The run ends as failed, and this page cannot continue it. This
        does not stop the agent.
      </p>
    </Form>
  )
}

const tries = 5

/** Cancels a run that changes all the time. Other changes do not matter, unless it has ended meanwhile. */
export async function cancel({ project, runId }: Run): Promise<void> {
  const client = clientOf(project)
  for (let left = tries; left > 0; left--) {
    const { run } = await client.getRun({ runId })
    if (run.status === 'completed' || run.status === 'failed') {
      throw new ConductError('CONFLICT', `The run has ended in the meantime: it is ${run.status}.`)
    }
    try {
      const failure = { code: 'CANCELLED', message: 'Cancelled in the dashboard.' }
      await client.updateRun({ runId, status: 'failed', failure, ifVersion: etagOf(run) })
      return
    } catch (error) {
      if (!(error instanceof ConductError && error.code === 'PRECONDITION_FAILED')) throw error
    }
  }
  throw new ConductError('CONFLICT', 'The run keeps changing: try again.')
}
