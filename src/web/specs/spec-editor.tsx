import { useEffect, useRef, useState } from 'preact/hooks'
import type { ConductError, Output } from '../../client/client.ts'
import { useDraft } from '../data/browser/draft.ts'
import { etagOf, useAct } from '../data/query/change.ts'
import { clientOf } from '../data/query/server.ts'
import { Markdown } from '../runs/log.tsx'
import { FormEnd, Restored } from '../ui/form.tsx'
import { lazy, Problem } from '../ui/loading.tsx'
import { useSettled } from '../ui/search-field.tsx'
import { actorText } from '../ui/words.ts'
import { begun, editOf, isEdited, type SpecBase } from './edited.ts'

type FullSpec = Output<'getSpec'>['spec']

interface Props {
  spec: FullSpec
  onSaved: () => void
  onClose: () => void
}

/** Edits a spec. Nothing can be typed while it is saved, since that would be lost. */
export default function SpecEditor({ spec, onSaved, onClose }: Props) {
  const form = useRef<HTMLFormElement>(null)
  const edited = useEdited(spec, {
    onSaved,
    // The person may have left while it was saved.
    onClose: () => form.current && onClose(),
  })
  const { title, content, isRestored, change, newer, save, take, close, isBusy, error } = edited
  const submit = (event: Event) => {
    event.preventDefault()
    save()
  }
  return (
    <form class="editor" onSubmit={submit} ref={form}>
      {newer && (
        <EditorConflict
          newer={newer}
          content={content}
          isBusy={isBusy}
          onKeepMine={() => save(newer)}
          onTakeTheirs={() => {
            take(newer)
            form.current?.querySelector('input')?.focus()
          }}
        />
      )}
      {isRestored && <Restored />}
      <label class="field">
        Title
        <input value={title} readOnly={isBusy} onInput={(event) => change({ title: event.currentTarget.value })} />
      </label>
      <SpecText content={content} isReadOnly={isBusy} onInput={(content) => change({ content })} />
      {error && <Problem error={error} />}
      <FormEnd label="Save spec" isReady={!isBusy && newer === undefined} onCancel={close} />
    </form>
  )
}

/**
 * The edited text. Saving requires the version that the text was begun from. If someone else saved in between, `newer`
 * is their version, and the person overwrites it or takes it.
 */
function useEdited(spec: FullSpec, { onSaved, onClose }: Omit<Props, 'spec'>) {
  const { project, specId } = spec
  const { draft, isRestored, change, drop } = useDraft(editOf(spec), begun(spec), isEdited)
  const { base, title, content } = draft
  const [newer, setNewer] = useState<FullSpec>()
  const { act, isBusy, error } = useAct()
  const client = clientOf(project)
  const close = () => {
    drop()
    onClose()
  }
  const save = (over: SpecBase = base) =>
    act(async () => {
      try {
        await client.updateSpec({ specId, ...changed(over, title, content), ifVersion: etagOf(over) })
        onSaved()
        close()
      } catch (failure) {
        if ((failure as ConductError).code !== 'PRECONDITION_FAILED') throw failure
        setNewer((await client.getSpec({ specId })).spec)
      }
    })
  const take = (theirs: FullSpec) => {
    change(begun(theirs))
    setNewer(undefined)
  }
  return { title, content, isRestored, change, newer, save, take, close, isBusy, error }
}

/** The server derives an empty title from the content. An unchanged title is not sent. */
function changed(over: SpecBase, title: string, content: string) {
  const given = title.trim() === '' ? null : title
  return { ...(given !== over.title && { title: given }), ...(content !== over.content && { content }) }
}

const Difference = lazy(() => import('./difference.tsx'))

interface ConflictProps {
  /** What someone else has saved meanwhile. */
  newer: FullSpec
  /** The text in the editor. */
  content: string
  isBusy: boolean
  onKeepMine: () => void
  onTakeTheirs: () => void
}

/** Two people edited a spec at once: shows how their texts differ, and offers both ways out. */
function EditorConflict({ newer, content, isBusy, onKeepMine, onTakeTheirs }: ConflictProps) {
  const place = useRef<HTMLDivElement>(null)
  // It appears above the editor, whose button the user has just pressed.
  useEffect(() => {
    place.current?.focus({ preventScroll: true })
    place.current?.scrollIntoView({ block: 'start' })
  }, [newer.version])
  return (
    <div class="conflict" role="alert" tabIndex={-1} ref={place}>
      <p>
        <b>{actorText(newer.updatedBy)}</b> saved version {newer.version} while you edited. This is how your text
        differs from it:
      </p>
      <Difference before={newer.content} after={content} />
      <div class="row">
        <button type="button" class="main" disabled={isBusy} onClick={onKeepMine}>
          Save mine over version {newer.version}
        </button>
        <button type="button" disabled={isBusy} onClick={onTakeTheirs}>
          Discard mine and edit version {newer.version}
        </button>
      </div>
      <p class="muted small">Version {newer.version} stays in the list of versions either way.</p>
    </div>
  )
}

const typingMs = 250
const example = '# Log in with a passkey\n\n- [ ] A button on the login page\n- [ ] A test that fails without it'

interface TextProps {
  content: string
  onInput: (content: string) => void
  isRequired?: boolean
  isReadOnly: boolean
}

/** The Markdown of a spec with a preview beside it. */
export function SpecText({ content, onInput, isRequired = false, isReadOnly }: TextProps) {
  const preview = useSettled(content, typingMs)
  return (
    <div class="sides">
      <label class="field">
        Text, as Markdown; each “- [ ]” item is part of the checklist
        <textarea
          rows={22}
          value={content}
          required={isRequired}
          readOnly={isReadOnly}
          placeholder={example}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </label>
      <section aria-labelledby="preview">
        <h2 id="preview">Preview</h2>
        {preview.trim() === '' ? <p class="muted">Nothing written yet.</p> : <Markdown text={preview} />}
      </section>
    </div>
  )
}
