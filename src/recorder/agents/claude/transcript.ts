import { basename, dirname, join } from 'node:path'
import {
  type Moment,
  momentOf,
  type SkipReport,
  type TranscriptReader,
  untimed,
  withSubagents,
} from '../../transcripts/moment.ts'
import { defined, fieldsOf, type JsonFields, listOf, textOf } from '../fields.ts'
import { linesWith, numberedWith, type ReadBudget } from '../lines.ts'
import type { SeenUsage, Step } from '../seen.ts'
import { plus, tokensOf } from '../usage.ts'
import { claude } from './hooks.ts'
import {
  apiFailure,
  commandIn,
  createQueue,
  isCopy,
  promptIn,
  type Queue,
  resultIn,
  sumOf,
  textIn,
  usageOf,
} from './line.ts'
import { writtenIn } from './written.ts'

// Each line becomes the document that a hook would have received, and the dialect reads it, so both are interpreted in
// the same way.

const words = [
  ...['"type":"user"', '"type":"assistant"', '"compact_boundary"', '"queued_command"'],
  ...['"queue-operation"', '"cost-state"'],
]

/** What a session of Claude Code and its subagents did, in chronological order. */
export const claudeMoments: TranscriptReader = (path, subagents, pass, left) =>
  withSubagents(
    conversation(path, undefined, pass, left),
    subagents,
    (file, pass) => subagentMoments(file, pass, left),
    pass,
  )

/** The steps of a subagent, and its end. */
async function subagentMoments(file: string, pass: SkipReport, left: ReadBudget): Promise<Moment[]> {
  const id = basename(file, '.jsonl').replace(/^agent-/, '')
  const name = (await typeOf(file, left)) ?? 'subagent'
  const moments: Moment[] = []
  for await (const moment of conversation(file, { id, name }, pass, left)) {
    const { request } = moment
    moments.push(request ? { ...moment, request: { ...request, bySubagent: true } } : moment)
  }
  const last = moments.at(-1)
  if (!last) return []
  const requests = new Map(moments.flatMap(({ request }) => (request ? [[request.id, request.usage] as const] : [])))
  const used = [...requests.values()].reduce<SeenUsage | undefined>(plus, undefined)
  const end: Moment = { at: last.at, step: { kind: 'subagent', id, name } }
  return [...moments, used ? { ...end, subagent: { id, name, tokens: tokensOf(used) } } : end]
}

async function typeOf(file: string, left: ReadBudget): Promise<string | undefined> {
  const meta = join(dirname(file), `${basename(file, '.jsonl')}.meta.json`)
  try {
    // It has no time.
    for await (const { agentType } of linesWith(meta, '"agentType"', { ...left, before: undefined }))
      return textOf(agentType, 100)
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
interface ConversationState {
  at: number
  by: By | undefined
  /** The tools in use, by their ids. */
  open: Map<string, { name: unknown; input: unknown; by: By | undefined }>
  /** The last words of the agent. `isLast` means that nothing else of the turn follows, `isSure` that the line says so. */
  said?: { text: string | undefined; at: number; isLast: boolean; isSure: boolean } | undefined
  queue: Queue
  cwd?: string | undefined
  branch?: string | undefined
  version?: string | undefined
  /** Whether to read the contents of files. */
  contents: boolean
}

async function* conversation(
  path: string,
  by: By | undefined,
  pass: SkipReport,
  left: ReadBudget,
): AsyncGenerator<Moment> {
  const reading: ConversationState = {
    at: 0,
    by,
    open: new Map(),
    queue: createQueue(),
    contents: left.contents === true,
  }
  const copied = await copiedLines(path, left)
  const passed = (line: number, reason: string) => pass(path, line, reason)
  for await (const { line, fields } of numberedWith(path, words, passed, left)) {
    if (line <= copied) continue
    reading.at = momentOf(fields.timestamp, reading.at)
    if (reading.at === 0) passed(line, untimed)
    // The total of a fork includes what it copied.
    if (fields.type !== 'cost-state' || copied === 0) yield* momentsIn(reading, fields)
  }
  const isUnsure = reading.said?.isSure === false
  for (const moment of stop(reading)) yield isUnsure ? { ...moment, isUnsure } : moment
}

/** The number of lines at its beginning that are copied from another session, of which this one is a fork. */
async function copiedLines(path: string, left: ReadBudget): Promise<number> {
  let last = 0
  const marks = ['"type":"assistant"', '"forkedFrom"', '"requestSessionId"']
  for await (const { line, fields } of numberedWith(path, marks, () => {}, { ...left })) {
    if (isCopy(fields)) last = line
    else if (fields.type === 'assistant' && fieldsOf(fields.message).model !== '<synthetic>') break
  }
  return last
}

function* momentsIn(reading: ConversationState, fields: JsonFields): Generator<Moment> {
  yield* placeIn(reading, fields)
  if (fields.type === 'assistant') yield* answered(reading, fields)
  else if (fields.type === 'user') yield* asked(reading, fields)
  else if (fields.type === 'attachment') yield* queued(reading, fieldsOf(fields.attachment))
  else if (fields.type === 'queue-operation') {
    reading.queue.change(fields, reading.at)
    yield* finished(reading, fields.content)
  } else if (fields.type === 'cost-state') {
    const sum = sumOf(fields)
    if (sum) yield { at: reading.at, sum }
  } else if (fields.subtype === 'compact_boundary') yield* steps(reading, { hook_event_name: 'PreCompact' })
}

/** A message that the user sent while the agent worked. It ends the turn, as its hook does. */
function* queued(reading: ConversationState, { type, commandMode, prompt, isMeta }: JsonFields): Generator<Moment> {
  if (type !== 'queued_command' || (commandMode ?? 'prompt') !== 'prompt' || isMeta === true || reading.by) return
  const prompted = promptedBy(reading, promptIn({ content: prompt }))
  if (prompted.length === 0) return
  yield* steps(reading, { hook_event_name: 'Stop', last_assistant_message: reading.said?.text })
  reading.said = undefined
  yield* prompted
}

/** The prompt of a turn; empty for a text that no person wrote. */
function promptedBy(reading: ConversationState, prompt: string | undefined, turn?: string): Moment[] {
  const sentAt = prompt === undefined ? undefined : reading.queue.take(prompt)
  return [...steps(reading, { hook_event_name: 'UserPromptSubmit', prompt })].map((moment) =>
    defined({ ...moment, turn, sentAt }),
  )
}

function* placeIn(reading: ConversationState, { cwd, gitBranch, version }: JsonFields): Generator<Moment> {
  const known = textOf(version, 100) ?? reading.version
  if (known !== undefined && known !== reading.version) {
    reading.version = known
    if (!reading.by) yield { at: reading.at, session: { version: known } }
  }
  const [folder, branch] = [textOf(cwd), textOf(gitBranch, 255)]
  if (folder === undefined || (folder === reading.cwd && branch === reading.branch)) return
  Object.assign(reading, { cwd: folder, branch })
  const isBranch = branch !== undefined && branch !== 'HEAD'
  yield { at: reading.at, session: { cwd: folder, ...(isBranch && { branch }) } }
}

function* answered(reading: ConversationState, line: JsonFields): Generator<Moment> {
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
    yield { at: reading.at, request: { id: message.id, usage, ...(by && { bySubagent: true }) } }
  }
  const tools = listOf(message.content).filter(({ type }) => type === 'tool_use')
  for (const { id, name, input } of tools) if (typeof id === 'string') reading.open.set(id, { name, input, by })
  if (by) return
  const text = textIn(message)
  const { stop_reason: reason } = message
  const isLast = tools.length === 0 && reason !== 'tool_use' && (text !== undefined || isEnd(reason))
  const isSure = typeof reason === 'string'
  // Thinking may follow the words.
  if (text !== undefined || !isLast || !reading.said?.isLast) reading.said = { text, at: reading.at, isLast, isSure }
}

const isEnd = (reason: unknown) => reason === 'end_turn' || reason === 'stop_sequence'

/** Older versions write subagents into the same file. */
const byOf = ({ by }: ConversationState, { isSidechain }: JsonFields): By | undefined =>
  by ?? (isSidechain === true ? { id: 'sidechain', name: 'subagent' } : undefined)

function* asked(reading: ConversationState, line: JsonFields): Generator<Moment> {
  const message = fieldsOf(line.message)
  const results = listOf(message.content).filter(({ type }) => type === 'tool_result')
  for (const result of results) {
    yield* used(reading, result, line)
    const isWritten = reading.contents && results.length === 1 && result.is_error !== true
    if (isWritten) yield { at: reading.at, written: writtenIn(line.toolUseResult) }
  }
  const text = promptIn(message)
  if (text === undefined || line.isMeta === true || line.isCompactSummary === true || byOf(reading, line)) return
  if (text.startsWith('[Request interrupted by user')) {
    reading.said = undefined
    yield { at: reading.at, step: { kind: 'turn', interrupted: true } }
    return
  }
  yield* stop(reading)
  yield* finished(reading, text)
  if (/^\s*<(?:local-command-\w+|bash-std\w+)>/.test(text)) return
  const turn = textOf(line.promptId, 200)
  const prompted = promptedBy(reading, commandIn(text) ?? text, turn)
  if (prompted.length > 0) yield* prompted
  // The report of a background task, for example.
  else yield defined({ at: reading.at, begins: true, turn })
}

/** The result of a command in the background, which may come after its turn. */
function* finished({ at }: ConversationState, text: unknown): Generator<Moment> {
  const commands = typeof text === 'string' ? resultIn(text) : undefined
  if (commands) yield { at, commands }
}

/** The end of a tool's use. */
function* used(reading: ConversationState, result: JsonFields, line: JsonFields): Generator<Moment> {
  const id = textOf(result.tool_use_id, 200)
  const begun = id === undefined ? undefined : reading.open.get(id)
  if (id === undefined || !begun) return
  reading.open.delete(id)
  const text = typeof result.content === 'string' ? result.content : (textIn(result) ?? '')
  const head = { tool_name: begun.name, tool_input: begun.input, tool_use_id: id }
  const by = begun.by && { agent_id: begun.by.id, agent_type: begun.by.name }
  if (result.is_error !== true) {
    yield* steps(reading, { hook_event_name: 'PostToolUse', ...head, ...by, tool_response: line.toolUseResult ?? {} })
    return
  }
  // Only its batch reports a tool that was refused, or that rejected its input.
  const batch = { hook_event_name: 'PostToolBatch', ...by, tool_calls: [{ ...head, tool_response: text }] }
  const unrun = [...steps(reading, batch)]
  const failure = { hook_event_name: 'PostToolUseFailure', ...head, ...by, error: text }
  const failed = unrun.length > 0 ? unrun : [...steps(reading, failure)]
  yield* isDenied(line) ? failed.map(asRefused) : failed
}

/** Whether Claude Code did not let a tool run. The words that its hooks have for that are many. */
const isDenied = ({ toolDenialKind, toolDenialAfterRun }: JsonFields): boolean =>
  typeof toolDenialKind === 'string' && toolDenialKind !== 'interrupted' && toolDenialAfterRun !== true

const asRefused = (moment: Moment): Moment =>
  moment.step?.kind === 'tool' ? { ...moment, step: { ...moment.step, refused: true }, isUnheard: true } : moment

/** The end of a turn, emitted when something follows that does not belong to it. */
function* stop(reading: ConversationState): Generator<Moment> {
  const { said } = reading
  reading.said = undefined
  if (!said?.isLast || reading.by) return
  yield* steps({ ...reading, at: said.at }, { hook_event_name: 'Stop', last_assistant_message: said.text })
}

function* steps({ at }: Pick<ConversationState, 'at'>, document: JsonFields): Generator<Moment> {
  for (const { step } of claude.read({ session_id: 'past', cwd: '/', ...document }, {}))
    yield { at, step: step as Step }
}
