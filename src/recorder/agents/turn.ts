import { firstBytes } from '../../contract/text.ts'
import type { TurnFields } from '../../nouns/run/turn-fields.ts'
import { defined, mostCount, mostItems, startOf } from './fields.ts'
import type { BegunUse, Seen, SeenFailure, SeenUsage, Step, ToolUse, Transcript } from './seen.ts'
import { type KeptItem, planAfter } from './tools.ts'
import { turnAbout } from './turn-about.ts'
import { usageWithin } from './usage.ts'

/** What has happened since the last turn ended. Times are in milliseconds since 1970. */
export interface Draft {
  startedAt: number
  /** When the last step was seen. */
  at: number
  prompt?: string
  /** The agent's id of it. */
  turn?: string
  tools: Used[]
  /** As the agent names them. */
  files: string[]
  commands: Ran[]
  /** The commands whose ends were not reported. */
  begun?: BegunCommand[]
  /** The plan as it was before, and as this turn has made it. */
  kept?: KeptItem[]
  plan?: KeptItem[]
  agents: { id?: string; name: string }[]
  compactions?: number
}

/** How often a tool was used, and how that went. */
interface Used {
  name: string
  count: number
  failed?: number
  refused?: number
  /** The ids of uses whose end only the transcript tells. */
  open?: string[]
}

/** A command that was run. */
interface Ran {
  /** The agent's own id of this use of the tool, by which its transcript knows it. */
  id?: string
  command: string
  exitCode?: number
  durationMs?: number
  at: number
}

/** A command that began, with the agent's own id of this use of the tool. */
type BegunCommand = Required<Pick<Ran, 'id' | 'command' | 'at'>> & Pick<ToolUse, 'tool'>

/** What else is known of a turn once it is over. */
interface Ending {
  at: number
  answer?: string
  failure?: SeenFailure
  interrupted?: true
  model?: string
  usage?: SeenUsage
}

/** How many files of a turn the ledger lists. */
export const mostFiles = 500
/** How much of each to keep: numbers of entries, and bytes of text. */
export const most = { tools: 100, files: 20_000, commands: 200, plan: mostItems, agents: 100 }
/** How many uses of a tool to keep whose end only the transcript tells. */
const mostOpen = 1000
const bytes = {
  prompt: 20_000,
  answer: 16_000,
  message: 4_000,
  command: 2_000,
  path: 1_000,
  plan: 1_000,
  name: 200,
  model: 100,
}

export const newDraft = (at: number, kept?: KeptItem[]): Draft => ({
  startedAt: at,
  at,
  ...(kept && { kept }),
  tools: [],
  files: [],
  commands: [],
  agents: [],
})

/** The draft of the turn that a prompt begins. It keeps the compactions of the previous draft, which became no turn. */
export const draftAfter = (left: Draft | undefined, at: number, kept?: KeptItem[]): Draft => ({
  ...newDraft(at, kept),
  ...(left?.compactions && { compactions: left.compactions }),
})

/** The draft of the turn that a prompt begins, after what is `left`. */
export function promptedDraft(left: Draft | undefined, { step, turn }: Seen, at: number, kept?: KeptItem[]): Draft {
  return { ...withStep(draftAfter(left, at, kept), step, at), ...(turn !== undefined && { turn }) }
}

/** Whether a prompt was sent while the agent still worked on the turn, so that nobody interrupted it. */
export const isQueued = ({ turn, tellsEnds }: Seen, draft: Draft | undefined): boolean =>
  tellsEnds === true || (turn !== undefined && turn === draft?.turn)

/** Whether nothing was done that a turn could tell. */
export const isEmpty = ({ prompt, tools, agents }: Draft) => prompt === undefined && tools.length + agents.length === 0

/** The draft with one more step, which was seen `at`. A step that is not work leaves it unchanged. */
export function withStep(draft: Draft, step: Step, at: number): Draft {
  const before = { ...draft, at }
  switch (step.kind) {
    case 'prompt':
      return { ...before, prompt: step.text }
    case 'begin':
      return withBegun(draft, step, at)
    case 'tool':
      return withTool(before, step)
    case 'subagent':
      return { ...before, agents: [...before.agents, defined({ id: step.id, name: step.name })].slice(0, most.agents) }
    case 'compact':
      return { ...before, compactions: (before.compactions ?? 0) + 1 }
    default:
      return draft
  }
}

function withBegun(draft: Draft, { tool, id, command }: BegunUse, at: number): Draft {
  if (id === undefined || command === undefined) return draft
  const ran = { tool, id, command: startOf(command, bytes.command), at }
  return { ...draft, begun: [...(draft.begun ?? []), ran].slice(-most.commands) }
}

/** Whether a command with that id began in the turn, and its end was not reported. */
export const hasBegun = ({ begun = [] }: Draft, id: string): boolean => begun.some((one) => one.id === id)

function withTool({ begun, ...draft }: Draft, use: ToolUse): Draft {
  const open = begun?.filter((one) => one.id !== use.id) ?? []
  const { id, command, exitCode, durationMs, plan, task, files = [], refused } = use
  const line = command !== undefined && startOf(command, bytes.command)
  const ran = !line || refused ? [] : [defined({ id, command: line, exitCode, durationMs, at: draft.at })]
  return {
    ...draft,
    ...(open.length > 0 && { begun: open }),
    tools: counted(draft.tools, use),
    files: [...new Set([...draft.files, ...files])].slice(0, most.files),
    commands: [...draft.commands, ...ran].slice(-most.commands),
    ...((plan || task) && { plan: planAfter(draft.plan ?? draft.kept ?? [], use) }),
  }
}

/** A use that was refused counts as that, and not as failed too. */
function counted(tools: Used[], use: ToolUse): Used[] {
  const { tool, failed, refused } = use
  const known = tools.find(({ name }) => name === tool)
  if (!known && tools.length === most.tools) return tools
  const before: Used = known ?? { name: tool, count: 0 }
  const more = refused ? { refused: (before.refused ?? 0) + 1 } : failed && { failed: (before.failed ?? 0) + 1 }
  const open = isOpen(use) ? { open: [...(before.open ?? []), use.id as string].slice(-mostOpen) } : {}
  const after = { ...before, count: before.count + 1, ...more, ...open }
  return known ? tools.map((one) => (one === known ? after : one)) : [...tools, after]
}

/** Whether a command was run whose exit code the document does not have. */
const isOpen = ({ id, command, exitCode, failed, refused }: ToolUse) =>
  id !== undefined && command !== undefined && exitCode === undefined && !failed && !refused

/** A tool as a turn has it, with the uses of which the transcript tells that they failed. */
function toolOf({ open = [], failed = 0, ...tool }: Used, { commands = {} }: Transcript) {
  const lateFailures = open.filter((id) => Object.hasOwn(commands, id) && commands[id]?.exitCode).length
  return {
    ...tool,
    name: cut(tool.name, bytes.name) ?? 'unknown',
    ...(failed + lateFailures > 0 && { failed: failed + lateFailures }),
  }
}

/**
 * The turn that a draft came to, in the form that the ledger takes. `reported` is what the transcript says: the exit codes of
 * commands, and what subagents used. Files and the state of the repository are for the caller to add.
 */
export function turnOf(heard: Draft, ending: Ending, reported: Transcript = {}): TurnFields {
  const draft = withUnheard(heard, reported)
  const { prompt, tools, commands, plan, compactions } = draft
  const { answer, failure, interrupted, model, usage } = ending
  return defined({
    startedAt: isoOf(draft.startedAt),
    // The clock may have gone back meanwhile.
    endedAt: isoOf(Math.max(ending.at, draft.startedAt)),
    prompt: cut(prompt, bytes.prompt),
    answer: cut(answer, bytes.answer),
    model: cut(usage?.model ?? model, bytes.model),
    tools: some(tools.map((tool) => toolOf(tool, reported))),
    commands: some(commands.flatMap((ran) => commandOf(ran, reported))),
    plan: some(planOf(plan)),
    agents: some(agentsOf(draft, reported)),
    compactions,
    usage: usage && usageOf(usage),
    failure: failure && { code: failure.code, message: cut(failure.message, bytes.message) ?? failure.code },
    interrupted,
  })
}

/** A usage in the form that the ledger takes. */
export const usageOf = (usage: SeenUsage): SeenUsage =>
  defined({ ...usageWithin(usage), model: cut(usage.model, bytes.model) } as SeenUsage)

/** The uses of tools that hooks do not report: those that failed, and what began as a command and was a patch. */
export function unheardIn(
  { begun = [], startedAt: at, ...draft }: Draft,
  { turn, turns }: Transcript,
): (ToolUse & { at: number })[] {
  const { unheard = [] } = turn ?? turnAbout(turns, { ...draft, at }) ?? {}
  return unheard.filter(({ id, failed }) => failed || begun.some((one) => one.id === id))
}

/** The draft with the uses of tools that hooks do not report, and the commands whose ends they do not report. */
function withUnheard(draft: Draft, reported: Transcript): Draft {
  const { blocked = [] } = reported.turn ?? turnAbout(reported.turns, { ...draft, at: draft.startedAt }) ?? {}
  const unheard = unheardIn(draft, reported)
  const known = new Set([...draft.commands.map(({ id }) => id), ...draft.tools.flatMap(({ open = [] }) => open)])
  const commands = draft.begun?.filter(({ id }) => !unheard.some((one) => one.id === id)) ?? []
  const begun = commands.map((one) => {
    const isBlocked = blocked.some((report) => report.endsWith(`. Command: ${one.command}`))
    return { ...one, ...(isBlocked && { refused: true as const }) }
  })
  const missing = [...unheard, ...begun].filter(({ id }) => id === undefined || !known.has(id))
  if (missing.length === 0) return draft
  let whole = draft
  for (const { at, ...use } of missing) whole = withTool({ ...whole, at }, use)
  return { ...whole, at: draft.at, commands: whole.commands.toSorted((a, b) => a.at - b.at) }
}

export const isoOf = (ms: number) => new Date(ms).toISOString()
const some = <T>(list: T[]): T[] | undefined => (list.length > 0 ? list : undefined)

function commandOf({ id, at, ...ran }: Ran, { commands = {} }: Transcript) {
  const command = cut(ran.command, bytes.command)
  const end = id !== undefined && Object.hasOwn(commands, id) ? commands[id] : {}
  const { exitCode, ...rest } = { ...end, ...ran }
  return command === undefined ? [] : [{ ...rest, ...(isExitCode(exitCode) && { exitCode }), command, at: isoOf(at) }]
}

/** Whether the ledger takes that exit code: POSIX, or Windows with 32 bits. */
const isExitCode = (code: number | undefined): code is number =>
  code !== undefined && code >= -2_147_483_648 && code <= 4_294_967_295

const planOf = (plan: KeptItem[] = []) =>
  plan.slice(0, most.plan).flatMap(({ text, status }) => {
    const words = cut(text, bytes.plan)
    return words === undefined ? [] : [{ text: words, status }]
  })

const agentsOf = ({ agents }: Draft, { subagents = [] }: Transcript) =>
  agents.map(({ id, name }) => {
    const used = id === undefined ? undefined : subagents.find((one) => one.id === id)
    return { name: cut(name, bytes.name) ?? 'unknown', ...(used && { tokens: Math.min(used.tokens, mostCount) }) }
  })

/** A path as the ledger takes it; undefined for one that it cannot take whole. */
export const pathOf = (path: string): string | undefined => (cut(path, bytes.path) === path ? path : undefined)

/** A text without what the ledger cannot store, cut to so many bytes of UTF-8; undefined where nothing is left. */
export function cut(text: string | undefined, most: number): string | undefined {
  if (text === undefined) return undefined
  const clean = firstBytes(text.replaceAll('\0', '').toWellFormed(), most)
  return clean.trim() === '' ? undefined : clean
}

const interruption: SeenFailure = { code: 'INTERRUPTED', message: 'Its user interrupted the last turn.' }

/** Why a session failed whose last turn ended like this; undefined if it ended well. */
export function failureAfter(
  failure: SeenFailure | undefined,
  interrupted: boolean | undefined,
): SeenFailure | undefined {
  const why = failure ?? (interrupted ? interruption : undefined)
  return why && { code: why.code, message: cut(why.message, bytes.message) ?? why.code }
}
