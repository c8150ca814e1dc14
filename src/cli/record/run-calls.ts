import { hostname } from 'node:os'
import { leaseSeconds } from '../../agents/activity.ts'
import { estimateCost } from '../../agents/cost.ts'
import type { Told, TurnEnd, Usage } from '../../agents/seen.ts'
import { cut, failureAfter, isEmpty, newDraft, turnOf, usageBetween } from '../../agents/turn.ts'
import { firstLine, mostCommits } from '../../ledger/turn.ts'
import { newCall } from '../../spool/calls.ts'
import { authorOf } from '../place/git.ts'
import { type RecordRules, stricter } from '../place/rules.ts'
import { type Snapshot, snapshot } from '../place/tree.ts'
import { unsureChecks } from './check-calls.ts'
import { gitOf } from './live-work.ts'
import type { Memo } from './memo.ts'
import { ownWork } from './own-work.ts'
import type { Session, Settled } from './session.ts'

const isoOf = (ms: number) => new Date(ms).toISOString()

/** Starts a run for a new session, or reopens the run of a resumed one. */
export function begun(
  session: Session,
  settled: Settled,
  { at, prompt }: { at: number; prompt: string | undefined },
): Settled {
  const { calls, memo } = settled
  if (memo.begun && !settled.ended) return settled
  const lease = { leaseSeconds: leaseSeconds.working }
  const next = memo.begun
    ? newCall('updateRun', { status: 'in_progress', ...lease })
    : // The session's own key: also a machine that forgot the session does not make a second run of it.
      newCall('createRun', { ...runOf(session, memo, prompt), startedAt: isoOf(at), ...lease }, session.recording.name)
  const told = memo.begun || !memo.base ? {} : { told: { tree: memo.base.tree, commits: [] } }
  return { calls: [...calls, next], memo: { ...memo, ...told, begun: true }, ended: false }
}

/** What to record of the current turn: what the rules allow now, and allowed while it lasted. */
const rulesFor = ({ rules }: Session, memo: Memo) => stricter(rules, memo.rules)

function runOf(session: Session, memo: Memo, prompt: string | undefined) {
  const { agent, recording } = session
  const { base } = memo
  const { cwd } = recording
  const author = cut(authorOf(cwd), 200)
  return {
    title: titleOf(rulesFor(session, memo), prompt, agent),
    agent,
    ...(author && { author }),
    where: { host: hostname(), cwd: cut(cwd, 1_000), ...(recording.session && { session: recording.session }) },
    ...(base && { git: { ...base.git, ...(base.git.commit && { base: base.git.commit }) } }),
  }
}

/** The title of a session's run, from its first prompt. */
export const titleOf = ({ prompts }: RecordRules, prompt: string | undefined, agent: string): string =>
  (prompts && firstLine(prompt ?? '', 70)) || `A session of ${agent}`

/** What the transcript has used at the first prompt of a session: that of a fork, or one that was not recorded before. */
export async function usedBefore(session: Session, memo: Memo, at: number): Promise<Pick<Memo, 'usage' | 'hasPast'>> {
  const { usage } = memo.begun ? {} : await session.transcript(at)
  return usage ? { usage, hasPast: true } : {}
}

/** How a turn ended. */
export interface Ended extends TurnEnd {
  at: number
  /** The working tree at that time; if missing, it is taken now. */
  now?: Snapshot | undefined
  /** When the next prompt came, if one did. */
  until?: number | undefined
}

/** The end of a turn, sent under its number; undefined if nothing happened. */
export async function turned(session: Session, before: Settled, end: Ended): Promise<Settled> {
  const draft = before.memo.draft ?? newDraft(end.at, before.memo.plan)
  const isSaid = before.memo.begun && end.answer !== undefined
  if (isEmpty(draft) && !isSaid && end.failure === undefined) return before
  const { calls, memo } = begun(session, before, { at: draft.startedAt, prompt: draft.prompt })
  const told = await session.transcript(end.until)
  const n = (memo.n ?? 0) + 1
  const usage = await usageOf(told, memo.usage, end.usage, memo.model)
  const rules = rulesFor(session, memo)
  const texts = { ...(!rules.answers && { answer: undefined }), ...(!rules.prompts && { prompt: undefined }) }
  const { work, moved } = workOf(session, memo, draft, end)
  const turn = { n, ...turnOf(draft, { ...end, usage, model: memo.model }, told), ...texts, ...work }
  const { draft: _, commands: __, failure: ___, interrupted: ____, ...rest } = memo
  const { failure, interrupted } = end
  const plan = draft.plan ?? draft.kept
  const next = {
    ...rest,
    ...moved,
    n,
    ...(plan && { plan }),
    ...(told.usage && { usage: told.usage }),
    ...(failure && { failure }),
    ...(interrupted && { interrupted }),
  }
  const settled = { calls: [...calls, newCall('appendTurn', turn)], memo: next, ended: false }
  return unsureChecks(session, settled, told)
}

/** The usage of the turn: as its hook reports it, else the growth of the transcript's totals. */
async function usageOf(
  told: Told,
  before: Usage | undefined,
  said: Usage | undefined,
  model: string | undefined,
): Promise<Usage | undefined> {
  const used = said ?? (told.usage && usageBetween(before, told.usage))
  return used && estimateCost({ ...(model !== undefined && { model }), ...used })
}

/** The git state at the end of a turn, what the session changed, and what its run says afterwards. */
function workOf(
  { state, recording, objects }: Session,
  memo: Settled['memo'],
  draft: { startedAt: number; files: string[] },
  end: Ended,
) {
  const { name, cwd } = recording
  const { base, commands = [] } = memo
  const now = end.now ?? snapshot(cwd, objects)
  const { files, commits } = ownWork({
    state,
    name,
    cwd,
    files: draft.files,
    commands,
    base,
    now,
  })
  const work = { ...(files.length > 0 && { files }), ...(now && { git: gitOf(now, base, commits) }) }
  return { work, moved: toldAfter(memo, now, commits) }
}

/** The memo once a turn has reported that tree and the commits made in it. */
function toldAfter({ told }: Memo, now: Snapshot | undefined, commits: string[]): Pick<Memo, 'told'> {
  if (told === undefined || now === undefined) return {}
  const all = [...new Set([...told.commits, ...commits])].slice(-mostCommits)
  return { told: { tree: now.tree, commits: all, ...(told.isChecked && { isChecked: true }) } }
}

/** The end of a session, with the final totals of its transcript, until the next prompt if there is one. */
export async function ended(session: Session, settled: Settled, at: number, until?: number): Promise<Settled> {
  const { calls, memo } = settled
  if (!memo.begun || settled.ended) return { ...settled, ended: true }
  const failure = failureAfter(memo.failure, memo.interrupted)
  const { usage } = await session.transcript(until)
  const total = usage && (await estimateCost({ ...(memo.model !== undefined && { model: memo.model }), ...usage }))
  const end = {
    status: failure ? 'failed' : 'completed',
    ...(failure && { failure }),
    // Otherwise, the run keeps the sum of its turns.
    ...(total && !memo.hasPast && { usage: total }),
    endedAt: isoOf(at),
  }
  return { calls: [...calls, newCall('updateRun', end)], memo: { ...memo, ...(usage && { usage }) }, ended: true }
}
