import { useState } from 'preact/hooks'
import type { ConductError, Output } from '../../client/client.ts'
import { useAct } from '../data/act.ts'
import { clientOf } from '../data/server.ts'
import { etagOf } from '../data/version.ts'
import { FormEnd } from '../ui/form.tsx'
import { Problem } from '../ui/problem.tsx'
import { EditorConflict } from './editor-conflict.tsx'
import { SpecText } from './spec-text.tsx'

export type FullSpec = Output<'getSpec'>['spec']

interface Props {
  spec: FullSpec
  onClose: () => void
}

/** Edits a spec. */
export default function SpecEditor({ spec, onClose }: Props) {
  const { title, setTitle, content, setContent, newer, save, take, isBusy, error } = useDraft(spec, onClose)
  const submit = (event: Event) => {
    event.preventDefault()
    save()
  }
  return (
    <form class="editor" onSubmit={submit}>
      {newer && (
        <EditorConflict
          newer={newer}
          content={content}
          isBusy={isBusy}
          onKeepMine={() => save(newer)}
          onTakeTheirs={() => take(newer)}
        />
      )}
      <label class="field">
        Title
        <input value={title} onInput={(event) => setTitle(event.currentTarget.value)} />
      </label>
      <SpecText content={content} onInput={setContent} />
      {error && <Problem error={error} />}
      <FormEnd deed="Save spec" isReady={!isBusy && newer === undefined} onCancel={onClose} />
    </form>
  )
}

/**
 * The edited text. Saving requires the version that the editor started from. If someone else saved in between, `newer`
 * is their version, and the person overwrites it or takes it.
 */
function useDraft(spec: FullSpec, onSaved: () => void) {
  const [base, setBase] = useState(spec)
  const [title, setTitle] = useState(spec.title ?? '')
  const [content, setContent] = useState(spec.content)
  const [newer, setNewer] = useState<FullSpec>()
  const { act, isBusy, error } = useAct()
  const client = clientOf(spec.project)
  const { specId } = spec
  const save = (over = base) =>
    act(async () => {
      try {
        await client.updateSpec({ specId, ...changed(over, title, content), ifVersion: etagOf(over) })
        onSaved()
      } catch (failure) {
        if ((failure as ConductError).code !== 'PRECONDITION_FAILED') throw failure
        setNewer((await client.getSpec({ specId })).spec)
      }
    })
  const take = (theirs: FullSpec) => {
    setBase(theirs)
    setTitle(theirs.title ?? '')
    setContent(theirs.content)
    setNewer(undefined)
  }
  return { title, setTitle, content, setContent, newer, save, take, isBusy, error }
}

/** The server derives an empty title from the content. An unchanged title is not sent. */
function changed(over: FullSpec, title: string, content: string) {
  const given = title.trim() === '' ? null : title
  return { ...(given !== over.title && { title: given }), ...(content !== over.content && { content }) }
}
