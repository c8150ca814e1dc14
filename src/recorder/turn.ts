import { firstLine } from '../contract/lines.ts'
import type { Git } from '../nouns/run/work-fields.ts'
import { defined } from './agents/fields.ts'
import type { SeenFailure, SeenUsage, Transcript, TurnEnd } from './agents/seen.ts'
import { leaseSeconds } from './agents/tools.ts'
import { type Draft, failureAfter, isEmpty, isoOf, newDraft, usageOf as toldUsage, turnOf } from './agents/turn.ts'
import { aboutTurn } from './agents/turn-about.ts'
import { plus, tokensOf, usageBetween } from './agents/usage.ts'
import { unsureChecks } from './check.ts'
import { type Facts, type SessionWork, type Stepped, stricter, withCall } from './facts.ts'
import type { Memo } from './memo.ts'
import type { RecordRules } from './trees.ts'
import { gitAfter, reportedAs, unknownWork } from './work.ts'

interface Start {
  at: number
  prompt: string | undefined
}

/** Starts a run for a new session, or reopens the run of a resumed one. */
export function begun(before: Stepped, { at, prompt }: Start, facts: Facts): Stepped {
  const { memo } = before
  const lease = { leaseSeconds: leaseSeconds.working }
  const now = { begun: true, ended: false }
  if (memo.begun) {
    return memo.ended ? withCall(before, 'updateRun', { status: 'in_progress', ...lease }, now) : before
  }
  const { agent, run } = facts
  const { base } = memo
  // What differs from the commit at the beginning is not the session's.
  const isKnown = base?.commitTree !== undefined
  const git = gitAfter(memo, base, isKnown ? { ...unmoved, uncommitted: { count: 0, paths: [] } } : undefined, [])
  const input = {
    title: titleOf(rulesFor(memo, facts), prompt, agent),
    agent,
    ...run,
    ...(git && { git }),
    ...(memo.checks && { required: memo.checks.required }),
    startedAt: isoOf(at),
    ...lease,
  }
  return withCall(before, 'createRun', input, {
    ...now,
    startedAt: at,
    ...(git && { told: reportedAs(nothing, git, base) }),
  })
}

const nothing = { commits: [] }
const unmoved = { isForeign: false, isCheckout: false }

/** What to record of the current turn: what the rules allow now, and allowed while it lasted. */
export const rulesFor = (memo: Memo, { rules }: Facts) => stricter(rules, memo.rules)

/** The title of a session's run, from its first prompt. */
export const titleOf = ({ prompts }: RecordRules, prompt: string | undefined, agent: string): string =>
  (prompts && firstLine(prompt ?? '', 70)) || `A session of ${agent}`

/** The end of a turn, sent under its number; nothing if nothing happened. */
export function turned(before: Stepped, end: TurnEnd & { at: number }, facts: Facts): Stepped {
  const draft = withSaid(before.memo.draft ?? newDraft(end.at, before.memo.plan), facts.reported)
  const isSaid = before.memo.begun && end.answer !== undefined
  if (isEmpty(draft) && !isSaid && end.failure === undefined) return before
  const started = unlessUnseen(begun(before, { at: draft.startedAt, prompt: draft.prompt }, facts), facts)
  const { memo } = started
  const { reported, trees, work, moved } = facts
  const { filesOmitted, restored, changes, uncredited } = work
  const git = gitAfter(memo, trees.now, moved, work.commits)
  const n = (memo.n ?? 0) + 1
  const usage = usageOf(memo, end.usage, facts)
  const { answers, prompts, changes: changesText } = rulesFor(memo, facts)
  const seen = turnOf(draft, { ...end, ...(usage && { usage }), ...(memo.model && { model: memo.model }) }, reported)
  const model = seen.model ?? memo.usage?.model
  const turn = {
    n,
    ...seen,
    ...(isUsageLost(end, facts) && model !== undefined && { usage: { model } }),
    ...(!answers && { answer: undefined }),
    ...(!prompts && { prompt: undefined }),
    ...(work.files.length > 0 && { files: work.files }),
    ...defined({ filesOmitted, restored, changes, uncredited }),
    ...(git && { git: ofTurn(git, work.commits) }),
  }
  const { draft: _, commands, edits, failure: __, interrupted: ___, ...rest } = memo
  const laterEdits = edits?.filter((at) => at > end.at)
  const plan = draft.plan ?? draft.kept
  const left = [...(memo.left ?? []), ...(draft.begun ?? []).map(({ id }) => id)].slice(-mostLeft)
  const next: Memo = {
    ...rest,
    ...(laterEdits?.length && { edits: laterEdits }),
    ...(left.length > 0 && { left }),
    ...(git && memo.told && { told: reportedAs(memo.told, git, trees.now) }),
    ...ownAfter(work),
    ...(work.diff &&
      work.own?.length && { owed: [...(memo.owed ?? []), { ...work.diff, n, isWithheld: !changesText }] }),
    n,
    ...(plan && { plan }),
    ...(reported.usage && { usage: reported.usage }),
    ...(end.failure && { failure: end.failure }),
    ...(end.interrupted && { interrupted: true }),
  }
  return unsureChecks(withCall({ ...started, memo: next }, 'appendTurn', turn), commands, facts)
}

/** The state at the end of a turn, which has its own commits only. The run adds them to those of earlier turns. */
const ofTurn = ({ commits: _, ...git }: Git, commits: string[]): Git => ({
  ...git,
  ...(commits.length > 0 && { commits }),
})

/** Says that nobody knows the files of the run, where the session may have changed them and no tree shows how. */
function unlessUnseen(before: Stepped, { trees: { now, cut = [] } }: Facts): Stepped {
  const { memo } = before
  const { commands = [], edits = [], told: reported } = memo
  const git = now || commands.length + edits.length + cut.length === 0 ? undefined : unknownWork(memo)
  if (!git || !reported) return before
  return withCall(before, 'updateRun', { git }, { told: reportedAs(reported, git, undefined) })
}

/** How many files and unended commands of a session to remember. */
const [mostOwn, mostLeft] = [20_000, 100]

/** What to remember of the files of a session. */
export const ownAfter = ({
  own = [],
  undone = [],
  changes,
  diff,
  origin,
}: SessionWork): Pick<Memo, 'own' | 'undone' | 'isCut' | 'last' | 'origin'> => ({
  own: own.slice(-mostOwn),
  undone: undone.slice(-mostOwn),
  ...(changes && { isCut: true }),
  ...(origin && { origin }),
  ...(diff && 'after' in diff && { last: { root: diff.root, tree: diff.after } }),
})

/**
 * The draft with what no hook reports of its user's words: the command that began it, as it was typed, and when, and the
 * messages to the agent at work.
 */
function withSaid(draft: Draft, { turn }: Transcript): Draft {
  const { prompt, startedAt = 0, said = [] } = turn ?? {}
  if (draft.prompt !== undefined) return { ...draft, prompt: [draft.prompt, ...said].join('\n\n') }
  return prompt?.startsWith('!') ? { ...draft, prompt, startedAt: Math.min(startedAt, draft.startedAt) } : draft
}

/** The usage of the turn: as its hook reports it, else the growth of the transcript's totals. */
function usageOf(memo: Memo, said: SeenUsage | undefined, { reported, price }: Facts): SeenUsage | undefined {
  if (said) return price({ ...(memo.model !== undefined && { model: memo.model }), ...said })
  const used = reported.usage && usageBetween(memo.usage, reported.usage)
  const own = reported.turn?.usage
  // The transcript knows the model of each request, so it has the cost if there is one.
  return used && used.costUsd === undefined && own && tokensOf(own) === tokensOf(used) ? own : used
}

/** Whether a failure says that nobody reported the end of the turn. */
export const isLost = (failure: SeenFailure | undefined): boolean =>
  failure?.code === 'AGENT_GONE' || failure?.code === 'LEASE_EXPIRED'

/** Whether nobody knows what a turn used: its agent was gone before it said so, or a transcript is too large to be read. */
const isUsageLost = ({ failure, usage }: TurnEnd, { reported }: Facts): boolean =>
  (isLost(failure) || reported.isTooLarge === true) && (usage ?? reported.usage) === undefined

/** Ends the turns that are held, or the first so many of them, as the transcript says that they ended. */
export function release(before: Stepped, facts: Facts, count = Number.POSITIVE_INFINITY): Stepped {
  const { held = [], draft, ...memo } = before.memo
  const [first, ...others] = held
  if (!first || count === 0) return before
  const { work: done, ...turn } = first
  const reported = aboutTurn(facts.reported, { ...turn, at: turn.startedAt }) ?? {}
  const how = defined({ answer: reported.answer, failure: reported.failure, interrupted: reported.interrupted })
  const at = (others[0] ?? draft)?.startedAt ?? facts.at
  // The totals are those of the turns after it, too.
  const usage = reported.turn?.usage ? plus(memo.usage, reported.turn.usage) : facts.reported.usage
  const work = done ? { ...done, own: memo.own ?? [], undone: memo.undone ?? [] } : facts.work
  const after = turned(
    { ...before, memo: { ...memo, draft: turn } },
    { ...how, at },
    { ...facts, work, reported: { ...facts.reported, ...reported, ...(usage && { usage }) } },
  )
  const rest = { ...(others.length > 0 && { held: others }), ...(draft && { draft }) }
  return release({ ...after, memo: { ...after.memo, ...rest } }, facts, count - 1)
}

/** What is known about a turn that ended without a hook. */
interface LeftOpen {
  at: number
  failure?: SeenFailure | undefined
  /** If missing, the transcript decides. */
  interrupted?: boolean | undefined
  /** Why the turn failed, if the transcript would show an interruption and shows none. */
  unended?: SeenFailure
}

/** What is known of such a turn once its transcript has an answer at its end: it ended well, and when. */
export function foundEnd(known: LeftOpen, { draft }: Memo, { reported: { turn } }: Facts): LeftOpen {
  const isEnded = turn?.isEnded && turn.answer !== undefined && !turn.failure && !turn.interrupted
  // The transcript may lack the turn, and have an earlier one with the same prompt.
  const isFound = isEnded && draft !== undefined && draft.at <= turn.at
  return isFound && isLost(known.failure) ? { at: turn.at, interrupted: false } : known
}

/** Ends a turn without a hook: it failed, its user interrupted it, or the next message came while the agent worked. */
export function leftOpen(start: Stepped, known: LeftOpen, facts: Facts): Stepped {
  const before = release(start, facts)
  const { draft } = before.memo
  if ((!draft || isEmpty(draft)) && !known.failure) return before
  const { reported } = facts
  // What an agent does on its own ends with its session.
  const isUnended = draft?.prompt !== undefined && reported.turn?.isEnded !== true
  const isUnreported = known.interrupted === undefined && !reported.interrupted && isUnended
  const unended = isUnreported && reported.tellsInterruptions && reported.turn ? known.unended : undefined
  const failure = failureOf(reported, known) ?? unended
  const isInterrupted = known.interrupted ?? reported.interrupted ?? isUnended
  const how = failure ? { failure } : isInterrupted ? { interrupted: true as const } : {}
  const words = failure || reported.answer === undefined ? {} : { answer: reported.answer }
  return turned(before, { ...how, ...words, at: known.at }, facts)
}

/** If both say how the turn ended, the transcript knows more. */
const failureOf = (reported: Transcript, known: LeftOpen): SeenFailure | undefined =>
  reported.failure ?? (reported.interrupted ? undefined : known.failure)

/** The end of a session, with the final totals of its transcript. */
export function ended(start: Stepped, at: number, facts: Facts): Stepped {
  if (!start.memo.begun || start.memo.ended) return { ...start, memo: { ...start.memo, ended: true } }
  const before = unsureChecks(start, start.memo.commands, facts)
  const { memo } = before
  const { reported } = facts
  const failure = failureAfter(memo.failure, memo.interrupted) ?? memo.outcome
  const { usage } = reported
  const total = usage && { ...(memo.model !== undefined && { model: memo.model }), ...usage }
  const end = {
    status: failure ? 'failed' : 'completed',
    ...(failure && { failure }),
    // Otherwise, the run keeps the sum of its turns.
    ...(total && !memo.hasPast && { usage: toldUsage(total) }),
    endedAt: isoOf(at),
  }
  return withCall(before, 'updateRun', end, { ended: true, ...(usage && { usage }) })
}
