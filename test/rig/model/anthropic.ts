import { listOf } from '../../../src/recorder/agents/fields.ts'
import { type Answer, type Dialect, type Message, newId, textIn } from './dialect.ts'
import type { Tokens } from './script.ts'

/** https://docs.claude.com/en/api/messages-streaming */
export const anthropic: Dialect = {
  serves: (path) => path.endsWith('/messages'),
  asked: ({ messages }) =>
    listOf(messages)
      .filter(({ role }) => role === 'user')
      .map(({ content }) => textIn(content))
      .join('\n'),
  answer(answer, { body }) {
    const usage = usageOf(answer.tokens)
    const content = contentOf(answer)
    const end = { stop_reason: answer.calls.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null }
    const message = { id: newId('msg'), type: 'message', role: 'assistant', model: body.model, content, ...end, usage }
    return body.stream ? streamed(message, content) : { json: message }
  },
  failure: ({ type, message }) => ({ type: 'error', error: { type, message } }),
}

type Block = { type: 'text'; text: string } | { type: 'tool_use'; id: string; name: string; input: unknown }

const contentOf = ({ text, calls }: Answer): Block[] => [
  ...(text === undefined ? [] : [{ type: 'text' as const, text }]),
  ...calls.map(({ tool, input }) => ({ type: 'tool_use' as const, id: newId('toolu'), name: tool.name, input })),
]

const usageOf = ({ input, cacheRead, cacheWrite, output }: Tokens) => ({
  input_tokens: input,
  cache_read_input_tokens: cacheRead,
  cache_creation_input_tokens: cacheWrite,
  cache_creation: { ephemeral_5m_input_tokens: cacheWrite, ephemeral_1h_input_tokens: 0 },
  output_tokens: output,
})

function streamed(message: { usage: object; stop_reason: string }, content: Block[]): Message {
  const events: { name: string; data: unknown }[] = []
  const send = (type: string, fields: object) => events.push({ name: type, data: { type, ...fields } })
  send('message_start', { message: { ...message, content: [], stop_reason: null } })
  for (const [index, block] of content.entries()) {
    const isText = block.type === 'text'
    send('content_block_start', { index, content_block: isText ? { ...block, text: '' } : { ...block, input: {} } })
    const delta = isText
      ? { type: 'text_delta', text: block.text }
      : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
    send('content_block_delta', { index, delta })
    send('content_block_stop', { index })
  }
  send('message_delta', { delta: { stop_reason: message.stop_reason, stop_sequence: null }, usage: message.usage })
  send('message_stop', {})
  return { events }
}
