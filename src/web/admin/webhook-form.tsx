import { useState } from 'preact/hooks'
import type { EventType } from '../../api/event.ts'
import type { Webhook } from '../../api/webhook.ts'
import type { Output } from '../../client/client.ts'
import { allTypes } from '../data/event-types.ts'
import { useProjects } from '../data/projects.ts'
import { client } from '../data/server.ts'
import { useSession } from '../data/session.ts'
import { etagOf, useOpenedVersion } from '../data/version.ts'
import { Form } from '../ui/form.tsx'
import { ProjectChoice } from '../ui/project-choice.tsx'

/** Only a webhook of the whole server sends these. */
const onlyOfServer = /^(project|key|webhook)\./

interface Props {
  /** The webhook to change; without one, creates a new webhook. */
  webhook?: Webhook
  onMade?: (made: Output<'createWebhook'>) => void
  onDone: () => void
  onClose: () => void
}

export function WebhookForm({ webhook, onMade, onDone, onClose }: Props) {
  const [version, renew] = useOpenedVersion(webhook?.version ?? 0)
  const projects = useProjects()
  const ownProject = useSession().key?.project ?? null
  const [url, setUrl] = useState(webhook?.url ?? '')
  const [chosen, setChosen] = useState<EventType[]>(webhook?.types ?? [])
  const [project, setProject] = useState(ownProject ?? '')
  const [isWhole, setWhole] = useState(false)
  const work = async () => {
    if (webhook) {
      const ifVersion = etagOf({ id: webhook.id, version })
      await client.updateWebhook({ id: webhook.id, url, types: chosen, ifVersion })
    } else {
      onMade?.(
        await client.createWebhook({ url, types: chosen, project: project || null, after: isWhole ? 0 : undefined }),
      )
    }
    onDone()
  }
  return (
    <Form
      title={webhook ? 'Edit webhook' : 'New webhook'}
      deed={webhook ? 'Save' : 'Create webhook'}
      work={work}
      onClose={onClose}
      onConflict={() => {
        renew()
        onDone()
      }}
    >
      <label class="field">
        URL that receives the events
        <input
          type="url"
          value={url}
          required
          placeholder="https://hooks.example.com/conduct"
          onInput={(event) => setUrl(event.currentTarget.value)}
        />
      </label>
      <Types isOfServer={(webhook ? webhook.project : project || null) === null} chosen={chosen} onChange={setChosen} />
      {!webhook && (
        <>
          <ProjectChoice
            label="Events of"
            projects={projects}
            chosen={project}
            onChoose={setProject}
            none={ownProject === null ? 'The whole server' : undefined}
            disabled={ownProject !== null}
          />
          <label class="row permission">
            <input type="checkbox" checked={isWhole} onChange={() => setWhole(!isWhole)} />
            Begin with the first event of the log
          </label>
        </>
      )}
    </Form>
  )
}

interface TypesProps {
  isOfServer: boolean
  chosen: EventType[]
  onChange: (chosen: EventType[]) => void
}

function Types({ isOfServer, chosen, onChange }: TypesProps) {
  const offered = allTypes.filter((type) => isOfServer || !onlyOfServer.test(type) || chosen.includes(type))
  const toggle = (type: EventType) =>
    onChange(chosen.includes(type) ? chosen.filter((one) => one !== type) : [...chosen, type])
  return (
    <fieldset class="field">
      <legend>Types of events; none: all of them</legend>
      <div class="types">
        {offered.map((type) => (
          <label key={type} class="row permission">
            <input type="checkbox" checked={chosen.includes(type)} onChange={() => toggle(type)} />
            {type}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
