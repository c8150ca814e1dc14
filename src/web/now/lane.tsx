import { useMemo, useRef } from 'preact/hooks'
import type { Event } from '../../log/fields.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { useWhom } from '../data/lists/whose.ts'
import { knownUntil } from '../data/log/stream.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { questionsOf } from '../data/runs/questions.ts'
import { isTurnOf } from '../data/runs/run-events.ts'
import { plainOf } from '../log/lines.ts'
import { Changes } from '../runs/changes.tsx'
import { useInSight } from '../ui/in-sight.ts'
import { Author, plainLine } from '../ui/text.tsx'
import { useNow } from '../ui/time.tsx'
import { Doing, StandingWords, standingOf } from './standing.tsx'

/** How many bytes to read from the end of a content to get its last line. */
const tailBytes = 2048
const farAway = Number.MAX_SAFE_INTEGER

interface Props {
  run: Run
  /** Whether it waits for a person, so that it has more than one line. */
  isWaiting: boolean
}

/** A run in progress: whose it is, its current step or what it waits for, since when, and its last words. */
export function Lane({ run, isWaiting }: Props) {
  // Of the many lanes, only those whose runs have changed are drawn again.
  return useMemo(() => <LaneOf run={run} isWaiting={isWaiting} />, [run, isWaiting])
}

function LaneOf({ run, isWaiting }: Props) {
  const place = useRef<HTMLLIElement>(null)
  const isSeen = useInSight(place)
  const isAsking = isWaiting && run.activity?.state === 'idle'
  const answer = useLastAnswer(run, isSeen)
  const line = useLastLine(run, isSeen && answer === undefined)
  const now = knownUntil(useNow(isSeen ? 1000 : 60_000))
  const standing = standingOf({ run, now, isAsking, whom: useWhom(run.author) })
  const words =
    answer === undefined ? (
      <span class="line">{line === '' ? nothingYet(run) : (line ?? ' ')}</span>
    ) : (
      <span class="said">{isAsking ? questionsOf(answer).join(' ') : plainLine(answer)}</span>
    )
  return (
    <li class={`lane ${standing.look} ${isWaiting ? 'large' : 'small'}`} ref={place}>
      <a class="title" href={href(['runs', run.project, run.runId])} title={run.title ?? undefined}>
        {run.title ?? run.runId}
      </a>
      <span class="step">
        <Doing run={run} />
        {words}
      </span>
      {isWaiting ? <PlaceOf run={run} /> : <WhoseIs run={run} />}
      <StandingWords run={run} now={now} isAsking={isAsking} />
    </li>
  )
}

const WhoseIs = ({ run: { author, agent } }: { run: Run }) => (
  <span class="facts">
    <Author author={author} />
    {agent && <span>{agent}</span>}
  </span>
)

/** Where it is, most important first, since there may be no room for all. What it waits for names the author. */
const PlaceOf = ({ run: { project, runId, agent, where, changes } }: { run: Run }) => (
  <span class="facts">
    <span>{project}</span>
    {agent && <span>{agent}</span>}
    <span>{runId}</span>
    {where?.cwd && <span class="path">{where.cwd}</span>}
    <Changes changes={changes} />
  </span>
)

/** What is shown if there is no answer or output; nothing beside the current step. */
const nothingYet = ({ activity }: Run) => (activity?.tool ? '' : activity ? 'No answer yet.' : 'No output yet.')

/** A session's last answer; undefined for a run without activity or answer. */
function useLastAnswer({ project, runId, activity }: Run, isSeen: boolean): string | undefined {
  const { data } = useRead(
    activity && isSeen ? `answer ${project}/${runId}` : '',
    (signal) => clientOf(project).listTurns({ runId, order: 'desc', limit: 2 }, { signal }),
    { touches: (event) => event.type === 'turn.created' && isTurnOf(event, project, runId), restMs: 2000 },
  )
  return data?.turns.find(({ open }) => !open)?.answer
}

function useLastLine({ id, project, runId }: Run, isWanted: boolean): string | undefined {
  const size = useRef<number>(undefined)
  const { data } = useRead(
    isWanted ? `${project}/${runId}` : '',
    async (signal) => {
      const from = (after: number) => clientOf(project).readContent({ runId, after: Math.max(0, after) }, { signal })
      const before = size.current ?? (await from(farAway)).next
      const read = await from(before - tailBytes)
      // A content that was replaced may be shorter.
      const { text, next } = read.next < before ? await from(read.next - tailBytes) : read
      size.current = next
      // A carriage return begins the line again, as in progress bars.
      return plainOf(text)
        .trimEnd()
        .split(/[\r\n]/)
        .at(-1)
        ?.trim()
    },
    { touches: (event: Event) => event.subjectId === id && 'content' in event.changes, restMs: 2000 },
  )
  return data
}
