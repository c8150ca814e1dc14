import { listOf } from '../../../src/recorder/agents/fields.ts'
import { type Answer, allInput, type Dialect, type Message, newId, textIn } from './dialect.ts'
import type { Tokens } from './script.ts'

/** https://platform.openai.com/docs/api-reference/responses-streaming */
export const responses: Dialect = {
  serves: (path) => path.endsWith('/responses'),
  asked: ({ input }) =>
    typeof input === 'string'
      ? input
      : listOf(input)
          // A subagent of Codex gets its task as a message from another agent.
          .filter(({ role, type, author }) => role === 'user' || (type === 'agent_message' && author === '/root'))
          .map(({ content }) => textIn(content))
          .join('\n'),
  answer(answer, { body }) {
    const output = itemsOf(answer)
    const head = { id: newId('resp'), object: 'response', created_at: Math.floor(Date.now() / 1000), model: body.model }
    const response = { ...head, status: 'completed', error: null, output, usage: usageOf(answer.tokens) }
    return body.stream ? streamed(response, output) : { json: response }
  },
  failure: ({ type, message }) => ({ error: { type, code: type, message } }),
}

type Item = { id: string; type: string; status: string; content?: { type: string; text: string }[]; arguments?: string }

const itemsOf = ({ text, calls }: Answer): Item[] => [
  ...(text === undefined ? [] : [messageOf(text)]),
  ...calls.map(({ tool, input }) => {
    const head = { call_id: newId('call'), name: tool.name, status: 'completed' }
    return tool.isFreeform
      ? { ...head, id: newId('ctc'), type: 'custom_tool_call', input: String(input) }
      : {
          ...head,
          id: newId('fc'),
          type: 'function_call',
          arguments: JSON.stringify(input),
          ...(tool.namespace !== undefined && { namespace: tool.namespace }),
        }
  }),
]

const messageOf = (text: string) => ({
  id: newId('msg'),
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
})

const usageOf = (tokens: Tokens) => ({
  input_tokens: allInput(tokens),
  input_tokens_details: { cached_tokens: tokens.cacheRead },
  output_tokens: tokens.output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: allInput(tokens) + tokens.output,
})

function streamed(response: object, output: Item[]): Message {
  const events: { name: string; data: unknown }[] = []
  const send = (type: string, fields: object) =>
    events.push({ name: type, data: { type, sequence_number: events.length, ...fields } })
  send('response.created', { response: { ...response, status: 'in_progress', output: [], usage: null } })
  for (const [output_index, item] of output.entries()) {
    const begun = { ...item, status: 'in_progress', ...(item.content && { content: [] }) }
    send('response.output_item.added', { output_index, item: begun })
    const at = { item_id: item.id, output_index }
    for (const part of item.content ?? []) {
      send('response.content_part.added', { ...at, content_index: 0, part: { ...part, text: '' } })
      send('response.output_text.delta', { ...at, content_index: 0, delta: part.text })
      send('response.output_text.done', { ...at, content_index: 0, text: part.text })
      send('response.content_part.done', { ...at, content_index: 0, part })
    }
    if (item.arguments !== undefined)
      send('response.function_call_arguments.done', { ...at, arguments: item.arguments })
    send('response.output_item.done', { output_index, item })
  }
  send('response.completed', { response })
  return { events }
}
