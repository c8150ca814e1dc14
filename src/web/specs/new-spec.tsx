import { useRef } from 'preact/hooks'
import { go, href, type Route } from '../app/router.ts'
import { useDraft } from '../data/browser/draft.ts'
import { useProjects, useScope } from '../data/lists/projects.ts'
import { useAct } from '../data/query/change.ts'
import { clientOf } from '../data/query/server.ts'
import { useSession } from '../data/query/session.ts'
import { FormEnd, ProjectChoice } from '../ui/form.tsx'
import { Head } from '../ui/head.tsx'
import { Problem } from '../ui/loading.tsx'
import { dropUnsavedText, unsavedText } from './edited.ts'
import { SpecText } from './spec-editor.tsx'

interface New {
  chosen: string
  specId: string
  content: string
}

const isNew = (kept: unknown): kept is New => {
  const { chosen, specId, content } = (kept ?? {}) as Partial<New>
  return [chosen, specId, content].every((text) => typeof text === 'string')
}

/** Writes a new spec. The address may contain its project and id. Each has its own draft. */
export default function NewSpec({ route: { query } }: { route: Route }) {
  const own = useSession().key?.project
  const named = { chosen: query.get('project') ?? own ?? '', specId: query.get('specId') ?? '' }
  return <Form key={`${named.chosen}/${named.specId}`} named={named} />
}

function Form({ named }: { named: Omit<New, 'content'> }) {
  const projects = useProjects()
  const scope = useScope()
  const unsaved = { project: named.chosen, specId: named.specId }
  const content = unsavedText(unsaved) ?? ''
  const { draft, change, drop } = useDraft(`new ${named.chosen}/${named.specId}`, { ...named, content }, isNew)
  const { chosen, specId } = draft
  const { act, isBusy, error } = useAct()
  const form = useRef<HTMLFormElement>(null)
  const hasChoice = projects.length > 1
  const project = chosen || (hasChoice ? '' : (projects[0]?.slug ?? ''))
  const forget = () => {
    drop()
    dropUnsavedText(unsaved)
  }
  const create = (event: Event) => {
    event.preventDefault()
    return act(async () => {
      const { spec } = await clientOf(project).createSpec({
        specId: specId.trim() || undefined,
        content: draft.content,
      })
      forget()
      // The person may have left meanwhile.
      if (form.current) go(href(['specs', spec.project, spec.specId]))
    })
  }
  const cancel = () => {
    forget()
    const { chosen, specId } = named
    go(chosen && specId ? href(['specs', chosen, specId]) : href(['specs'], { project: scope }))
  }
  return (
    <>
      <Head title="New spec" />
      <form class="editor" onSubmit={create} ref={form}>
        <div class="row fields">
          {hasChoice && (
            <ProjectChoice
              label="Project"
              projects={projects}
              chosen={project}
              onChoose={(chosen) => change({ chosen })}
              none="Choose a project"
              isRequired
            />
          )}
          <label class="field">
            Id; empty for the next free one
            <input
              value={specId}
              readOnly={isBusy}
              placeholder="AUTH-001"
              onInput={(event) => change({ specId: event.currentTarget.value })}
            />
          </label>
        </div>
        <SpecText content={draft.content} onInput={(content) => change({ content })} isRequired isReadOnly={isBusy} />
        {error && <Problem error={error} />}
        <FormEnd label="Create spec" isReady={!isBusy && (project !== '' || hasChoice)} onCancel={cancel} />
      </form>
    </>
  )
}
