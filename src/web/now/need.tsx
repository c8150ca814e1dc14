import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { nameOf } from '../../contract/person.ts'
import { href } from '../app/router.ts'
import { type Need, type NeedsGroup, runsOf, touches } from '../data/lists/needs.ts'
import { useRead } from '../data/query/read.ts'
import { Problem } from '../ui/loading.tsx'
import { type Appearance, Badge, lookOf, statusLooks, verdictLooks } from '../ui/status.tsx'
import { Author, Code } from '../ui/text.tsx'
import { Ago } from '../ui/time.tsx'
import { Decide, type Done } from './decide.tsx'

const looks = {
  failing: verdictLooks.failing,
  failed: statusLooks.failed,
  vanished: { ...statusLooks.failed, word: 'Vanished' },
} satisfies Record<Need['reason'], Appearance>

interface GroupProps {
  group: NeedsGroup
  /** Whether it is newer than the last visit. */
  isNew: boolean
  onDone: (done: Done) => void
}

/** Runs that are probably one problem, as one row that can be opened. A single run is a row of its own. */
export function NeedGroup({ group, isNew, onDone }: GroupProps) {
  const [isOpen, setOpen] = useState(false)
  const [newest] = group.attention
  if (!newest) return null
  if (group.count === 1) {
    return (
      <NeedRow need={newest} isNew={isNew}>
        <Decide runs={group} name={newest.runId} onDone={onDone} />
      </NeedRow>
    )
  }
  return (
    <>
      <NeedRow need={newest} reason={group.reason} isNew={isNew}>
        <Decide runs={group} name={`all ${group.count} runs of ${group.key}`} onDone={onDone} />
        <button type="button" class="plain unfold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Hide' : 'Show all'} {group.count} runs of {group.by} {group.key}
        </button>
      </NeedRow>
      {isOpen && <Members group={group} onDone={onDone} />}
    </>
  )
}

function Members({ group, onDone }: Pick<GroupProps, 'group' | 'onDone'>) {
  const { data = group.attention, error } = useRead(
    `members ${group.project} ${group.runIds.join(' ')}`,
    (signal) => runsOf(group, signal),
    { touches, restMs: 1000 },
  )
  return (
    <li>
      {error && <Problem error={error} />}
      <ul class="rows members">
        {data.map((need) => (
          <NeedRow key={need.id} need={need}>
            <Decide runs={{ ...group, runIds: [need.runId], attention: [need] }} name={need.runId} onDone={onDone} />
          </NeedRow>
        ))}
      </ul>
    </li>
  )
}

interface RowProps {
  need: Need
  /** The most urgent reason of its group; by default its own. */
  reason?: Need['reason']
  isNew?: boolean
  /** A note on what was decided. */
  note?: string
  children: ComponentChildren
}

/** A run that somebody should look at. */
export function NeedRow({ need, reason = need.reason, isNew = false, note, children }: RowProps) {
  const { project, runId, specId, branch, assignee, run, since } = need
  return (
    <li class="brief need">
      <Badge look={lookOf(looks, reason)} />
      <div class="what">
        <a class="title" href={href(['runs', project, runId])}>
          {run.title ?? runId}
        </a>
        {isNew && (
          <span class="new" title="Since you last looked">
            new
          </span>
        )}
        <p class="reason">
          <Why need={need} />
        </p>
        <span class="facts">
          <span>{project}</span>
          <span>{runId}</span>
          {(specId ?? branch) && <span>{specId ?? branch}</span>}
          <Author author={run.author} />
          {assignee && <span>assigned to {nameOf(assignee)}</span>}
          {run.agent && <span>{run.agent}</span>}
          {need.note && <span>{need.note}</span>}
        </span>
      </div>
      <span class="note muted small">{note}</span>
      <Ago at={since} />
      <div class="decisions">{children}</div>
    </li>
  )
}

/** Why a run needs attention, in a sentence. */
function Why({ need: { reason, run } }: { need: Need }) {
  const { code, message = '' } = run.failure ?? {}
  const [first] = message.trim().split('\n', 1)
  if (reason === 'failing') return <Code text={run.why ?? 'A check failed.'} />
  if (reason === 'vanished') return <>{first || 'Its worker sent nothing until the lease expired.'}</>
  if (code === undefined) {
    return <>{run.exitCode ? `The command ended with exit code ${run.exitCode}.` : 'No reason was recorded.'}</>
  }
  return (
    <>
      <code>{code}</code> {first}
    </>
  )
}
