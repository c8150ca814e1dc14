import { createSpeech, type Moment, momentOf, type SkipReport, untimed } from '../../transcripts/moment.ts'
import {
  answerLength,
  countOf,
  defined,
  failureOf,
  fieldsOf,
  type JsonFields,
  listOf,
  promptLength,
  textOf,
} from '../fields.ts'
import { numberedWith, type ReadBudget } from '../lines.ts'
import type { SeenUsage, Step } from '../seen.ts'
import { plus, tokensOf } from '../usage.ts'
import { writtenBy } from './written.ts'

const words = [
  ...['"session.start"', 'usage_record"', '"user.message"', '"assistant.message"', '"session.error"', '"abort"'],
  '"subagent.started"',
]
const toolWords = ['"tool.execution_start"', '"tool.execution_complete"']

/** What a session of Copilot CLI did. Its subagents write into the same file, under their ids. */
export async function* copilotMoments(
  path: string,
  _: readonly string[],
  pass: SkipReport,
  left: ReadBudget,
): AsyncGenerator<Moment> {
  const speech = createSpeech()
  const subagents = new Map<string, { name?: string; usage?: SeenUsage }>()
  const tools = new Map<unknown, JsonFields>()
  let at = 0
  const wanted = left.contents ? [...words, ...toolWords] : words
  for await (const { line, fields } of numberedWith(path, wanted, (n, why) => pass(path, n, why), left)) {
    at = momentOf(fields.timestamp, at)
    const { type, agentId } = fields
    const data = fieldsOf(fields.data)
    const id = textOf(agentId, 200)
    const subagent = id === undefined ? undefined : (subagents.get(id) ?? {})
    if (id !== undefined && subagent) subagents.set(id, subagent)
    if (subagent && type === 'subagent.started') subagent.name = textOf(data.agentName, 100)
    if (at === 0) pass(path, line, untimed)
    yield* usedIn(tools, at, type, data)
    if (type === 'session.usage_record') {
      const usage = usageOf(fieldsOf(data.usage))
      if (subagent) subagent.usage = plus(subagent.usage, usage)
      yield { at, request: { id: line, usage, ...(subagent && { bySubagent: true }) } }
    } else if (type === 'session.start') {
      const version = textOf(data.copilotVersion, 100)
      if (version !== undefined) yield { at, session: { version } }
    } else if (!subagent && type === 'assistant.message')
      // Its usage is written before it.
      speech.say(textOf(data.content, answerLength), at, listOf(data.toolRequests).length === 0)
    else if (!subagent) {
      const step = stepOf(type, data)
      if (!step) continue
      const isWithin = data.delivery === 'steering'
      if (step.kind === 'prompt' && !isWithin) yield* speech.end()
      else speech.forget()
      yield { at, step, ...(isWithin && { isWithin }) }
    }
  }
  yield* speech.end()
  for (const [id, { name, usage }] of subagents)
    if (usage) yield { at, subagent: defined({ id, name, tokens: tokensOf(usage) }) }
}

/** What a tool wrote, where a line ends its use. */
function* usedIn(open: Map<unknown, JsonFields>, at: number, type: unknown, data: JsonFields): Generator<Moment> {
  const { toolCallId: id } = data
  if (type === 'tool.execution_start') open.set(id, data)
  if (type !== 'tool.execution_complete') return
  yield { at, written: writtenBy(open.get(id) ?? {}, data) }
  open.delete(id)
}

function stepOf(type: unknown, { content, errorType, message, reason }: JsonFields): Step | undefined {
  if (type === 'user.message') return { kind: 'prompt', text: textOf(content, promptLength) ?? '' }
  if (type === 'session.error') return { kind: 'turn', failure: failureOf(errorType, message) }
  if (type === 'abort') return { kind: 'turn', ...(String(reason).startsWith('user_') && { interrupted: true }) }
  return undefined
}

function usageOf({ model, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: JsonFields): SeenUsage {
  return defined({
    model: textOf(model, 100),
    inputTokens: countOf(inputTokens),
    outputTokens: countOf(outputTokens),
    cacheReadTokens: countOf(cacheReadTokens),
    cacheWriteTokens: countOf(cacheWriteTokens),
  })
}
