import { basename, dirname, join } from 'node:path'
import { claude } from '../dialects/claude.ts'
import { type Fields, fieldsOf, listOf, textOf } from '../fields.ts'
import { budget, linesWith, numberedWith } from '../lines.ts'
import type { Step } from '../seen.ts'
import { apiFailure, isCopy, promptIn, textIn, usageOf } from '../transcripts/claude.ts'
import { plus, tokensOf } from '../usage.ts'
import { type Moment, momentOf, type Pass, withSubagents } from './moment.ts'

// Each line becomes the document that a hook would have received, and the dialect reads it, so both are interpreted in
// the same way.

const words = ['"type":"user"', '"type":"assistant"', '"compact_boundary"', '"queued_command"']
const unlimited = () => budget(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)

/** What a session of Claude Code and its subagents did, in chronological order. */
export const claudeMoments = (path: string, subagents: readonly string[], pass: Pass): AsyncGenerator<Moment> =>
  withSubagents(conversation(path, undefined, pass), subagents, subagentMoments, pass)

/** The steps of a subagent, and its end. */
async function subagentMoments(file: string, pass: Pass): Promise<Moment[]> {
  const id = basename(file, '.jsonl').replace(/^agent-/, '')
  const name = (await typeOf(file)) ?? 'subagent'
  const moments: Moment[] = []
  for await (const moment of conversation(file, { id, name }, pass)) moments.push(moment)
  const last = moments.at(-1)
  if (!last) return []
  const requests = new Map(moments.flatMap(({ request }) => (request ? [[request.id, request.usage] as const] : [])))
  const used = [...requests.values()].reduce<Parameters<typeof plus>[0]>(plus, undefined)
  const end: Moment = { at: last.at, step: { kind: 'subagent', id, name } }
  return [...moments, used ? { ...end, subagent: { id, tokens: tokensOf(used) } } : end]
}

async function typeOf(file: string): Promise<string | undefined> {
  const meta = join(dirname(file), `${basename(file, '.jsonl')}.meta.json`)
  try {
    for await (const { agentType } of linesWith(meta, '"agentType"')) return textOf(agentType, 100)
  } catch {
    // Older versions have no such file.
  }
  return undefined
}

interface By {
  id: string
  name: string
}

/** The state while reading a conversation. */
interface Reading {
  at: number
  by: By | undefined
  /** The tools in use, by their ids. */
  open: Map<string, { name: unknown; input: unknown; by: By | undefined }>
  /** The last words of the agent. `isLast` means that nothing else of the turn follows. */
  said?: { text: string | undefined; at: number; isLast: boolean } | undefined
  cwd?: string | undefined
  branch?: string | undefined
}

async function* conversation(path: string, by: By | undefined, pass: Pass): AsyncGenerator<Moment> {
  const reading: Reading = { at: 0, by, open: new Map() }
  const copied = await copiedLines(path)
  const passed = (line: number, reason: string) => pass(path, line, reason)
  for await (const { line, fields } of numberedWith(path, words, passed, unlimited())) {
    if (line <= copied) continue
    reading.at = momentOf(fields.timestamp, reading.at)
    if (reading.at === 0) passed(line, 'neither it nor a line before it has a time')
    else yield* momentsIn(reading, fields)
  }
  yield* stop(reading)
}

/** The number of lines at its beginning that are copied from another session, of which this one is a fork. */
async function copiedLines(path: string): Promise<number> {
  let last = 0
  const marks = ['"forkedFrom"', '"requestSessionId"']
  for await (const { line, fields } of numberedWith(path, marks, () => {}, unlimited())) if (isCopy(fields)) last = line
  return last
}

function* momentsIn(reading: Reading, fields: Fields): Generator<Moment> {
  yield* placeIn(reading, fields)
  if (fields.type === 'assistant') yield* answered(reading, fields)
  else if (fields.type === 'user') yield* asked(reading, fields)
  else if (fields.type === 'attachment') yield* queued(reading, fieldsOf(fields.attachment))
  else if (fields.subtype === 'compact_boundary') yield* steps(reading, { hook_event_name: 'PreCompact' })
}

/** A message that the user sent while the agent worked. It ends the turn, as its hook does. */
function* queued(reading: Reading, { type, commandMode, prompt, isMeta }: Fields): Generator<Moment> {
  if (type !== 'queued_command' || (commandMode ?? 'prompt') !== 'prompt' || isMeta === true || reading.by) return
  const prompted = [...steps(reading, { hook_event_name: 'UserPromptSubmit', prompt: promptIn({ content: prompt }) })]
  if (prompted.length === 0) return
  yield* steps(reading, { hook_event_name: 'Stop', last_assistant_message: reading.said?.text })
  reading.said = undefined
  yield* prompted
}

function* placeIn(reading: Reading, { cwd, gitBranch }: Fields): Generator<Moment> {
  const [folder, branch] = [textOf(cwd), textOf(gitBranch, 255)]
  if (folder === undefined || (folder === reading.cwd && branch === reading.branch)) return
  Object.assign(reading, { cwd: folder, branch })
  const isBranch = branch !== undefined && branch !== 'HEAD'
  yield { at: reading.at, session: { cwd: folder, ...(isBranch && { branch }) } }
}

function* answered(reading: Reading, line: Fields): Generator<Moment> {
  const message = fieldsOf(line.message)
  const by = byOf(reading, line)
  if (line.isApiErrorMessage === true) {
    reading.said = undefined
    if (!by) yield { at: reading.at, step: { kind: 'turn', failure: apiFailure(line, message) } }
    return
  }
  if (message.model !== '<synthetic>') {
    const model = textOf(message.model, 100)
    const usage = { ...(model !== undefined && { model }), ...usageOf(fieldsOf(message.usage)) }
    yield { at: reading.at, request: { id: message.id, usage } }
  }
  const tools = listOf(message.content).filter(({ type }) => type === 'tool_use')
  for (const { id, name, input } of tools) if (typeof id === 'string') reading.open.set(id, { name, input, by })
  if (by) return
  const text = textIn(message)
  const isLast = tools.length === 0 && message.stop_reason !== 'tool_use' && (text !== undefined || isEnd(message))
  if (text !== undefined || !isLast) reading.said = { text, at: reading.at, isLast }
}

const isEnd = ({ stop_reason }: Fields) => stop_reason === 'end_turn' || stop_reason === 'stop_sequence'

/** Older versions write subagents into the same file. */
const byOf = ({ by }: Reading, { isSidechain }: Fields): By | undefined =>
  by ?? (isSidechain === true ? { id: 'sidechain', name: 'subagent' } : undefined)

function* asked(reading: Reading, line: Fields): Generator<Moment> {
  const message = fieldsOf(line.message)
  for (const result of listOf(message.content).filter(({ type }) => type === 'tool_result')) {
    yield* used(reading, result, line.toolUseResult)
  }
  const text = promptIn(message)
  if (text === undefined || line.isMeta === true || line.isCompactSummary === true || byOf(reading, line)) return
  if (text.startsWith('[Request interrupted by user')) {
    reading.said = undefined
    yield { at: reading.at, step: { kind: 'turn', interrupted: true } }
    return
  }
  yield* stop(reading)
  if (/^\s*<(?:local-command-\w+|bash-\w+)>/.test(text)) return
  yield* steps(reading, { hook_event_name: 'UserPromptSubmit', prompt: commandIn(text) ?? text })
}

/** A command as the user typed it. */
function commandIn(text: string): string | undefined {
  const name = elementIn(text, 'command-name')
  if (name === undefined) return undefined
  const words = elementIn(text, 'command-args')
  return words ? `${name} ${words}` : name
}

/** What the first element of that name contains. */
function elementIn(text: string, name: string): string | undefined {
  const begin = `<${name}>`
  const from = text.indexOf(begin)
  const until = from < 0 ? -1 : text.indexOf(`</${name}>`, from)
  return until < 0 ? undefined : text.slice(from + begin.length, until).trim()
}

/** The end of a tool's use. */
function* used(reading: Reading, result: Fields, response: unknown): Generator<Moment> {
  const id = textOf(result.tool_use_id, 200)
  const begun = id === undefined ? undefined : reading.open.get(id)
  if (id === undefined || !begun) return
  reading.open.delete(id)
  const text = typeof result.content === 'string' ? result.content : (textIn(result) ?? '')
  const head = { tool_name: begun.name, tool_input: begun.input, tool_use_id: id }
  const by = begun.by && { agent_id: begun.by.id, agent_type: begun.by.name }
  if (result.is_error !== true) {
    yield* steps(reading, { hook_event_name: 'PostToolUse', ...head, ...by, tool_response: response ?? {} })
    return
  }
  // Only its batch reports a tool that was refused, or that rejected its input.
  const batch = { hook_event_name: 'PostToolBatch', ...by, tool_calls: [{ ...head, tool_response: text }] }
  const unrun = [...steps(reading, batch)]
  if (unrun.length > 0) yield* unrun
  else yield* steps(reading, { hook_event_name: 'PostToolUseFailure', ...head, ...by, error: text })
}

/** The end of a turn, emitted when something follows that does not belong to it. */
function* stop(reading: Reading): Generator<Moment> {
  const { said } = reading
  reading.said = undefined
  if (!said?.isLast || reading.by) return
  yield* steps({ ...reading, at: said.at }, { hook_event_name: 'Stop', last_assistant_message: said.text })
}

function* steps({ at }: Pick<Reading, 'at'>, document: Fields): Generator<Moment> {
  for (const { step } of claude.read({ session_id: 'past', cwd: '/', ...document }, {}))
    yield { at, step: step as Step }
}
