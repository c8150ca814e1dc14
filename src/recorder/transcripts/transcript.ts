import { defined } from '../agents/fields.ts'
import type { SeenUsage, Step, Transcript, TranscriptTurn } from '../agents/seen.ts'
import { estimateCost, plus, rounded, tokensOf, totalOf } from '../agents/usage.ts'
import type { Moment } from './moment.ts'

/** How many turns to keep, and how many unreported tools, blocked commands and messages of each. */
const most = { turns: 100, unheard: 1_000, blocked: 100, said: 100 }

/** A turn, with its requests by their ids. */
interface Open {
  turn: TranscriptTurn
  requests: Map<unknown, SeenUsage>
  /** Whether anything was done in it, and whether only by subagents. */
  isWorked: boolean
  isOwn: boolean
}

interface TranscriptState {
  turns: Open[]
  open: Open | undefined
  requests: Map<unknown, SeenUsage>
  /** The ids of those after the agent's own total. */
  later: Set<unknown>
  sum?: SeenUsage
  model?: string
  version?: string
  commands: NonNullable<Transcript['commands']>
  subagents: NonNullable<Transcript['subagents']>
}

/** Sums up a transcript: its totals, and each of its turns. */
export async function transcriptOf(moments: AsyncIterable<Moment>): Promise<Transcript> {
  const state: TranscriptState = {
    turns: [],
    open: undefined,
    requests: new Map(),
    later: new Set(),
    commands: {},
    subagents: [],
  }
  for await (const moment of moments) take(state, moment)
  const { model, version, subagents, commands } = state
  const usage = await usageOf(state)
  close(state)
  const turns: TranscriptTurn[] = []
  for (const { turn, requests } of state.turns) turns.push(await priced(turn, [...requests.values()]))
  // Subagents may go on when the agent itself rests.
  const last = state.turns.findLast(({ isOwn }) => isOwn)?.turn
  const { answer, failure, interrupted } = last ?? {}
  return defined({
    usage: usage && defined({ model, ...usage }),
    ...{ answer, failure, interrupted, version },
    commands: Object.keys(commands).length > 0 ? commands : undefined,
    subagents: subagents.length > 0 ? subagents : undefined,
    turns: turns.length > 0 ? turns : undefined,
    written: last && { isWhole: last.isEnded, ...(last.at > 0 && { at: last.at }) },
  }) as Transcript
}

function take(state: TranscriptState, moment: Moment) {
  const { at, step, request, sum, subagent, session, commands, blocked } = moment
  if (moment.begins && state.open?.turn.prompt === undefined && state.open) own(state.open, moment)
  else if (moment.begins) begin(state, moment)
  if (session?.version !== undefined) state.version = session.version
  if (subagent) state.subagents.push(subagent)
  if (sum) {
    state.sum = sum
    state.later.clear()
  }
  if (request) takeRequest(state, at, request)
  if (commands) {
    Object.assign(state.commands, commands)
    const { turn } = state.open ?? {}
    if (turn) turn.commands = { ...turn.commands, ...commands }
  }
  if (blocked !== undefined && state.open) {
    const { turn } = state.open
    turn.blocked = [...(turn.blocked ?? []), blocked].slice(-most.blocked)
  }
  if (step) takeStep(state, moment, step)
}

/** A turn begins, unless one has begun that did not do anything yet. */
function begin(state: TranscriptState, moment: Moment): Open {
  const { open } = state
  if (open && !open.isWorked && open.turn.prompt === undefined) return own(open, moment)
  close(state)
  const { at } = moment
  state.open = { turn: { startedAt: at, at, isEnded: false }, requests: new Map(), isWorked: false, isOwn: false }
  return own(state.open, moment)
}

function own(open: Open, { turn: id }: Moment): Open {
  open.isOwn = true
  if (id !== undefined) open.turn.id = id
  return open
}

/** Ends the turn that is open. A command to the agent itself, such as /clear, is no turn. */
function close(state: TranscriptState) {
  const { open } = state
  state.open = undefined
  if (!open || (!open.isWorked && !open.turn.isEnded && /^[/!]\S/.test(open.turn.prompt ?? ''))) return
  state.turns.push(open)
  if (state.turns.length > most.turns) state.turns.shift()
}

function takeRequest(state: TranscriptState, at: number, { id, usage, bySubagent }: NonNullable<Moment['request']>) {
  if (!state.requests.has(id)) state.later.add(id)
  state.requests.set(id, usage)
  if (!bySubagent) state.model = usage.model ?? state.model
  // The last request of a turn may be repeated after its end.
  const last = state.open ?? state.turns.at(-1)
  const open = last?.requests.has(id) ? last : work(state, at, bySubagent !== true)
  open.requests.set(id, usage)
  if (!bySubagent && usage.model !== undefined) open.turn.model = usage.model
}

/** The turn in which something is done, by the agent itself or a subagent. */
function work(state: TranscriptState, at: number, isOwn: boolean): Open {
  const before = state.open
  const open = before ?? begin(state, { at })
  if (!before) open.isOwn = false
  open.isOwn ||= isOwn
  open.isWorked = true
  open.turn.at = at
  return open
}

function takeStep(state: TranscriptState, moment: Moment, step: Step) {
  const { at, sentAt = at } = moment
  if (step.kind === 'prompt' && moment.isWithin && state.open) {
    const { turn } = state.open
    turn.said = [...(turn.said ?? []), step.text].slice(-most.said)
  } else if (step.kind === 'prompt') {
    const { turn } = begin(state, moment)
    Object.assign(turn, { prompt: step.text, promptAt: Math.min(sentAt, at), at })
  } else if (step.kind === 'turn') {
    const { kind: _, goesOn: __, usage: ___, ...how } = step
    // An error may be written twice.
    const isAgain = !state.open && how.failure !== undefined && state.turns.at(-1)?.turn.failure !== undefined
    if (isAgain) return
    const { turn } = state.open ?? begin(state, moment)
    Object.assign(turn, how, { at, isEnded: moment.isUnsure !== true })
    close(state)
  } else if (step.kind !== 'compact' || state.open) {
    const isOwn = step.kind === 'compact' || (step.kind === 'tool' && step.by === undefined)
    const { turn } = work(state, at, isOwn)
    if (moment.isUnheard && step.kind === 'tool') turn.unheard = withUse(turn.unheard, step, at)
  }
}

const withUse = (before: Unheard = [], { kind: _, ...use }: Step & { kind: 'tool' }, at: number) =>
  before.length < most.unheard ? [...before, { ...use, at }] : before

type Unheard = NonNullable<TranscriptTurn['unheard']>

async function priced({ model, ...turn }: TranscriptTurn, requests: SeenUsage[]): Promise<TranscriptTurn> {
  const total = await totalOf(requests)
  return defined({ ...turn, model, usage: total && defined({ model, ...total }) }) as TranscriptTurn
}

/** The totals of the session: the agent's own with what was used later, unless they cover only a part. */
async function usageOf({ requests, later, sum }: TranscriptState): Promise<SeenUsage | undefined> {
  const counted = await totalOf([...requests.values()])
  const rest = [...later].flatMap((id) => requests.get(id) ?? [])
  // A total of a single model names it.
  const priced = sum?.model === undefined ? sum : await estimateCost(sum)
  const whole = priced && withLater(priced, await totalOf(rest))
  return whole && tokensOf(whole) >= (counted ? tokensOf(counted) : 0) ? whole : counted
}

/** A total with what was used after it, whose cost is an estimate. */
function withLater(sum: SeenUsage, later: SeenUsage | undefined): SeenUsage {
  if (!later) return sum
  const { costUsd: before, costSource: _, ...tokens } = sum
  const { costUsd: after, costSource: __, ...more } = later
  const costUsd = before === undefined || after === undefined ? undefined : rounded(before + after)
  return { ...(plus(tokens, more) as SeenUsage), ...(costUsd !== undefined && { costUsd, costSource: 'estimated' }) }
}
