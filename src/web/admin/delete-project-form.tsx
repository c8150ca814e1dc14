import { useState } from 'preact/hooks'
import type { Project } from '../../nouns/project/fields.ts'
import { goFrom, href } from '../app/router.ts'
import { etagOf } from '../data/query/change.ts'
import { client } from '../data/query/server.ts'
import { Form } from '../ui/form.tsx'

interface Props {
  project: Project
  onClose: () => void
  onConflict: () => void
}

/** Deletes a project once its name is typed. */
export function DeleteProjectForm({ project: { slug, name, version }, onClose, onConflict }: Props) {
  const [typed, setTyped] = useState('')
  const work = async () => {
    await client.deleteProject({ slug, confirm: typed, ifVersion: etagOf({ id: slug, version }) })
    goFrom(['projects', slug], href(['projects']))
  }
  return (
    <Form
      title={`Delete project ${slug}?`}
      deed="Delete project"
      isDanger
      isReady={typed === name}
      work={work}
      onClose={onClose}
      onConflict={onConflict}
    >
      <p>
        All its runs, specs, checks and features go for good, with their texts in the log of events. Its keys are
        revoked, and its webhooks deleted.
      </p>
      <label class="field">
        <span>
          Type the project’s name, <b>{name}</b>
        </span>
        <input value={typed} required autocomplete="off" onInput={(event) => setTyped(event.currentTarget.value)} />
      </label>
    </Form>
  )
}
