import type { TurnFields } from '../../api/turn.ts'
import { totalOf } from '../cost.ts'
import type { KeptItem } from '../plan.ts'
import { withoutSecrets } from '../secrets.ts'
import type { Failure, Step, Told, TurnEnd, Usage } from '../seen.ts'
import { type Draft, draftAfter, isEmpty, newDraft, turnOf, withStep } from '../turn.ts'
import type { Moment } from './moment.ts'

/** A turn from a transcript, in the form that hooks would have sent. */
export interface PastTurn {
  turn: TurnFields
  /** The changed files, as the agent names them. */
  files: string[]
  session: NonNullable<Moment['session']>
  /** Nothing in the transcript ends it, so it may still be in progress. */
  isOpen?: true
}

/** The state between two turns. */
interface State {
  draft: Draft | undefined
  plan?: KeptItem[] | undefined
  session: NonNullable<Moment['session']>
  requests: Map<unknown, Usage>
  told: Required<Pick<Told, 'commands' | 'subagents'>>
  at: number
}

/** Groups moments into turns, each returned once it is over. `mask` removes the secrets from a text. */
export async function* turnsOf(
  moments: AsyncIterable<Moment>,
  mask: (text: string) => Promise<string>,
): AsyncGenerator<PastTurn> {
  const state: State = {
    ...{ draft: undefined, session: {}, requests: new Map(), at: 0 },
    told: { commands: {}, subagents: [] },
  }
  for await (const moment of moments) {
    // It has no place in the run.
    if (moment.at === 0) continue
    state.at = moment.at
    Object.assign(state.session, moment.session)
    if (moment.request) state.requests.set(moment.request.id, moment.request.usage)
    if (moment.subagent) state.told.subagents.push(moment.subagent)
    Object.assign(state.told.commands, moment.commands)
    if (moment.step) yield* stepped(state, await withoutSecrets(moment.step, mask))
  }
  // Nobody was left to end it.
  const last = await leftOpen(state, { failure: gone })
  if (last) yield { ...last, isOpen: true }
}

async function* stepped(state: State, step: Step): AsyncGenerator<PastTurn> {
  const { at } = state
  if (step.kind === 'turn') {
    const turn = await turned(state, step)
    if (turn) yield turn
    return
  }
  if (step.kind === 'prompt') {
    const turn = await leftOpen(state, { interrupted: true })
    if (turn) yield turn
    state.draft = draftAfter(state.draft, at, state.plan)
  }
  state.draft = withStep(state.draft ?? newDraft(at, state.plan), step, at)
}

/** The failure of a turn that nothing in the transcript ends. */
const gone: Failure = { code: 'AGENT_GONE', message: "The agent's process ended before the turn did." }

/** Ends a turn without an end. Work that the agent started itself just ended. */
async function leftOpen(state: State, how: TurnEnd): Promise<PastTurn | undefined> {
  const { draft } = state
  if (!draft || isEmpty(draft)) return undefined
  // A command of the agent itself or for its shell, such as /clear, is not work.
  if (/^[/!]\S+(?: |$)/.test(draft.prompt ?? '') && draft.tools.length + state.requests.size === 0) {
    state.draft = undefined
    return undefined
  }
  return turned(state, draft.prompt === undefined ? {} : how)
}

async function turned(state: State, end: TurnEnd): Promise<PastTurn | undefined> {
  const { draft = newDraft(state.at, state.plan), told, session, requests } = state
  const isSaid = end.answer !== undefined && requests.size > 0
  if (isEmpty(draft) && !isSaid && end.failure === undefined) return undefined
  const used = [...requests.values()]
  const total = await totalOf(used)
  const model = used.findLast((usage) => usage.model !== undefined)?.model
  const usage = total && { ...(model !== undefined && { model }), ...total }
  const turn = turnOf(
    draft,
    { ...end, at: state.at, ...(usage && { usage }), ...(model !== undefined && { model }) },
    told,
  )
  state.plan = draft.plan ?? draft.kept
  state.draft = undefined
  state.requests = new Map()
  state.told = { commands: {}, subagents: [] }
  return { turn, files: draft.files, session: { ...session } }
}
