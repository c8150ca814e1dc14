import type { ComponentChildren } from 'preact'
import { spanOf } from '../../contract/span.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { useWhom } from '../data/lists/whose.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import { Visible } from '../ui/text.tsx'

/** The current tool and its target. */
export function Doing({ run: { activity, where } }: { run: Pick<Run, 'activity' | 'where'> }) {
  const { tool, target } = activity ?? {}
  if (!tool) return null
  return (
    <span class="doing">
      <b>{tool}</b>{' '}
      {target && (
        <code title={target}>
          <Visible text={within(where?.cwd, target)} />
        </code>
      )}
    </span>
  )
}

/** A path without the folder of the run. */
const within = (cwd: string | undefined, target: string) =>
  cwd !== undefined && target.startsWith(`${cwd}/`) ? target.slice(cwd.length + 1) : target

/** What it does or waits for, and since when. */
export function StandingWords({ run, now, isAsking }: Omit<StandingProps, 'whom'>) {
  const { look, icon, words, meaning } = standingOf({ run, now, isAsking, whom: useWhom(run.author) })
  const turnMs = turnMsOf(run, now)
  return (
    <span class={`silence ${look}`} title={meaning}>
      <Icon name={icon} />
      {words}
      {turnMs !== undefined && <span class="muted">{spanOf(turnMs)} in this turn</span>}
    </span>
  )
}

interface SessionStanding {
  look: 'working' | 'waiting' | 'idle' | 'quiet-too-long'
  icon: IconName
  words: ComponentChildren
  meaning: string
}

const working = { look: 'working', icon: 'activity' } as const
const idle = { look: 'idle', icon: 'clock' } as const
/** A run that does not say what it does counts as at work until it has been silent for so long. */
const workingMs = 5 * 60_000

interface StandingProps {
  run: Run
  /** In milliseconds since 1970. */
  now: number
  /** Whether its last answer asks. */
  isAsking?: boolean
  /** The person for whom it may wait. */
  whom?: string | undefined
}

/** How a live run stands, in words. */
export function standingOf({ run, now, isAsking = false, whom }: StandingProps): SessionStanding {
  const silentMs = Math.max(0, now - heardAt(run))
  const forMs = run.activity ? Math.max(0, now - Date.parse(run.activity.since)) : 0
  const state = run.activity?.state
  if (state === 'waiting' || isAsking) {
    const meaning = isAsking ? 'Its last answer asks' : 'The agent waits for an answer or a permission'
    const words = (
      <span>
        waiting{whom && ' for '}
        {whom && <bdi>{whom}</bdi>}, {spanOf(forMs)}
      </span>
    )
    return { look: 'waiting', icon: 'warn', words, meaning }
  }
  if (silentMs > patienceMs(run)) {
    const meaning = 'Silent for more than half its lease'
    return { look: 'quiet-too-long', icon: 'warn', words: `silent ${spanOf(silentMs)}`, meaning }
  }
  if (state === 'idle') return { ...idle, words: `idle ${spanOf(forMs)}`, meaning: 'Between turns' }
  if (state === 'working') return { ...working, words: `working, ${spanOf(forMs)}`, meaning: 'Time in this step' }
  const words = silentMs < 5000 ? 'writing now' : `silent ${spanOf(silentMs)}`
  const manner = silentMs < workingMs ? working : idle
  return { ...manner, words, meaning: 'Time since its last activity' }
}

/** How long the turn has lasted, if that is longer than its current step. */
function turnMsOf({ activity }: Run, now: number): number | undefined {
  const { since, turnSince } = activity ?? {}
  return turnSince === undefined || turnSince === since ? undefined : Math.max(0, now - Date.parse(turnSince))
}

const heardAt = (run: Run) => Math.max(Date.parse(run.lastSeenAt ?? run.createdAt), Date.parse(run.updatedAt))

/** Half the duration of the lease, counted from the last heartbeat. A run without a lease may be silent forever. */
function patienceMs({ leaseExpiresAt, lastSeenAt }: Run): number {
  if (leaseExpiresAt === null || lastSeenAt === null) return Number.POSITIVE_INFINITY
  return (Date.parse(leaseExpiresAt) - Date.parse(lastSeenAt)) / 2
}
