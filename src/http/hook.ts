import { activityOf, leaseSeconds, leaseSecondsOf } from '../agents/activity.ts'
import { estimateCost } from '../agents/cost.ts'
import type { Failure, Seen, Step } from '../agents/seen.ts'
import {
  cut,
  type Draft,
  type Ending,
  failureAfter,
  isEmpty,
  isQueued,
  newDraft,
  promptedDraft,
  turnOf,
  withStep,
} from '../agents/turn.ts'
import { ConductError } from '../api/error.ts'
import { firstLine } from '../ledger/turn.ts'
import { type Ctx, inTx } from '../store/ctx.ts'
import { type HookSession, keepHookSession, openHookSession } from '../store/hook/session.ts'
import { operations } from '../store/operations.ts'

/** The state of a session between two hooks. */
interface Memo {
  draft?: Draft | undefined
  model?: string | undefined
  /** The failure of its last turn. */
  failure?: Failure | undefined
  /** Whether its user interrupted its last turn. */
  interrupted?: true | undefined
  /** The ids of the latest documents, because two hooks may send the same one. */
  told: string[]
}

const mostTold = 100

interface Session {
  ctx: Ctx
  seen: Seen
  /** When the document arrived, in milliseconds since 1970. */
  at: number
  kept: HookSession
  memo: Memo
}

/**
 * Records what a hook reports about a session, in one transaction. Its texts are already masked. A report that no
 * longer fits its run, because someone else has ended it or taken it over, is dropped.
 */
export function tell(ctx: Ctx, seen: Seen): Promise<void> {
  return inTx(ctx, async (ctx) => {
    const kept = await openHookSession(ctx, seen.agent, seen.session)
    const memo = (kept.memo as Memo | null) ?? { told: [] }
    if (seen.id !== undefined && memo.told.includes(seen.id)) return
    if (seen.id !== undefined) memo.told = [...memo.told, seen.id].slice(-mostTold)
    memo.model = seen.model ?? memo.model
    await take({ ctx, seen, at: Date.parse(ctx.now), kept, memo }, seen.step)
    await keepHookSession(ctx, { ...kept, memo })
  })
}

async function take(session: Session, step: Step): Promise<void> {
  const { memo, kept, at } = session
  if (step.kind === 'prompt') {
    const isInterrupted = !isQueued(session.seen, memo.draft)
    if (memo.draft && !isEmpty(memo.draft)) await endTurn(session, { at, ...(isInterrupted && { interrupted: true }) })
    memo.draft = promptedDraft(memo.draft, session.seen, at, memo.draft?.kept)
    return begin(session, step.text)
  }
  // A session without a prompt has done nothing yet.
  if (kept.runId === null) return
  if (step.kind === 'end') return end(session, step)
  if (step.kind === 'turn') await endTurn(session, { ...step, at })
  else memo.draft = withStep(memo.draft ?? newDraft(at), step, at)
  await live(session, step)
}

/** Updates the activity of the run, and renews its lease for as long as the step may take. */
async function live(session: Session, step: Step): Promise<void> {
  const activity = activityOf(step, session.ctx.now)
  if (activity)
    await unlessLost(session, (held) =>
      operations.heartbeat(session.ctx, { ...held, activity, leaseSeconds: leaseSecondsOf(activity) }),
    )
}

/** Starts a run, or reopens that of a resumed session. */
async function begin(session: Session, prompt: string): Promise<void> {
  const { ctx, kept, memo, seen } = session
  memo.failure = undefined
  memo.interrupted = undefined
  const going = { status: 'in_progress' as const, leaseSeconds: leaseSeconds.working }
  const again = await unlessLost(session, (held) => operations.updateRun(ctx, { ...held, ...going }))
  if (again) return
  const { run, lease } = await operations.createRun(ctx, {
    title: firstLine(prompt, 70) || `A session of ${seen.agent}`,
    agent: seen.agent,
    where: { ...(cut(seen.cwd, 1_000) && { cwd: cut(seen.cwd, 1_000) }), session: cut(seen.session, 200) },
    startedAt: ctx.now,
    leaseSeconds: leaseSeconds.working,
  })
  kept.runId = run.runId
  kept.leaseToken = lease?.token ?? null
}

async function endTurn(session: Session, ending: Ending): Promise<void> {
  const { ctx, memo, at } = session
  const draft = memo.draft ?? newDraft(at)
  if (isEmpty(draft) && ending.answer === undefined && ending.failure === undefined) return
  const usage = ending.usage && (await estimateCost({ ...(memo.model && { model: memo.model }), ...ending.usage }))
  const turn = turnOf(draft, { ...ending, ...(usage && { usage }), ...(memo.model && { model: memo.model }) })
  await unlessLost(session, (held) => operations.appendTurn(ctx, { ...held, ...turn }))
  const kept = draft.plan ?? draft.kept
  memo.draft = kept && newDraft(at, kept)
  memo.failure = ending.failure
  memo.interrupted = ending.interrupted
}

async function end(session: Session, { failure, interrupted }: Step & { kind: 'end' }): Promise<void> {
  const { ctx, memo, at } = session
  const isOpen = memo.draft !== undefined && !isEmpty(memo.draft)
  if (isOpen) await endTurn(session, { at, ...(failure ? { failure } : { interrupted: interrupted ?? true }) })
  const why = failureAfter(failure ?? memo.failure, memo.interrupted)
  await unlessLost(session, (held) =>
    operations.updateRun(ctx, {
      ...held,
      ...(why ? { status: 'failed', failure: why } : { status: 'completed' }),
      endedAt: ctx.now,
    }),
  )
}

/** Does something with the run of the session; undefined if it has none, or another holder has taken it over. */
async function unlessLost<T>(
  { kept: { runId, leaseToken } }: Session,
  work: (held: { runId: string; leaseToken?: string }) => Promise<T>,
): Promise<T | undefined> {
  if (runId === null) return undefined
  try {
    return await work({ runId, ...(leaseToken !== null && { leaseToken }) })
  } catch (error) {
    if (error instanceof ConductError && ['LEASE_LOST', 'LEASE_HELD', 'CONFLICT', 'NOT_FOUND'].includes(error.code)) {
      return undefined
    }
    throw error
  }
}
