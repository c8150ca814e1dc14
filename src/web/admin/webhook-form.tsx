import type { Output } from '../../client/client.ts'
import { eventTypes } from '../../contract/event-type.ts'
import type { EventType } from '../../log/fields.ts'
import type { Webhook } from '../../nouns/webhook/fields.ts'
import { isLike, useDraft } from '../data/browser/draft.ts'
import { useProjects } from '../data/lists/projects.ts'
import { draftEtagOf, followsNewest } from '../data/query/change.ts'
import { client } from '../data/query/server.ts'
import { useSession } from '../data/query/session.ts'
import { Field, FieldGroup, Form, ProjectChoice, Restored } from '../ui/form.tsx'

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
  const projects = useProjects()
  const ownProject = useSession().key?.project ?? null
  const { version = 0, url: ownUrl = '', types: ownTypes = [] } = webhook ?? {}
  const begin = { opened: version, url: ownUrl, chosen: ownTypes, project: '', isWhole: false }
  const { draft, isRestored, change, drop } = useDraft(`webhook ${webhook?.id ?? ''}`, begin, isLike(begin))
  const { url, chosen, isWhole } = draft
  const project = ownProject ?? draft.project
  const work = async () => {
    if (webhook) {
      const ifVersion = draftEtagOf(webhook.id, draft, version)
      await client.updateWebhook({ id: webhook.id, url, types: chosen, ifVersion })
    } else {
      onMade?.(
        await client.createWebhook({ url, types: chosen, project: project || null, after: isWhole ? 0 : undefined }),
      )
    }
    onDone()
  }
  const close = () => {
    drop()
    onClose()
  }
  return (
    <Form
      title={webhook ? 'Edit webhook' : 'New webhook'}
      deed={webhook ? 'Save' : 'Create webhook'}
      work={work}
      onClose={close}
      onConflict={() => {
        change(followsNewest)
        onDone()
      }}
    >
      {isRestored && <Restored />}
      <Field name="url" label="URL that receives the events">
        <input
          type="url"
          value={url}
          required
          placeholder="https://hooks.example.com/conduct"
          onInput={(event) => change({ url: event.currentTarget.value })}
        />
      </Field>
      <Types
        isOfServer={(webhook ? webhook.project : project || null) === null}
        chosen={chosen}
        onChange={(chosen) => change({ chosen })}
      />
      {!webhook && (
        <>
          <ProjectChoice
            label="Events of"
            projects={projects}
            chosen={project}
            onChoose={(project) => change({ project })}
            none={ownProject === null ? 'The whole server' : undefined}
            disabled={ownProject !== null}
          />
          <label class="row permission">
            <input type="checkbox" checked={isWhole} onChange={() => change({ isWhole: !isWhole })} />
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
  const offered = eventTypes.filter((type) => isOfServer || !onlyOfServer.test(type) || chosen.includes(type))
  const toggle = (type: EventType) =>
    onChange(chosen.includes(type) ? chosen.filter((one) => one !== type) : [...chosen, type])
  return (
    <FieldGroup name="types" label="Types of events; none: all of them">
      <div class="types">
        {offered.map((type) => (
          <label key={type} class="row permission">
            <input type="checkbox" checked={chosen.includes(type)} onChange={() => toggle(type)} />
            {type}
          </label>
        ))}
      </div>
    </FieldGroup>
  )
}
