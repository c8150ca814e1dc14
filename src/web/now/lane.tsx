import { useMemo, useRef } from 'preact/hooks'
import type { Event } from '../../api/event.ts'
import type { Run } from '../../api/run.ts'
import { href } from '../app/router.ts'
import { useRead } from '../data/read.ts'
import { clientOf } from '../data/server.ts'
import { Changes } from '../runs/changes.tsx'
import { spanOf, useNow } from '../ui/ago.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { useInSight } from '../ui/in-sight.ts'

/** How many bytes to read from the end of a content to get its last line. */
const tailBytes = 2048
const farAway = Number.MAX_SAFE_INTEGER

/** A run in progress: its current step or what it waits for, since when, and its last words. */
export function Lane({ run }: { run: Run }) {
  // Of the many lanes, only those whose runs have changed are drawn again.
  return useMemo(() => <LaneOf run={run} />, [run])
}

function LaneOf({ run }: { run: Run }) {
  const place = useRef<HTMLLIElement>(null)
  const isSeen = useInSight(place)
  const answer = useLastAnswer(run, isSeen)
  const line = useLastLine(run, isSeen && answer === undefined)
  const now = useNow(isSeen ? 1000 : 60_000)
  const standing = standingOf(run, now)
  const turnMs = turnMsOf(run, now)
  return (
    <li class={`lane ${standing.look}`} ref={place}>
      <a class="title" href={href(['runs', run.project, run.runId])}>
        {run.title ?? run.runId}
      </a>
      <span class="silence" title={standing.meaning}>
        <Icon name={standing.icon} />
        {standing.words}
        {turnMs !== undefined && <span class="muted">{spanOf(turnMs)} in this turn</span>}
      </span>
      <Doing activity={run.activity} />
      <span class="facts">
        <span>{run.project}</span>
        <span>{run.runId}</span>
        {run.agent && <span>{run.agent}</span>}
        {run.where?.cwd && <span class="path">{run.where.cwd}</span>}
        <Changes changes={run.changes} />
      </span>
      {answer === undefined ? (
        <span class="line">{line === '' ? 'No output yet.' : (line ?? ' ')}</span>
      ) : (
        <span class="said">{answer}</span>
      )}
    </li>
  )
}

/** The current tool and its target. */
function Doing({ activity }: Pick<Run, 'activity'>) {
  if (!activity?.tool) return null
  return (
    <span class="doing">
      <b>{activity.tool}</b> {activity.target && <code title={activity.target}>{activity.target}</code>}
    </span>
  )
}

interface Standing {
  look: 'working' | 'waiting' | 'idle' | 'quiet-too-long'
  icon: IconName
  words: string
  meaning: string
}

function standingOf(run: Run, now: number): Standing {
  const silentMs = Math.max(0, now - heardAt(run))
  const forMs = run.activity ? Math.max(0, now - Date.parse(run.activity.since)) : 0
  const state = run.activity?.state
  if (state === 'waiting') {
    const meaning = 'The agent waits for an answer or a permission'
    return { look: 'waiting', icon: 'warn', words: `waiting for you, ${spanOf(forMs)}`, meaning }
  }
  if (silentMs > patienceMs(run)) {
    const meaning = 'Silent for more than half its lease'
    return { look: 'quiet-too-long', icon: 'warn', words: `silent ${spanOf(silentMs)}`, meaning }
  }
  if (state === 'idle') return { look: 'idle', icon: 'clock', words: `idle ${spanOf(forMs)}`, meaning: 'Between turns' }
  if (state === 'working') {
    return { look: 'working', icon: 'activity', words: `working, ${spanOf(forMs)}`, meaning: 'Time in this step' }
  }
  const words = silentMs < 5000 ? 'writing now' : `silent ${spanOf(silentMs)}`
  return { look: 'working', icon: 'activity', words, meaning: 'Time since its last activity' }
}

/** How long the turn has lasted, if that is longer than its current step. */
function turnMsOf({ activity }: Run, now: number): number | undefined {
  const { since, turnSince } = activity ?? {}
  return turnSince === undefined || turnSince === since ? undefined : Math.max(0, now - Date.parse(turnSince))
}

const heardAt = (run: Run) => Math.max(Date.parse(run.lastSeenAt ?? run.createdAt), Date.parse(run.updatedAt))

/** Half the duration of the lease, counted from the last heartbeat. A run without a lease may be silent for ever. */
function patienceMs({ leaseExpiresAt, lastSeenAt }: Run): number {
  if (leaseExpiresAt === null || lastSeenAt === null) return Number.POSITIVE_INFINITY
  return (Date.parse(leaseExpiresAt) - Date.parse(lastSeenAt)) / 2
}

/** The first line of a session's last answer; undefined for a run without activity or answer. */
function useLastAnswer({ project, runId, activity }: Run, isSeen: boolean): string | undefined {
  const { data } = useRead(
    activity && isSeen ? `answer ${project}/${runId}` : '',
    (signal) => clientOf(project).listTurns({ runId, order: 'desc', limit: 1 }, { signal }),
    { touches: ({ type, subject }) => type === 'turn.created' && subject.startsWith(`${runId}/`), restMs: 2000 },
  )
  return data?.turns[0]?.answer && plainLine(data.turns[0].answer)
}

/** The first line of a Markdown text, without its marks. */
const plainLine = (text: string) =>
  text
    .slice(0, 1000)
    .trim()
    .split('\n', 1)[0]
    ?.replace(/^[#>\s]+|\*\*|`/g, '')

function useLastLine({ id, project, runId }: Run, isWanted: boolean): string | undefined {
  const size = useRef(farAway)
  const { data } = useRead(
    isWanted ? `${project}/${runId}` : '',
    async (signal) => {
      const client = clientOf(project)
      if (size.current === farAway)
        size.current = (await client.readContent({ runId, after: farAway }, { signal })).next
      const after = Math.max(0, size.current - tailBytes)
      const { text, next } = await client.readContent({ runId, after }, { signal })
      size.current = next
      return text.trimEnd().split('\n').at(-1)?.trim()
    },
    { touches: (event: Event) => event.subjectId === id && 'content' in event.changes, restMs: 2000 },
  )
  return data
}
