import type { CheckResult } from '../../nouns/run/check/fields.ts'
import type { LastRun as Last, Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { Icon, type IconName } from './icon.tsx'
import { plainLine } from './text.tsx'
import { Ago } from './time.tsx'

/** The label, icon and colour of a state. */
export interface Appearance {
  word: string
  icon: IconName
  tone: 'quiet' | 'busy' | 'good' | 'bad' | 'doubt'
}

export const statusLooks: Record<Run['status'], Appearance> = {
  pending: { word: 'Pending', icon: 'clock', tone: 'quiet' },
  in_progress: { word: 'In progress', icon: 'activity', tone: 'busy' },
  completed: { word: 'Completed', icon: 'check', tone: 'good' },
  failed: { word: 'Failed', icon: 'cross', tone: 'bad' },
}

export const verdictLooks: Record<Run['verdict'], Appearance & { meaning: string }> = {
  unchecked: { word: 'Unchecked', icon: 'dash', tone: 'quiet', meaning: 'No check was recorded.' },
  failing: { word: 'Failing', icon: 'cross', tone: 'bad', meaning: 'A check failed.' },
  warned: { word: 'Warned', icon: 'warn', tone: 'doubt', meaning: 'A check warns.' },
  stale: { word: 'Stale', icon: 'clock', tone: 'doubt', meaning: 'The work changed after it was checked.' },
  verified: { word: 'Verified', icon: 'check', tone: 'good', meaning: 'All checks pass.' },
}

/** Worst result first. */
export const results: CheckResult[] = ['fail', 'warn', 'pass']

export const resultLooks: Record<CheckResult, Appearance> = {
  pass: { word: 'Pass', icon: 'check', tone: 'good' },
  fail: { word: 'Fail', icon: 'cross', tone: 'bad' },
  warn: { word: 'Warn', icon: 'warn', tone: 'doubt' },
}

/** A state that only a newer server knows gets a look of its own, named as the server does: `On hold` for `on_hold`. */
export function lookOf(
  looks: Readonly<Record<string, Appearance & { meaning?: string }>>,
  state: string,
): Appearance & { meaning?: string } {
  const known = Object.hasOwn(looks, state) ? looks[state] : undefined
  const word = state.slice(0, 1).toUpperCase() + state.slice(1).replaceAll('_', ' ')
  return known ?? { word, icon: 'dash', tone: 'quiet' }
}

export function Badge({ look, title }: { look: Appearance; title?: string }) {
  return (
    <span class={`badge ${look.tone}`} title={title}>
      <Icon name={look.icon} />
      {look.word}
    </span>
  )
}

const waitingLook: Appearance = { word: 'Waiting', icon: 'warn', tone: 'doubt' }

/** An agent that vanished, and let its lease expire, looks different from a failure, and a run that waits for a person from one that works. */
export function Status({ run }: { run: Pick<Run, 'status' | 'failure'> & Partial<Pick<Run, 'activity'>> }) {
  const { state, tool, target } = run.activity ?? {}
  if (state === 'waiting') {
    const what = [tool, target].filter(Boolean).join(' ')
    return <Badge look={waitingLook} title={`The agent waits for an answer${what && `: ${what}`}`} />
  }
  const look = lookOf(statusLooks, run.status)
  const isLost = run.failure?.code === 'LEASE_EXPIRED'
  return <Badge look={isLost ? { ...look, word: 'Vanished' } : look} title={run.failure?.message} />
}

export function Verdict({ run }: { run: Pick<Run, 'verdict'> & Partial<Pick<Run, 'why'>> }) {
  const look = lookOf(verdictLooks, run.verdict)
  return <Badge look={look} title={plainLine(run.why ?? look.meaning ?? '')} />
}

/** Whether its verdict says something: work that ended without a check must not look like verified work. */
export const saysVerdict = ({ verdict, status }: { verdict: Run['verdict']; status: string | null }): boolean =>
  verdict !== 'unchecked' || status === 'completed'

/** How a run stands in a badge: by its verdict once it has completed, by its status otherwise. */
export const Outcome = ({
  run,
}: {
  run: Parameters<typeof Status>[0]['run'] & Parameters<typeof Verdict>[0]['run']
}) => (run.status === 'completed' ? <Verdict run={run} /> : <Status run={run} />)

/** The newest run of a feature or a project: how it stands, and its time. */
export function LastRun({ project, run }: { project: string; run: Last | null }) {
  if (run === null) return <span class="muted small">No run yet</span>
  return (
    <span class="last-run">
      <a href={href(['runs', project, run.runId])}>{run.runId}</a>
      <Outcome run={{ ...run, failure: null }} />
      <Ago at={run.createdAt} />
    </span>
  )
}
