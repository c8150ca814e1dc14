import { basename, dirname, join } from 'node:path'
import { shellWords } from '../../../nouns/run/verdict/shell-words.ts'
import type { Moment } from '../../transcripts/moment.ts'
import {
  answerLength,
  countOf,
  defined,
  failureOf,
  fieldsOf,
  type JsonFields,
  listOf,
  numberOf,
  textOf,
  valueIn,
} from '../fields.ts'
import { filesIn, linesWith, type ReadBudget } from '../lines.ts'
import type { SeenUsage, TranscriptTurn } from '../seen.ts'
import { usageBetween } from '../usage.ts'
import { codex } from './hooks.ts'

// What single lines of Codex' rollouts say.

/** The totals of a session so far, and what its last request used. */
export function countIn({ info }: JsonFields): { total: SeenUsage; last: SeenUsage | undefined } | undefined {
  const { total_token_usage, last_token_usage } = fieldsOf(info)
  const total = usageIn(total_token_usage)
  return total && { total, last: usageIn(last_token_usage) }
}

function usageIn(counts: unknown): SeenUsage | undefined {
  const { input_tokens, output_tokens, cached_input_tokens, cache_write_input_tokens } = fieldsOf(counts)
  if (input_tokens === undefined) return undefined
  return {
    inputTokens: countOf(input_tokens),
    outputTokens: countOf(output_tokens),
    cacheReadTokens: countOf(cached_input_tokens),
    cacheWriteTokens: countOf(cache_write_input_tokens),
  }
}

/**
 * The usage between two totals. The first total of a fork contains that of its parent; in some versions, totals restart
 * when a session is resumed.
 */
export function since(
  before: SeenUsage | undefined,
  { total, last }: { total: SeenUsage; last: SeenUsage | undefined },
): SeenUsage {
  if (!before || total.inputTokens < before.inputTokens) return last ?? total
  return usageBetween(before, total) ?? { inputTokens: 0, outputTokens: 0 }
}

/** How a turn ended by that event; undefined if it did not. */
export function endOf(event: JsonFields): Pick<TranscriptTurn, 'failure' | 'interrupted' | 'answer'> | undefined {
  if (event.type === 'turn_aborted') return event.reason === 'interrupted' ? { interrupted: true } : {}
  if (event.type !== 'task_complete') return undefined
  const { error, last_agent_message } = event
  if (typeof error !== 'object' || error === null) return defined({ answer: textOf(last_agent_message, answerLength) })
  const { message, codex_error_info: info } = fieldsOf(error)
  return { failure: failureOf(typeof info === 'string' ? info : Object.keys(fieldsOf(info))[0], message) }
}

/** The exit code of a command; undefined if Codex ended the command itself. */
export const exitCodeOf = ({ exit_code }: JsonFields): number | undefined =>
  exit_code === -1 ? undefined : numberOf(exit_code)

export function resultOf(item: JsonFields): Record<string, Result> {
  const { type, id, duration } = item
  const exitCode = exitCodeOf(item)
  if (type !== 'CommandExecution' || typeof id !== 'string' || exitCode === undefined) return {}
  const { secs, nanos } = fieldsOf(duration)
  const durationMs = Math.round(countOf(secs) * 1_000 + countOf(nanos) / 1_000_000)
  // Some versions measure only the start-up time.
  return { [id]: { exitCode, ...(durationMs > 0 && { durationMs }) } }
}

interface Result {
  exitCode?: number
  durationMs?: number
}

/** A tool call and its output, in the format without items. */
export function called(reading: RolloutState, item: JsonFields): LineMoment[] {
  const { type, call_id, name, namespace, arguments: given, input, action, output } = item
  const id = textOf(call_id, 200)
  if (id === undefined) return []
  if (type === 'function_call' || type === 'custom_tool_call' || type === 'local_shell_call') {
    // Work that is also reported as an item is read from the item.
    if (reading.hasItems && namespace !== 'collaboration' && name !== 'update_plan') return []
    reading.said = undefined
    reading.open.set(id, callOf(String(name ?? 'shell'), given ?? input ?? action))
    return []
  }
  const begun = reading.open.get(id)
  if (!String(type).endsWith('_output')) return []
  if (!begun) return blockedIn(output)
  reading.open.delete(id)
  const { exit_code } = fieldsOf(fieldsOf(json(output)).metadata)
  const [head = ''] = String(output).split('\nOutput:', 1)
  const stated = exit_code ?? /^(?:Process exited with code|Exit code:) (\d{1,3})$/m.exec(head)?.[1]
  const code = stated === undefined ? undefined : Number(stated)
  const isPatch = begun.name === 'apply_patch'
  const failed = isPatch && code !== undefined && code !== 0
  return tool(reading, begun.name, begun.input, { id, response: { exit_code: code }, failed })
}

const blocking = 'Command blocked by PreToolUse hook: '
const rejecting = 'CreateProcess { message: "Rejected('
const longestReport = 20_000

/** The words with which Codex reports a command that a hook did not let run. They end with the command. */
function blockedIn(output: unknown): LineMoment[] {
  const text = typeof output === 'string' ? output : textsIn(output)
  const at = text.startsWith(blocking) ? 0 : text.indexOf(`\nScript error:\n${blocking}`)
  const report = at < 0 ? rejectedIn(text) : text.slice(at)
  return report === undefined ? [] : [{ blocked: report.slice(-longestReport) }]
}

/** In the same words, that Codex's own rules reject a command, which the report quotes as a shell does and escapes twice. */
function rejectedIn(text: string): string | undefined {
  const at = text.indexOf(rejecting)
  const [, escaped] =
    (at < 0 ? undefined : /^[^`]{0,10}`([^`]*)` rejected: /.exec(text.slice(at + rejecting.length))) ?? []
  const quoted = json(`"${json(`"${escaped}"`)}"`)
  const words = typeof quoted === 'string' ? shellWords(quoted) : undefined
  return words && `Rejected. Command: ${shellIn(words)}`
}

export const textsIn = (content: unknown): string =>
  listOf(content)
    .flatMap(({ text }) => (typeof text === 'string' ? [text] : []))
    .join('\n')

const shells = ['shell', 'shell_command', 'local_shell', 'exec_command', 'container.exec']

function callOf(name: string, given: unknown) {
  const input = fieldsOf(json(given))
  if (shells.includes(name)) {
    const { command, cmd } = input
    const text = shellIn(command ?? cmd)
    const patch = /^apply_patch\b/.test(String(text)) || (Array.isArray(command) && command[0] === 'apply_patch')
    return patch
      ? { name: 'apply_patch', input: { command: [command].flat().join('\n') } }
      : { name: 'Bash', input: { command: text } }
  }
  return { name, input: name === 'apply_patch' ? { command: typeof given === 'string' ? given : input.input } : input }
}

const json = (value: unknown): unknown => (typeof value === 'string' ? valueIn(value) : value)

/** The state while reading a rollout. */
export interface RolloutState {
  at: number
  isSubagent: boolean
  id?: string
  name?: string
  model?: string
  version?: string
  total?: SeenUsage
  requests: number
  /** Newer versions report work as items, in addition to protocol messages. */
  hasItems: boolean
  /** The id of the turn to which the last message of the user belongs. */
  turn?: string | undefined
  /** The turns that have ended, by their ids. */
  ended: Set<unknown>
  /** The open tool calls of older versions, by their ids. */
  open: Map<string, { name: string; input: unknown }>
  said?: string | undefined
  /** Whether to read the contents of files. */
  contents: boolean
  /** Only its requests count, because its parent's rollout has its work, too. */
  isMirrored?: boolean
}

/** A moment whose time is that of its line. */
export type LineMoment = Omit<Moment, 'at'>

/** The command itself, if a shell was called only to run it. */
export function shellIn(command: unknown): unknown {
  const list: unknown[] = Array.isArray(command) ? command : [command]
  const isShell = /(?:^|[/\\])(?:ba|z|da)?sh$/.test(String(list[0])) && /^-\w*c$/.test(String(list[1]))
  return isShell && list.length === 3 ? list[2] : list.join(' ')
}

interface Use {
  id: string | undefined
  response?: JsonFields
  failed?: boolean
}

/** Marks uses that hooks of Codex may not report: of MCP tools those that failed, and patches. */
export const unheard = (moments: LineMoment[]): LineMoment[] =>
  moments.map((moment) => ({ ...moment, isUnheard: true }))

/** The use of a tool, by the session or by its subagent. */
export function tool(
  { isSubagent, id: agent, name: type }: RolloutState,
  name: string,
  input: unknown,
  use: Use,
): LineMoment[] {
  const by = isSubagent && { agent_id: agent, agent_type: type }
  const event = use.failed ? 'PostToolUseFailure' : 'PostToolUse'
  const document = { tool_name: name, tool_input: input, tool_use_id: use.id, tool_response: use.response ?? {} }
  return steps({ hook_event_name: event, ...document, ...by })
}

/** What hooks would have reported by that document. */
export const steps = (document: JsonFields): LineMoment[] =>
  codex.read({ session_id: 'past', cwd: '/', ...document }, {}).map(({ step }) => ({ step }))

/** How many reviews of a session to read. */
const most = 100

/**
 * The rollouts of the reviews in a session of Codex. A review is a thread of its own: its requests are in the thread's
 * rollout, while its prompt, its work and its answer are in that of the session.
 */
export async function reviewsOf(path: string, left: ReadBudget): Promise<string[]> {
  const threads = new Set<string>()
  let isReview = false
  for await (const { payload } of linesWith(path, ['"EnteredReviewMode"', '"UserMessage"'], left)) {
    const { item, thread_id } = fieldsOf(payload)
    const { type } = fieldsOf(item)
    const id = textOf(thread_id, 200)
    if (type === 'EnteredReviewMode') isReview = true
    else if (isReview && type === 'UserMessage' && id !== undefined && !basename(path).includes(id)) threads.add(id)
  }
  const found: string[] = []
  for (const id of [...threads].slice(-most)) found.push(...(await rolloutOf(path, id)))
  return found
}

/** The rollout of a thread: beside that of the session or, if it began on another day, in that day's folder. */
async function rolloutOf(path: string, id: string): Promise<string[]> {
  const folder = dirname(path)
  const days = [folder, join(folder, '../../../..', dayOf(id))]
  for (const day of new Set(days)) {
    const found = await filesIn(day, `-${id}.jsonl`)
    if (found.length > 0) return found
  }
  return []
}

/** The day on which a thread began, as Codex names its folders. Its id begins with the time (RFC 9562, version 7). */
function dayOf(id: string): string {
  const ms = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
  const time = new Date(Number.isNaN(ms) ? 0 : ms)
  const two = (count: number) => String(count).padStart(2, '0')
  return join(String(time.getFullYear()), two(time.getMonth() + 1), two(time.getDate()))
}
