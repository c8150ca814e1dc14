import { useState } from 'preact/hooks'
import type { Key } from '../../api/key.ts'
import type { Output } from '../../client/client.ts'
import { useProjects } from '../data/projects.ts'
import { client } from '../data/server.ts'
import { useSession } from '../data/session.ts'
import { Form } from '../ui/form.tsx'
import { ProjectChoice } from '../ui/project-choice.tsx'

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

export function KeyForm({ onMade, onClose }: Props) {
  const projects = useProjects()
  const ownProject = useSession().key?.project ?? null
  const [name, setName] = useState('')
  const [permissions, setPermissions] = useState<Permission[]>(['agent'])
  const [project, setProject] = useState(ownProject ?? '')
  const [until, setUntil] = useState('')
  const toggle = (one: Permission) =>
    setPermissions(permissions.includes(one) ? permissions.filter((other) => other !== one) : [...permissions, one])
  const work = async () =>
    onMade(await client.createKey({ name, permissions, project: project || null, expiresAt: endOf(until) }))
  return (
    <Form title="New key" deed="Create key" work={work} onClose={onClose}>
      <label class="field">
        Name: who or what uses it
        <input
          value={name}
          required
          placeholder="nightly agents"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <fieldset class="field">
        <legend>What it may do</legend>
        {(Object.keys(meanings) as Permission[]).map((one) => (
          <label key={one} class="row permission">
            <input type="checkbox" checked={permissions.includes(one)} onChange={() => toggle(one)} />
            <b>{one}</b> {meanings[one]}
          </label>
        ))}
      </fieldset>
      <ProjectChoice
        label="Where"
        projects={projects}
        chosen={project}
        onChoose={setProject}
        none={ownProject === null ? 'The whole server' : undefined}
        disabled={ownProject !== null}
      />
      <label class="field">
        Last day, if it shall expire
        <input type="date" value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
      </label>
    </Form>
  )
}

/** The end of that day in the viewer's time zone; undefined for no day. */
function endOf(day: string): string | undefined {
  const date = new Date(`${day}T23:59:59`)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
