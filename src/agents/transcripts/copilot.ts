import { totalOf } from '../cost.ts'
import { failureOf } from '../failure.ts'
import { answerLength, countOf, defined, type Fields, fieldsOf, listOf, textOf, timeOf } from '../fields.ts'
import { type Budget, linesWith } from '../lines.ts'
import type { Told, Usage, Written } from '../seen.ts'
import { plus, tokensOf } from '../usage.ts'

type End = Pick<Told, 'failure' | 'interrupted' | 'answer'>

const words = [
  'usage_record"',
  '"user.message"',
  '"assistant.message"',
  '"session.error"',
  '"abort"',
  '"subagent.started"',
]

/** Reads the transcript of a Copilot CLI session. Its subagents write into the same file, under their ids. */
export async function readCopilot(path: string, _: readonly string[], left: Budget): Promise<Told> {
  const requests: Usage[] = []
  const subagents = new Map<string, { name?: string; usage?: Usage }>()
  let end: End = {}
  let model: string | undefined
  let written: Written | undefined
  for await (const { type, data, agentId, timestamp } of linesWith(path, words, left)) {
    const fields = fieldsOf(data)
    const id = textOf(agentId, 200)
    const subagent = id === undefined ? undefined : (subagents.get(id) ?? {})
    if (id !== undefined && subagent) subagents.set(id, subagent)
    if (subagent && type === 'subagent.started') subagent.name = textOf(fields.agentName, 100)
    if (type === 'session.usage_record') {
      const usage = usageOf(fieldsOf(fields.usage))
      requests.push(usage)
      if (subagent) subagent.usage = plus(subagent.usage, usage)
      else model = usage.model ?? model
    } else if (!subagent) {
      end = endAfter(type, fields) ?? end
      written = defined({ isWhole: isWholeAfter(type, fields), at: timeOf(timestamp) })
    }
  }
  const usage = await totalOf(requests)
  const used = [...subagents].flatMap(([id, { name, usage: of }]) =>
    of ? [defined({ id, name, tokens: tokensOf(of) })] : [],
  )
  return defined({
    usage: usage && defined({ model, ...usage }),
    ...end,
    subagents: used.length > 0 ? used : undefined,
    written,
  })
}

/** A message without tool requests is the last one. Its usage is written before it. */
const isWholeAfter = (type: unknown, { toolRequests }: Fields) =>
  type === 'assistant.message' ? listOf(toolRequests).length === 0 : type !== 'user.message'

function usageOf({ model, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Fields): Usage {
  return defined({
    model: textOf(model, 100),
    inputTokens: countOf(inputTokens),
    outputTokens: countOf(outputTokens),
    cacheReadTokens: countOf(cacheReadTokens),
    cacheWriteTokens: countOf(cacheWriteTokens),
  })
}

/** The state of the last turn after an event; undefined if it does not change. */
function endAfter(type: unknown, { content, errorType, message, reason }: Fields): End | undefined {
  if (type === 'user.message') return {}
  if (type === 'session.error') return { failure: failureOf(errorType, message) }
  if (type === 'abort') return reason === 'user_abort' ? { interrupted: true } : {}
  const answer = type === 'assistant.message' ? textOf(content, answerLength) : undefined
  return answer === undefined ? undefined : { answer }
}
