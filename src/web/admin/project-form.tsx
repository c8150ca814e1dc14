import type { Project } from '../../nouns/project/fields.ts'
import { isLike, useDraft } from '../data/browser/draft.ts'
import { etagOf, useDraftVersion } from '../data/query/change.ts'
import { client } from '../data/query/server.ts'
import { Field, Form } from '../ui/form.tsx'

interface Props {
  /** The one to edit; without it a new one is made. */
  project?: Project
  onClose: () => void
  /** Reads the project again, after a change here or by someone else. */
  onChange?: () => void
}

export function ProjectForm({ project, onClose, onChange }: Props) {
  const { version = 0, name: ownName = '' } = project ?? {}
  const begin = { opened: version, slug: '', name: ownName, repository: project?.repository ?? '' }
  const { draft, change, ...kept } = useDraft(`project ${project?.slug ?? ''}`, begin, isLike(begin))
  const replaced = useDraftVersion({ draft, change }, version)
  const { slug, name, repository } = draft
  const work = async () => {
    if (project) {
      const ifVersion = etagOf({ id: project.slug, version: replaced.version })
      await client.updateProject({ slug: project.slug, name, repository: repository || null, ifVersion })
    } else await client.createProject({ slug, name: name || undefined, repository: repository || undefined })
    onChange?.()
  }
  return (
    <Form
      title={project ? `Edit ${project.slug}` : 'New project'}
      label={project ? 'Save' : 'Create project'}
      work={work}
      onClose={onClose}
      {...kept}
      onConflict={() => {
        replaced.onConflict()
        onChange?.()
      }}
    >
      {!project && (
        <Field name="slug" label="Slug: its name in commands and addresses; it never changes">
          <input
            value={slug}
            required
            placeholder="shop"
            onInput={(event) => change({ slug: event.currentTarget.value })}
          />
        </Field>
      )}
      <Field name="name" label="Name">
        <input value={name} required={!!project} onInput={(event) => change({ name: event.currentTarget.value })} />
      </Field>
      <Field name="repository" label="Repository">
        <input
          value={repository}
          placeholder="https://example.com/shop.git"
          onInput={(event) => change({ repository: event.currentTarget.value })}
        />
      </Field>
    </Form>
  )
}
