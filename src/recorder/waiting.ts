import type { Seen, Step, TurnEnd } from './agents/seen.ts'
import { type Draft, isEmpty, most, mostFiles, newDraft, promptedDraft } from './agents/turn.ts'
import { turnAbout } from './agents/turn-about.ts'
import type { Facts, Stepped } from './facts.ts'
import type { Memo, TurnWork } from './memo.ts'
import { ownAfter, release, turned } from './turn.ts'

/**
 * Whether a message was sent while the agent worked, so that only the transcript tells which answer is whose: the agent
 * may take it up at once, or answer the messages before first.
 */
export const isWaiting = ({ draft }: Memo, { turn }: Seen, { reported, trees }: Facts): boolean =>
  !trees.isLeft &&
  reported.turns !== undefined &&
  draft !== undefined &&
  !isEmpty(draft) &&
  turn !== undefined &&
  turn === draft.turn

/** Holds the turn on which the agent works, and begins that of the message. */
export function hold(
  { memo, calls }: Stepped,
  seen: Seen & { step: Step & { kind: 'prompt' } },
  { at, work }: Facts,
): Stepped {
  const { draft, held = [], commands: _, ...rest } = memo
  const begun = promptedDraft(undefined, seen, at, draft?.plan ?? draft?.kept)
  const { own: __, undone: ___, origin: ____, ...done } = work
  const all = draft ? [...held, { ...draft, work: done }] : held
  return { memo: { ...rest, ...ownAfter(work), held: all, draft: begun }, calls }
}

/**
 * The place among the held turns of the one that ends, by the transcript, which does not have the last message yet; -1
 * if it is not among them.
 */
export function heldEnd({ held = [] }: Memo, { turn }: Seen, { reported }: Facts): number {
  if (reported.turn) return -1
  return held.findLastIndex((one) => {
    const { id = turn, isEnded = false } = turnAbout(reported.turns, { ...one, at: one.startedAt }) ?? {}
    return isEnded && id === turn
  })
}

/** Ends the held turn at that place, and those before it. What was done since the next message came was still part of it. */
export function heldEnded(start: Stepped, place: number, end: TurnEnd & { at: number }, facts: Facts): Stepped {
  const before = release(start, facts, place)
  const { held = [], draft, ...memo } = before.memo
  const parts: Draft[] = [...held, ...(draft ? [draft] : [])]
  const work = { ...facts.work, ...[...held.flatMap(({ work }) => work ?? []), facts.work].reduce(together) }
  const after = turned({ ...before, memo: { ...memo, draft: parts.reduce(joined) } }, end, { ...facts, work })
  const waiting = parts.slice(1).map(({ startedAt, prompt, turn }) => ({
    ...newDraft(startedAt, after.memo.plan),
    ...(prompt !== undefined && { prompt }),
    ...(turn && { turn }),
  }))
  const last = waiting.pop()
  const next = { ...(waiting.length > 0 && { held: waiting }), ...(last && { draft: last }) }
  return { ...after, memo: { ...after.memo, ...next } }
}

/** One turn from its two parts, with no more of each than a draft keeps. */
export function joined(one: Draft, other: Draft): Draft {
  const names = [...new Set([...one.tools, ...other.tools].map(({ name }) => name))].slice(0, most.tools)
  const plan = other.plan ?? one.plan
  const compactions = (one.compactions ?? 0) + (other.compactions ?? 0)
  const begun = [...(one.begun ?? []), ...(other.begun ?? [])].slice(-most.commands)
  return {
    ...one,
    at: other.at,
    tools: names.map((name) => [...one.tools, ...other.tools].filter((tool) => tool.name === name).reduce(added)),
    files: [...new Set([...one.files, ...other.files])].slice(0, most.files),
    commands: [...one.commands, ...other.commands].slice(-most.commands),
    agents: [...one.agents, ...other.agents].slice(0, most.agents),
    ...(begun.length > 0 && { begun }),
    ...(plan && { plan }),
    ...(compactions > 0 && { compactions }),
  }
}

/** What was done to the working tree in two parts of one turn. */
function together(one: TurnWork, other: TurnWork): TurnWork {
  const restored = [...new Set([...(one.restored ?? []), ...(other.restored ?? [])])]
  const files = new Map([...one.files, ...other.files].map((file) => [file.path, file]))
  for (const path of other.restored ?? []) files.delete(path)
  const omitted = (one.filesOmitted ?? 0) + (other.filesOmitted ?? 0) + Math.max(0, files.size - mostFiles)
  const uncredited = other.uncredited ?? one.uncredited
  return {
    files: [...files.values()].slice(0, mostFiles),
    commits: [...one.commits, ...other.commits],
    ...(omitted > 0 && { filesOmitted: omitted }),
    ...(restored.length > 0 && { restored: restored.slice(0, mostFiles) }),
    ...(other.changes && { changes: other.changes }),
    ...diffTogether(one.diff, other.diff),
    ...(uncredited && { uncredited }),
  }
}

function diffTogether(one: TurnWork['diff'], other: TurnWork['diff']): Pick<TurnWork, 'diff'> {
  if (!one || !other) return one ? { diff: one } : other ? { diff: other } : {}
  if ('from' in one && 'from' in other) return { diff: { ...other, from: one.from } }
  if ('from' in one || 'from' in other) return {}
  const lists = ['written', 'putBack', 'restored', 'shared'] as const
  const all = lists.map((list) => [list, [...new Set([...one[list], ...other[list]])]] as const)
  return { diff: { ...other, before: one.before, ...Object.fromEntries(all) } }
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
