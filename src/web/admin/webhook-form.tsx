import type { Output } from '../../client/client.ts'
import { eventTypes } from '../../contract/event-type.ts'
import type { EventType } from '../../log/fields.ts'
import type { Webhook } from '../../nouns/webhook/fields.ts'
import { isLike, useDraft } from '../data/browser/draft.ts'
import { useProjects } from '../data/lists/projects.ts'
import { etagOf, useDraftVersion } from '../data/query/change.ts'
import { client } from '../data/query/server.ts'
import { useSession } from '../data/query/session.ts'
import { Field, FieldGroup, Form, ProjectChoice } from '../ui/form.tsx'

const meanings: Record<Webhook['format'], string> = {
  events: 'Events, for a program',
  text: 'Sentences as JSON, for Slack, Mattermost, Discord or Gotify',
  plain: 'Sentences as text, for ntfy',
}

const isFormat = (value: string): value is Webhook['format'] => Object.hasOwn(meanings, value)

const examples: Record<Webhook['format'], string> = {
  events: 'https://hooks.example.com/conduct',
  text: 'https://hooks.slack.com/services/…',
  plain: 'https://ntfy.sh/a-name-that-nobody-guesses',
}

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
  const { version = 0, url: ownUrl, format: ownFormat = 'events', types: ownTypes = [] } = webhook ?? {}
  const begin = { opened: version, url: '', format: ownFormat, chosen: ownTypes, project: '', isWhole: false }
  const { draft, change, ...kept } = useDraft(`webhook ${webhook?.id ?? ''}`, begin, isLike(begin))
  const replaced = useDraftVersion({ draft, change }, version)
  const { url, format, chosen, isWhole } = draft
  const project = ownProject ?? draft.project
  const work = async () => {
    if (webhook) {
      const ifVersion = etagOf({ id: webhook.id, version: replaced.version })
      // The URL is not shown whole, so an empty one stays as it is.
      await client.updateWebhook({ id: webhook.id, ...(url !== '' && { url }), format, types: chosen, ifVersion })
    } else {
      onMade?.(
        await client.createWebhook({
          ...{ url, format, types: chosen, project: project || null },
          after: isWhole ? 0 : undefined,
        }),
      )
    }
    onDone()
  }
  return (
    <Form
      title={webhook ? 'Edit webhook' : 'New webhook'}
      label={webhook ? 'Save' : 'Create webhook'}
      work={work}
      onClose={onClose}
      {...kept}
      onConflict={() => {
        replaced.onConflict()
        onDone()
      }}
    >
      <Field name="format" label="Format">
        <select
          value={format}
          onChange={({ currentTarget: { value } }) => isFormat(value) && change({ format: value })}
        >
          {Object.entries(meanings).map(([one, meaning]) => (
            <option key={one} value={one}>
              {meaning}
            </option>
          ))}
        </select>
      </Field>
      <Field name="url" label={webhook ? 'URL; leave empty to keep it' : 'URL that receives the messages'}>
        <input
          type="url"
          value={url}
          required={!webhook}
          placeholder={ownUrl ?? examples[format]}
          onInput={(event) => change({ url: event.currentTarget.value })}
        />
      </Field>
      <Types
        none={format === 'events' ? 'all of them' : 'waits, long turns, ends and failing checks'}
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
  /** What is sent if none is chosen. */
  none: string
  isOfServer: boolean
  chosen: EventType[]
  onChange: (chosen: EventType[]) => void
}

function Types({ none, isOfServer, chosen, onChange }: TypesProps) {
  const offered = eventTypes.filter((type) => isOfServer || !onlyOfServer.test(type) || chosen.includes(type))
  const toggle = (type: EventType) =>
    onChange(chosen.includes(type) ? chosen.filter((one) => one !== type) : [...chosen, type])
  return (
    <FieldGroup name="types" label={`Types of events; none: ${none}`}>
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
