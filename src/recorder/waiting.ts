import type { Seen, Step, TurnEnd } from '../agents/seen.ts'
import { type Draft, isEmpty, newDraft, promptedDraft } from '../agents/turn.ts'
import type { Stepped } from './call.ts'
import type { Facts } from './facts.ts'
import type { Memo } from './memo.ts'
import { turned } from './turn.ts'

/**
 * Whether a message was sent while the agent worked, so that only the transcript tells which answer is whose: the agent
 * may take it up at once, or answer the message before first.
 */
export const isWaiting = ({ draft, held }: Memo, { turn }: Seen, { told, trees }: Facts): boolean =>
  !held &&
  !trees.isLeft &&
  told.turns !== undefined &&
  draft !== undefined &&
  !isEmpty(draft) &&
  turn !== undefined &&
  turn === draft.turn

/** Holds the turn on which the agent works, and begins that of the message. */
export function hold(
  { memo, calls }: Stepped,
  seen: Seen & { step: Step & { kind: 'prompt' } },
  { at }: Facts,
): Stepped {
  const { draft: held, ...rest } = memo
  const begun = promptedDraft(undefined, seen, at, held?.plan ?? held?.kept)
  return { memo: { ...rest, ...(held && { held }), draft: begun }, calls }
}

/** Ends the turn that is held. What was done since the message came was still part of it. */
export function heldEnded(before: Stepped, end: TurnEnd & { at: number }, facts: Facts): Stepped {
  const { held, draft, ...memo } = before.memo
  if (!held || !draft) return before
  const after = turned({ ...before, memo: { ...memo, draft: joined(held, draft) } }, end, facts)
  const { startedAt, prompt, turn } = draft
  const next = {
    ...newDraft(startedAt, after.memo.plan),
    ...(prompt !== undefined && { prompt }),
    ...(turn && { turn }),
  }
  return { ...after, memo: { ...after.memo, draft: next } }
}

/** One turn from its two parts. */
function joined(one: Draft, other: Draft): Draft {
  const names = [...new Set([...one.tools, ...other.tools].map(({ name }) => name))]
  const plan = other.plan ?? one.plan
  const compactions = (one.compactions ?? 0) + (other.compactions ?? 0)
  return {
    ...one,
    at: other.at,
    tools: names.map((name) => [...one.tools, ...other.tools].filter((tool) => tool.name === name).reduce(added)),
    files: [...new Set([...one.files, ...other.files])],
    commands: [...one.commands, ...other.commands],
    agents: [...one.agents, ...other.agents],
    ...(plan && { plan }),
    ...(compactions > 0 && { compactions }),
  }
}

type Tool = Draft['tools'][number]

const added = (one: Tool, other: Tool): Tool => {
  const sum = (field: 'failed' | 'refused') => (one[field] ?? 0) + (other[field] ?? 0)
  const open = [...(one.open ?? []), ...(other.open ?? [])]
  return {
    name: one.name,
    count: one.count + other.count,
    ...(sum('failed') > 0 && { failed: sum('failed') }),
    ...(sum('refused') > 0 && { refused: sum('refused') }),
    ...(open.length > 0 && { open }),
  }
}
