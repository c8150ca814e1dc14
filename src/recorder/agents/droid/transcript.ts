import { type Moment, momentOf, type SkipReport, untimed } from '../../transcripts/moment.ts'
import { answerLength, defined, failureOf, fieldsOf, type JsonFields, textOf } from '../fields.ts'
import { jsonIn, numberedWith, type ReadBudget } from '../lines.ts'
import type { SeenUsage, Step } from '../seen.ts'
import { tokensOf, usageBeside } from '../usage.ts'
import { type BegunTool, begunIn, promptIn, resultsIn, textsIn, useOf } from './line.ts'
import { writtenBy } from './written.ts'

/** The state while reading a session. */
interface DroidState {
  at: number
  /** The tools in use, by their ids. */
  open: Map<string, BegunTool>
  /** The last words of the agent. */
  said?: string | undefined
  /** What it last told its user alone. */
  notice?: string | undefined
  model?: string | undefined
  /** All models of the session. */
  models: Set<string>
  /** Whether a turn has begun that has not ended. */
  isOpen: boolean
  /** Whether to read the contents of files. */
  contents: boolean
}

/** What a session of Factory Droid did. Its subagents have sessions of their own, whose use is in its total. */
export async function* droidMoments(
  path: string,
  _: readonly string[],
  pass: SkipReport,
  left: ReadBudget,
): AsyncGenerator<Moment> {
  const reading: DroidState = {
    at: 0,
    open: new Map(),
    models: new Set(),
    isOpen: false,
    contents: left.contents === true,
  }
  const words = ['"type":"message"', '"agent_turn_outcome"', '"type":"session_start"']
  for await (const { line, fields } of numberedWith(path, words, (n, why) => pass(path, n, why), left)) {
    reading.at = momentOf(fields.timestamp, reading.at)
    const { at } = reading
    const cwd = fields.type === 'session_start' ? textOf(fields.cwd) : undefined
    if (cwd !== undefined) yield { at, session: { cwd } }
    else if (at === 0) pass(path, line, untimed)
    if (fields.type === 'agent_turn_outcome') yield { at, ...outcomeOf(reading, fields) }
    else if (fields.type === 'message') yield* momentsIn(reading, fields)
  }
  const sum = await sumOf(path, reading, left)
  if (sum) yield { at: reading.at, sum }
}

function* momentsIn(reading: DroidState, fields: JsonFields): Generator<Moment> {
  const message = fieldsOf(fields.message)
  const { role, content, visibility, modelId } = message
  const { at } = reading
  if (role === 'assistant') {
    reading.model = textOf(modelId, 100) ?? reading.model
    if (reading.model !== undefined) reading.models.add(reading.model)
    const tools = begunIn(message)
    for (const [id, begun] of tools) reading.open.set(id, begun)
    reading.said = textsIn(content, answerLength) ?? (tools.length > 0 ? undefined : reading.said)
    // Only the total of the session has its tokens.
    yield { at, request: { id: fields.id, usage: defined({ model: reading.model, inputTokens: 0, outputTokens: 0 }) } }
    return
  }
  for (const result of resultsIn(message)) yield* used(reading, result)
  // The error that ends a turn, for example.
  if (visibility === 'user_only') reading.notice = textsIn(content, 4_000) ?? reading.notice
  const prompt = promptIn(fields)
  if (!prompt) return
  Object.assign(reading, { said: undefined, isOpen: true })
  yield defined({ at, step: { kind: 'prompt', text: prompt.text } as Step, turn: prompt.turn }) as Moment
}

/** The use of a tool. Hooks do not report one that failed. */
function* used({ at, open, contents }: DroidState, result: JsonFields): Generator<Moment> {
  const step = useOf(open, result)
  if (step?.id === undefined) return
  const { input } = open.get(step.id) ?? {}
  open.delete(step.id)
  yield { at, step, ...(step.failed && { isUnheard: step.failed }) }
  if (contents) yield { at, written: writtenBy(step, input, result) }
}

/** How a turn ended. */
function outcomeOf(reading: DroidState, { reason }: JsonFields): Pick<Moment, 'step'> {
  const { said: answer, notice } = reading
  Object.assign(reading, { said: undefined, notice: undefined, isOpen: false })
  if (reason === 'completed') return { step: { kind: 'turn', ...(answer !== undefined && { answer }) } }
  if (reason === 'cancelled') return { step: { kind: 'turn', interrupted: true } }
  if (['permission_rejected', 'spec_handoff'].includes(reason as string)) return { step: { kind: 'turn' } }
  // Its user may have ended it by a signal.
  if (reason === 'process_exit') return {}
  return { step: { kind: 'turn', failure: failureOf(reason, notice) } }
}

/**
 * What the session used so far, by the file beside its transcript. Undefined if that has what was used later, or may
 * have, because a turn was open at the time that is asked about.
 */
async function sumOf(path: string, { models, isOpen }: DroidState, left: ReadBudget): Promise<SeenUsage | undefined> {
  if (isOpen && left.before !== undefined) return undefined
  const settings = await jsonIn(path.replace(/\.jsonl$/, '.settings.json'), left).catch(() => undefined)
  const { inclusiveTokenUsage, tokenUsage } = settings ?? {}
  const counts = fieldsOf(inclusiveTokenUsage ?? tokenUsage)
  const { inputTokens: input, outputTokens: output, cacheReadTokens: read, cacheCreationTokens: write } = counts
  const usage = usageBeside({ input, output, read, write })
  if (tokensOf(usage) === 0) return undefined
  const [model] = models.size === 1 ? models : []
  return defined({ model, ...usage })
}
