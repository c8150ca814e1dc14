import { defined } from './agents/fields.ts'
import type { Seen, SeenFailure, Step, TurnEnd } from './agents/seen.ts'
import { mayWrite } from './agents/tools.ts'
import { hasBegun, isEmpty, isQueued, newDraft, promptedDraft, withStep } from './agents/turn.ts'
import { checksOf, withBegun } from './check.ts'
import { type Facts, type RanLine, type Stepped, stricter, withCall } from './facts.ts'
import { type Memo, withApart, withSession, withVersion } from './memo.ts'
import { opened } from './open.ts'
import type { Trees } from './trees.ts'
import { begun, ended, foundEnd, leftOpen, release, turned } from './turn.ts'
import { heldEnd, heldEnded, hold, isWaiting } from './waiting.ts'
import { isMoved, type Use, withWork } from './work.ts'

/** The failure of a turn during which the agent's process ended. */
export const gone: SeenFailure = { code: 'AGENT_GONE', message: "The agent's process ended before the turn did." }

/** How long after the end of a session the hook of its last turn may still come, in milliseconds. */
export const overtakenMs = 3_000

/** Whether something has happened since the last turn ended. */
export const isOpen = ({ draft }: Memo): boolean => draft !== undefined && !isEmpty(draft)

/**
 * What a report about a session means: its next state, and the calls to make. Hooks run concurrently, so the end of a
 * session may overtake that of its last turn. Then `closing` is set, and `close` ends both if the turn's hook never comes.
 */
export function step(before: Memo, seen: Seen, facts: Facts): Stepped {
  return opened(entered(stepped(before, seen, facts), facts), facts)
}

function stepped(before: Memo, seen: Seen, facts: Facts): Stepped {
  const memo = withSession(before, seen, facts.reported)
  const { step } = seen
  const isLate = memo.closing !== undefined && (step.kind === 'turn' || step.kind === 'end')
  const start = isLate ? { memo, calls: [] } : close(memo, facts)
  switch (step.kind) {
    case 'prompt':
      return isWaiting(start.memo, seen, facts)
        ? hold(start, { ...seen, step }, facts)
        : prompted(start, seen, step, facts)
    case 'turn':
      return overtaken(turnEnded(start, seen, step, facts), before, facts)
    case 'end':
      return sessionEnded(start, step, facts)
    case 'outcome':
      return { ...start, memo: withOutcome(start.memo, step.failure) }
    case 'begin':
      return { ...start, memo: withBegun(drafted(start.memo, step, facts.at), seen.cwd, step, facts) }
    case 'tool':
      return used(start, seen, step, facts)
    default:
      return { ...start, memo: drafted(start.memo, step, facts.at) }
  }
}

/**
 * Goes on in the other working tree that the session has entered. Its run says so with the next work. The rules stay those of
 * the beginning. What it did where it was before is work in another working tree now.
 */
function entered(after: Stepped, { apart, trees }: Facts): Stepped {
  const { entered: now, checks } = trees
  if (!now) return after
  const { last: _, origin: __, told: reported, first = after.memo.base, ...memo } = after.memo
  const { at: ___, ...before } = reported ?? { tree: now.tree, commits: [] }
  const rules = memo.checks && checks ? { ...memo.checks, home: checks.home } : checks
  return {
    ...after,
    memo: {
      ...memo,
      ...withApart(after.memo, apart),
      base: first?.root === now.root ? first : now,
      ...(first && { first }),
      ...(memo.own && { undone: memo.own.map((path) => ({ path })) }),
      ...(reported && { told: before }),
      ...(rules && { checks: rules }),
    },
  }
}

/** Ends a session whose end was seen, and its last turn, which no hook ended. */
export function close(memo: Memo, facts: Facts): Stepped {
  const { closing, ...rest } = withVersion(memo, facts.reported.version)
  if (!closing) return { memo, calls: [] }
  const end = foundEnd(closing, rest, facts)
  return ended(leftOpen({ memo: rest, calls: [] }, { ...end, unended: gone }, facts), end.at, facts)
}

function prompted(start: Stepped, seen: Seen, step: Step & { kind: 'prompt' }, facts: Facts): Stepped {
  const { at, trees } = facts
  const { draft } = start.memo
  const isLeft = trees.isLeft && isOpen(start.memo)
  const how = isLeft ? { failure: gone } : isQueued(seen, draft) ? { interrupted: false } : {}
  const before = leftOpen(start, foundEnd({ at, ...how }, start.memo, facts), facts)
  const { rules: _, outcome: __, ...rest } = before.memo
  const base = rest.base ?? trees.now
  // What the transcript has used at the first prompt is that of a fork, or of a session that was not recorded before.
  const { usage } = rest.begun ? {} : facts.reported
  const memo: Memo = {
    ...rest,
    ...(usage && { usage, hasPast: true }),
    ...(base && { base }),
    ...checksAt(rest, trees),
    ...(trees.rules && { rules: trees.rules }),
    ...(trees.mail !== undefined && { mail: trees.mail }),
    draft: promptedDraft(rest.draft, { ...seen, step }, at, rest.plan),
  }
  return begun({ ...before, memo }, { at, prompt: step.text }, facts)
}

/** The rules at the beginning of a session, or of a resumed one that has not changed them itself. */
function checksAt({ begun, ended, checks, own = [] }: Memo, trees: Trees): Pick<Memo, 'checks'> {
  const isKept = begun && checks && (!ended || own.some((path) => path.endsWith('conduct.json')))
  return isKept || !trees.checks ? {} : { checks: trees.checks }
}

function turnEnded(start: Stepped, seen: Seen, step: Step & { kind: 'turn' }, facts: Facts): Stepped {
  const { rules, checks } = facts.trees
  const memo = {
    ...start.memo,
    ...(rules && { rules: stricter(rules, start.memo.rules) }),
    ...(!start.memo.begun && checks && { checks }),
  }
  const before = { ...start, memo }
  const end = { ...step, ...wordsOf(step, facts), at: facts.at }
  const place = heldEnd(memo, seen, facts)
  return place < 0 ? turned(release(before, facts), end, facts) : heldEnded(before, place, end, facts)
}

/** How a turn ended whose hook does not say it. Of another turn than the last, the transcript must know which it is. */
function wordsOf({ answer, failure, interrupted }: TurnEnd, { isFollowed, reported }: Facts): TurnEnd {
  if (answer !== undefined || failure || interrupted || (isFollowed && !reported.turn)) return {}
  if (reported.turn?.failure && reported.failure) return { failure: reported.failure }
  if (reported.turn?.interrupted) return { interrupted: true }
  return reported.answer === undefined ? {} : { answer: reported.answer }
}

/** Ends the session whose end came before the end of this turn, also if nobody waited for that any more. */
function overtaken(after: Stepped, before: Memo, facts: Facts): Stepped {
  const { closing, ...memo } = after.memo
  const isReopened = before.ended && !isOpen(before) && !memo.ended
  return closing || isReopened ? ended({ ...after, memo }, closing?.at ?? facts.at, facts) : after
}

function sessionEnded(start: Stepped, step: Step & { kind: 'end' }, facts: Facts): Stepped {
  const { at } = facts
  const { failure, interrupted } = step
  if (!isOpen(start.memo)) return ended(leftOpen(start, { at, failure, interrupted }, facts), at, facts)
  const how = { failure: step.isGone ? gone : failure, interrupted, cut: facts.trees.cut, now: facts.trees.now }
  return { ...start, memo: { ...start.memo, closing: start.memo.closing ?? defined({ at, ...how }) } }
}

function used(start: Stepped, seen: Seen, step: Step & { kind: 'tool' }, facts: Facts): Stepped {
  const { at, trees } = facts
  const from = trees.began ?? at - (step.durationMs ?? at - (start.memo.draft?.at ?? at))
  const { commands = [], edits = [], background = [] } = start.memo
  const memo: Memo = {
    ...usedIn(start.memo, step, at),
    ...withApart(start.memo, facts.apart),
    ...(step.command && !step.refused && { commands: [...commands, { from, to: at, ...trees }].slice(-500) }),
    ...(step.command === undefined && !step.refused && mayWrite(step) && { edits: [...edits, at].slice(-100) }),
    ...(step.goesOn && step.id !== undefined && { background: [...background, step.id].slice(-100) }),
    ...(facts.leavesProcess && { leavesProcess: true }),
  }
  const use = { cwd: seen.cwd, trees, step }
  const line = lineOf(memo, use, facts)
  const writes = !step.refused && (line ? line.writes : mayWrite(step))
  const isBefore = line?.checks.some(({ isLast }) => isLast)
  const before = withWork({ ...start, memo }, use, facts.moved)
  const changed = writes && isBefore ? withoutTree(before) : before
  const checked = checksOf(changed, use, facts)
  return writes && !isBefore ? withoutTree(checked) : checked
}

/** What a command line did, where no tree shows it. */
const lineOf = (memo: Memo, { cwd, trees, step }: Use, { line }: Facts): RanLine | undefined =>
  step.command !== undefined && memo.base === undefined
    ? line({ cwd: trees.cwd ?? cwd, trees, command: step.command }, step.exitCode)
    : undefined

/** Says that the work may have changed, if the run has a check and no tree shows it. */
const withoutTree = (before: Stepped): Stepped =>
  before.memo.isChecked && before.memo.begun && !before.memo.ended && before.memo.base === undefined
    ? withCall(before, 'updateRun', { touched: true })
    : before

function withOutcome({ outcome: _, ...memo }: Memo, failure: SeenFailure | undefined): Memo {
  return { ...memo, ...(failure && { outcome: failure }) }
}

/** The memo with the use of a tool in the turn in which it began. A turn that has ended has it already. */
function usedIn(memo: Memo, step: Step & { kind: 'tool' }, at: number): Memo {
  const { id } = step
  const { left = [], held = [] } = memo
  if (id !== undefined && left.includes(id)) return memo
  const turn = held.find((one) => id !== undefined && hasBegun(one, id))
  return turn
    ? {
        ...memo,
        held: held.map((one) =>
          one === turn ? { ...withStep(one, step, at), ...(one.work && { work: one.work }) } : one,
        ),
      }
    : drafted(memo, step, at)
}

const drafted = (memo: Memo, step: Step, at: number): Memo => ({
  ...memo,
  draft: withStep(memo.draft ?? newDraft(at, memo.plan), step, at),
})

/** Whether a step needs the working tree as it is now, because its hook did not take it. */
export function needsTree(memo: Memo, { step }: Seen, trees: Trees): boolean {
  if (trees.now !== undefined) return false
  if (step.kind === 'turn') return true
  if (step.kind === 'prompt') return memo.base === undefined || isOpen(memo)
  return step.kind === 'tool' && isMoved(memo, { trees, step })
}

/** Whether a step needs the transcript. */
export function needsTranscript(memo: Memo, { step }: Seen, { home }: Trees): boolean {
  if (step.kind === 'prompt') return isOpen(memo) || memo.closing !== undefined || !memo.begun
  if (step.kind === 'tool') return home !== undefined && step.command !== undefined && step.exitCode === undefined
  return step.kind === 'turn' || (step.kind === 'end' && !isOpen(memo))
}
