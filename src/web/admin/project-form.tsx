import { useState } from 'preact/hooks'
import type { Project } from '../../api/project.ts'
import { client } from '../data/server.ts'
import { etagOf, useOpenedVersion } from '../data/version.ts'
import { Form } from '../ui/form.tsx'

interface Props {
  /** The one to edit; without it a new one is made. */
  project?: Project
  onClose: () => void
  onConflict?: () => void
}

export function ProjectForm({ project, onClose, onConflict }: Props) {
  const [version, renew] = useOpenedVersion(project?.version ?? 0)
  const [slug, setSlug] = useState('')
  const [name, setName] = useState(project?.name ?? '')
  const [repository, setRepository] = useState(project?.repository ?? '')
  const work = () =>
    project
      ? client.updateProject({
          slug: project.slug,
          name,
          repository: repository || null,
          ifVersion: etagOf({ id: project.slug, version }),
        })
      : client.createProject({ slug, name: name || undefined, repository: repository || undefined })
  return (
    <Form
      title={project ? `Edit ${project.slug}` : 'New project'}
      deed={project ? 'Save' : 'Create project'}
      work={work}
      onClose={onClose}
      onConflict={() => {
        renew()
        onConflict?.()
      }}
    >
      {!project && (
        <label class="field">
          Slug: what commands and addresses call it; it never changes
          <input value={slug} required placeholder="shop" onInput={(event) => setSlug(event.currentTarget.value)} />
        </label>
      )}
      <label class="field">
        Name
        <input value={name} required={!!project} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label class="field">
        Repository
        <input
          value={repository}
          placeholder="https://example.com/shop.git"
          onInput={(event) => setRepository(event.currentTarget.value)}
        />
      </label>
    </Form>
  )
}
