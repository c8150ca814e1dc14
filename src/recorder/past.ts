import type { TurnFields } from '../nouns/run/turn-fields.ts'
import { withoutSecrets } from './agents/secrets.ts'
import type { Seen, SeenUsage, Step, Transcript } from './agents/seen.ts'
import { totalOf } from './agents/usage.ts'
import { type Facts, reportAlone } from './facts.ts'
import type { Memo } from './memo.ts'
import { close, gone, isOpen, step } from './step.ts'
import type { Moment } from './transcripts/moment.ts'
import type { Written } from './transcripts/written.ts'

/** A turn from a transcript, in the form that hooks would have sent. */
export interface PastTurn {
  turn: TurnFields
  /** The changed files, as the agent names them. */
  files: string[]
  /** What its tools wrote and when, in milliseconds since 1970, if the moments have contents. */
  written: (Written & { at: number })[]
  session: NonNullable<Moment['session']>
  /** Nothing in the transcript ends it, so it may still be in progress. */
  isOpen?: true
}

/** The state between two moments. */
interface PastState {
  memo: Memo
  session: NonNullable<Moment['session']>
  /** The requests to the model since the last turn. */
  requests: Map<unknown, SeenUsage>
  reported: Required<Pick<Transcript, 'commands' | 'subagents'>>
  /** What tools wrote since then. */
  written: PastTurn['written']
  at: number
}

/** Groups moments into turns, each returned once it is over. `mask` removes the secrets from a text. */
export async function* turnsOf(
  moments: AsyncIterable<Moment>,
  mask: (text: string) => Promise<string>,
): AsyncGenerator<PastTurn> {
  const state: PastState = {
    ...{ memo: { begun: true }, session: {}, requests: new Map(), at: 0, written: [] },
    reported: { commands: {}, subagents: [] },
  }
  for await (const moment of moments) {
    // It has no place in the run.
    if (moment.at === 0) continue
    state.at = moment.at
    Object.assign(state.session, moment.session)
    if (moment.request) state.requests.set(moment.request.id, moment.request.usage)
    if (moment.subagent) state.reported.subagents.push(moment.subagent)
    Object.assign(state.reported.commands, moment.commands)
    if (moment.step) yield* stepped(state, await withoutSecrets(moment.step, mask))
    for (const one of moment.written ?? []) state.written.push({ ...one, at: moment.at })
  }
  yield* leftOpen(state)
}

/** The turn that a step ends, if it ends one. */
async function* stepped(state: PastState, given: Step): AsyncGenerator<PastTurn> {
  if (given.kind === 'prompt') dropOwnCommand(state)
  const usage = await usedIn(state)
  const seen = seenOf(given.kind === 'turn' ? endOf(state, given, usage) : given, usage)
  yield* taken(state, step(state.memo, seen, factsOf(state, usage)))
}

/** What an agent says without a request to its model is not its own. */
function endOf(
  { memo, requests }: PastState,
  { answer, ...end }: Step & { kind: 'turn' },
  usage: SeenUsage | undefined,
): Step {
  const isSaid = answer !== undefined && (requests.size > 0 || isOpen(memo))
  return { ...end, ...(isSaid && { answer }), ...(usage && { usage }) }
}

const seenOf = (step: Step, usage: SeenUsage | undefined): Seen => ({
  ...{ agent: '', session: '', cwd: '', step },
  ...(usage?.model !== undefined && { model: usage.model }),
})

/** The last turn, if nothing in the transcript ends it: nobody was left to do so. Work that the agent began itself just ended. */
async function* leftOpen(state: PastState): AsyncGenerator<PastTurn> {
  dropOwnCommand(state)
  if (!isOpen(state.memo)) return
  const facts = factsOf(state, await usedIn(state))
  const closing = { at: state.at, ...(state.memo.draft?.prompt !== undefined && { failure: gone }) }
  for await (const turn of taken(state, close({ ...state.memo, closing }, facts))) yield { ...turn, isOpen: true }
}

/** A command of the agent itself or for its shell, such as /clear, is not work. */
function dropOwnCommand(state: PastState): void {
  const { draft, ...memo } = state.memo
  if (!draft || !/^[/!]\S+(?: |$)/.test(draft.prompt ?? '')) return
  if (draft.tools.length + state.requests.size === 0) state.memo = memo
}

async function* taken(state: PastState, after: ReturnType<typeof step>): AsyncGenerator<PastTurn> {
  const files = state.memo.draft?.files ?? []
  // The usage is that of the turn alone, so the next one has nothing to subtract.
  const { usage: _, ...memo } = after.memo
  state.memo = memo
  for (const { operation, input } of after.calls) {
    if (operation !== 'appendTurn' || input.open) continue
    const { n: __, ...turn } = input
    state.requests = new Map()
    state.reported = { commands: {}, subagents: [] }
    const { written } = state
    state.written = []
    yield { turn: turn as TurnFields, files, written, session: { ...state.session } }
  }
}

/** What the requests since the last turn used, with its cost if each of their models has a price. */
async function usedIn({ requests }: PastState): Promise<SeenUsage | undefined> {
  const used = [...requests.values()]
  const total = await totalOf(used)
  const model = used.findLast((usage) => usage.model !== undefined)?.model
  return total && { ...(model !== undefined && { model }), ...total }
}

const factsOf = ({ at, reported }: PastState, usage: SeenUsage | undefined): Facts => ({
  ...reportAlone,
  at,
  agent: '',
  reported: { ...reported, ...(usage && { usage }) },
})
