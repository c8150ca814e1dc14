import { useState } from 'preact/hooks'
import { go, href, type Route } from '../app/router.ts'
import { useAct } from '../data/act.ts'
import { useProjects } from '../data/projects.ts'
import { clientOf } from '../data/server.ts'
import { useSession } from '../data/session.ts'
import { FormEnd } from '../ui/form.tsx'
import { Head } from '../ui/head.tsx'
import { Problem } from '../ui/problem.tsx'
import { ProjectChoice } from '../ui/project-choice.tsx'
import { SpecText } from './spec-text.tsx'

/** Writes a new spec. The address may contain its project and id. */
export default function NewSpec({ route: { query } }: { route: Route }) {
  const projects = useProjects()
  const own = useSession().key?.project
  const [chosen, setChosen] = useState(query.get('project') ?? own ?? '')
  const [specId, setSpecId] = useState(query.get('specId') ?? '')
  const [content, setContent] = useState('')
  const { act, isBusy, error } = useAct()
  const project = chosen || (projects[0]?.slug ?? '')
  const create = (event: Event) => {
    event.preventDefault()
    return act(async () => {
      const { spec } = await clientOf(project).createSpec({ specId: specId.trim() || undefined, content })
      go(href(['specs', spec.project, spec.specId]))
    })
  }
  return (
    <>
      <Head title="New spec" />
      <form class="editor" onSubmit={create}>
        <div class="row fields">
          {projects.length > 1 && (
            <ProjectChoice label="Project" projects={projects} chosen={project} onChoose={setChosen} />
          )}
          <label class="field">
            Id; empty for the next free one
            <input value={specId} placeholder="AUTH-001" onInput={(event) => setSpecId(event.currentTarget.value)} />
          </label>
        </div>
        <SpecText content={content} onInput={setContent} isRequired />
        {error && <Problem error={error} />}
        <FormEnd deed="Create spec" isReady={!isBusy && project !== ''} onCancel={() => history.back()} />
      </form>
    </>
  )
}
