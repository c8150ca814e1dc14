import { hash } from 'node:crypto'
import { ConductError } from '../../contract/error.ts'
import { type Ctx, inTx } from '../../frame/ctx.ts'
import { expired, tokenHash } from '../../nouns/run/lease.ts'
import type { OpenTurn } from '../../nouns/run/turn-fields.ts'
import type { ActivityInput } from '../../nouns/run/work-fields.ts'
import { operations } from '../../operations/operations.ts'
import type { Seen, SeenUsage } from '../../recorder/agents/seen.ts'
import { activityOf, againMs, leaseSecondsOf, settleMs } from '../../recorder/agents/tools.ts'
import { cut, isoOf } from '../../recorder/agents/turn.ts'
import { loadPrices } from '../../recorder/agents/usage.ts'
import { memoOf } from '../../recorder/earlier.ts'
import { type Facts, reportAlone, type SessionCall } from '../../recorder/facts.ts'
import type { Memo } from '../../recorder/memo.ts'
import { shownTurn, unfinished } from '../../recorder/open.ts'
import { close, isOpen, overtakenMs, step } from '../../recorder/step.ts'
import { reportedFrom } from '../../system/paths.ts'
import { type HookSession, keepHookSession, openHookSession, type SilentSession } from './session.ts'

/** The most ids of reports to keep: two hooks may send the same one. */
const mostIds = 100
/** How long before the end of its lease to end the turn of a silent session, in milliseconds. */
const beforeLeaseMs = 5_000

/** What is stored of a session. */
interface StoredMemo extends Memo {
  ids: string[]
  /** Its last prompt or end of a turn, if that had no id, and when it came. */
  heard?: { digest: string; at: number }
  /** What it does, as its last hook says. */
  doing?: ActivityInput
  /** It waits, and its run does not show that yet: something else than a person may answer. */
  isHeld?: true
}

interface OpenSession {
  ctx: Ctx
  kept: HookSession
  memo: StoredMemo
}

/** Loads what a report needs, before its transaction. */
export const pricesFor = async ({ step }: Seen): Promise<Facts['price']> =>
  step.kind === 'turn' && step.usage !== undefined ? loadPrices() : (usage: SeenUsage) => usage

/**
 * Records what a hook reports about a session, in one transaction. Its texts are already masked. A report that no
 * longer fits its run, because someone else has ended it or taken it over, is dropped.
 */
export function tell(ctx: Ctx, seen: Seen, price: Facts['price']): Promise<void> {
  return inTx(ctx, async (ctx) => {
    const kept = await openHookSession(ctx, seen.agent, seen.session)
    const { isHeld: wasHeld, doing: before, heard, ...memo } = storedIn(kept, ctx)
    const { kind } = seen.step
    // Reports of two waits for the same thing do not differ, and the same wait twice does no harm.
    const id = kind === 'wait' || kind === 'resume' ? undefined : seen.id
    if (id !== undefined && memo.ids.includes(id)) return
    const isOfTurn = kind === 'prompt' || kind === 'turn'
    const at = Date.parse(ctx.now)
    const anew = isOfTurn && id === undefined ? { digest: hash('sha256', JSON.stringify(seen)), at } : undefined
    if (anew && anew.digest === heard?.digest && Math.abs(at - heard.at) < againMs) return
    if (id !== undefined) memo.ids = [...memo.ids, id].slice(-mostIds)
    const session = { ctx, kept, memo }
    if (kind === 'prompt') await reopen(session)
    // A session without a prompt has done nothing yet.
    if (kind !== 'prompt' && kept.runId === null) return
    const after = step(session.memo, seen, factsOf(ctx, session.memo, seen, price))
    for (const call of after.calls) await make(session, call)
    // A tool may end after its turn. Work that an agent begins by itself starts with another report.
    const isLate = kind === 'tool' && before?.state === 'idle' && !unfinished(after.memo)
    const doing = isLate ? before : kind === 'prompt' ? undefined : activityOf(seen.step, ctx.now, before)
    // A report that says nothing of the wait leaves it.
    const isHeld = doing ? doing.state === 'waiting' : wasHeld === true && kind !== 'prompt'
    if (doing && !isHeld) await live(session, doing, openTurnOf(after.memo, seen))
    Object.assign(kept, {
      memo: {
        ...after.memo,
        ids: memo.ids,
        heard: isOfTurn ? anew : heard,
        ...(kind !== 'prompt' && { doing: doing ?? before }),
        ...(isHeld && { isHeld }),
      },
      dueAt: isHeld ? isoOf(at + settleMs) : dueAfter(after.memo, ctx, doing),
    })
    await keepHookSession(ctx, kept)
  })
}

/** Does what is due for a session: shows that it waits, or ends it because it stays silent. */
export function attend({ ctx, agent, session }: SilentSession): Promise<void> {
  return inTx(ctx, async (ctx) => {
    const kept = await openHookSession(ctx, agent, session)
    if (kept.dueAt === null || kept.dueAt > ctx.now) return
    const { isHeld, ...memo } = storedIn(kept, ctx)
    if (!isHeld || !memo.doing) return endSilent(ctx, kept, memo, { agent, session })
    await live({ ctx, kept, memo }, memo.doing)
    await keepHookSession(ctx, { ...kept, memo, dueAt: dueAfter(memo, ctx, memo.doing) })
  })
}

/** Ends the turn of a session that stays silent, and the session. */
async function endSilent(
  ctx: Ctx,
  kept: HookSession,
  { ids, ...memo }: StoredMemo,
  whose: Pick<Seen, 'agent' | 'session'>,
) {
  const seen: Seen = { ...whose, cwd: '', step: { kind: 'end', failure: expired } }
  const facts = factsOf(ctx, memo, seen, (usage) => usage)
  const closing = memo.closing ?? { at: facts.at, failure: expired }
  const after = close({ ...memo, closing }, facts)
  for (const call of after.calls) await make({ ctx, kept, memo: { ids } }, call)
  await keepHookSession(ctx, { ...kept, memo: { ...after.memo, ids }, dueAt: null })
}

/** The stored memo. Earlier versions stored the ids of reports as `told`, and did not say that the run had begun. */
function storedIn({ memo, runId }: HookSession, { now }: Ctx): StoredMemo {
  const { told, ids = Array.isArray(told) ? told : [], ...rest } = (memo ?? {}) as StoredMemo
  return { ...memoOf(rest, Date.parse(now)), ...(runId === null ? { begun: false } : { begun: true }), ids }
}

/** A report that waited for the one before it began earlier, but tells of what came later. */
const factsOf = (
  { now }: Ctx,
  { startedAt = 0, draft }: Pick<Memo, 'startedAt' | 'draft'>,
  { agent, cwd, session }: Seen,
  price: Facts['price'],
): Facts => ({
  ...reportAlone,
  at: Math.max(Date.parse(now), startedAt, draft?.at ?? 0),
  agent,
  run: { where: { ...(cut(cwd, 1_000) && { cwd: cut(cwd, 1_000) }), session: cut(session, 200) } },
  price,
})

/** Continues the run of a resumed session. If it belongs to someone else by now, the session gets a new one. */
async function reopen(session: OpenSession): Promise<void> {
  const { kept, memo } = session
  const input = { status: 'in_progress' as const, leaseSeconds: leaseSecondsOf({ state: 'working' }) }
  if (
    kept.runId !== null &&
    (await unlessLost(session, (ctx, runId) => operations.updateRun(ctx, { runId, ...input })))
  ) {
    memo.ended = false
    return
  }
  Object.assign(kept, { runId: null, leaseHash: null })
  session.memo = { ids: memo.ids, ...(memo.model !== undefined && { model: memo.model }) }
}

async function make(session: OpenSession, { operation, input }: SessionCall): Promise<void> {
  const { ctx, kept } = session
  if (operation === 'createRun') {
    const { run, lease } = await operations.createRun(ctx, input)
    Object.assign(kept, { runId: run.runId, leaseHash: lease ? tokenHash(lease.token) : null })
    return
  }
  // The ledger counts the turns of a run that others write to as well.
  const { n: _, ...fields } = input
  await unlessLost<unknown>(session, (ctx, runId) => {
    if (operation === 'appendTurn') return operations.appendTurn(ctx, { runId, ...fields })
    if (operation === 'updateRun') return operations.updateRun(ctx, { runId, ...fields })
    return operations.createCheck(ctx, { runId, ...fields } as Parameters<typeof operations.createCheck>[1])
  })
}

/** Updates the activity and the open turn of the run, and renews its lease for as long as the step may take. */
const live = (session: OpenSession, activity: ActivityInput, turn?: OpenTurn) =>
  unlessLost(session, (ctx, runId) =>
    operations.heartbeat(ctx, { runId, activity, turn, leaseSeconds: leaseSecondsOf(activity) }),
  )

/** What stands so far of the open turn. The ledger has its number. Paths are those from the folder of the session. */
function openTurnOf(memo: Memo, { cwd }: Seen): OpenTurn | undefined {
  const turn = unfinished(memo)
  return turn && { ...shownTurn(turn, (files) => files.map((file) => reportedFrom(cwd, file))), n: undefined }
}

/** When to end the turn that is still open, if nothing else comes. */
function dueAfter(memo: Memo, { now }: Ctx, activity: ActivityInput | null | undefined): string | null {
  const at = Date.parse(now)
  if (memo.closing) return isoOf(memo.closing.at + overtakenMs)
  if (!isOpen(memo) || memo.ended) return null
  return isoOf(at + 1_000 * leaseSecondsOf(activity ?? { state: 'working' }) - beforeLeaseMs)
}

/** Does something with the run of the session; undefined if it has none, or another holder has taken it over. */
async function unlessLost<T>(
  { ctx, kept: { runId, leaseHash } }: OpenSession,
  work: (ctx: Ctx, runId: string) => Promise<T>,
): Promise<T | undefined> {
  if (runId === null) return undefined
  try {
    return await work({ ...ctx, ...(leaseHash !== null && { leaseHash }) }, runId)
  } catch (error) {
    if (error instanceof ConductError && ['LEASE_LOST', 'LEASE_HELD', 'CONFLICT', 'NOT_FOUND'].includes(error.code)) {
      return undefined
    }
    throw error
  }
}
