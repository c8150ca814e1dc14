import type { Output } from '../../client/client.ts'
import type { Key } from '../../nouns/key/fields.ts'
import { isLike, useDraft } from '../data/browser/draft.ts'
import { useProjects } from '../data/lists/projects.ts'
import { client } from '../data/query/server.ts'
import { useSession } from '../data/query/session.ts'
import { Field, FieldGroup, Form, ProjectChoice } from '../ui/form.tsx'

type Permission = Key['permissions'][number]

const meanings: Record<Permission, string> = {
  read: 'sees everything',
  agent: 'records its own runs, specs and checks',
  write: 'changes what others recorded',
  delete: 'deletes',
  admin: 'all of that, and keys and projects',
}

interface Props {
  onMade: (made: Output<'createKey'>) => void
  onClose: () => void
}

const noKey = { name: '', permissions: ['agent'] as Permission[], person: '', project: '', until: '' }

export function KeyForm({ onMade, onClose }: Props) {
  const projects = useProjects()
  const ownProject = useSession().key?.project ?? null
  const { draft, change, ...kept } = useDraft('key', noKey, isLike(noKey))
  const { name, permissions, person, until } = draft
  const project = ownProject ?? draft.project
  const toggle = (one: Permission) =>
    change({
      permissions: permissions.includes(one) ? permissions.filter((other) => other !== one) : [...permissions, one],
    })
  const work = async () => {
    const whose = { person: person.trim() || null, project: project || null }
    onMade(await client.createKey({ name, permissions, ...whose, expiresAt: endOf(until) }))
  }
  return (
    <Form title="New key" label="Create key" work={work} onClose={onClose} {...kept}>
      <Field name="name" label="Name: who or what uses it">
        <input
          value={name}
          required
          placeholder="nightly agents"
          onInput={(event) => change({ name: event.currentTarget.value })}
        />
      </Field>
      <PersonField person={person} onInput={(person) => change({ person })} />
      <FieldGroup name="permissions" label="What it may do">
        {(Object.keys(meanings) as Permission[]).map((one) => (
          <label key={one} class="row permission">
            <input type="checkbox" checked={permissions.includes(one)} onChange={() => toggle(one)} />
            <b>{one}</b> {meanings[one]}
          </label>
        ))}
      </FieldGroup>
      <ProjectChoice
        label="Where"
        projects={projects}
        chosen={project}
        onChoose={(project) => change({ project })}
        none={ownProject === null ? 'The whole server' : undefined}
        disabled={ownProject !== null}
      />
      <Field name="expiresAt" label="Last day; by default, and at the latest, the day on which this login ends">
        <input type="date" value={until} onChange={(event) => change({ until: event.currentTarget.value })} />
      </Field>
    </Form>
  )
}

export const PersonField = ({ person, onInput }: { person: string; onInput: (person: string) => void }) => (
  <Field name="person" label="Person; leave empty for a service, such as CI">
    <input
      value={person}
      placeholder="Ada Example <ada@example.com>"
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  </Field>
)

/** The end of that day in the viewer's time zone; undefined for no day. */
function endOf(day: string): string | undefined {
  const date = new Date(`${day}T23:59:59`)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
