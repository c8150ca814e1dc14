import { listOf } from '../../../src/recorder/agents/fields.ts'
import { allInput, type Dialect, newId, textIn } from './dialect.ts'
import type { Tokens } from './script.ts'

/** https://platform.openai.com/docs/api-reference/chat-streaming */
export const chat: Dialect = {
  serves: (path) => path.endsWith('/chat/completions'),
  asked: ({ messages }) =>
    listOf(messages)
      .filter(({ role }) => role === 'user')
      .map(({ content }) => textIn(content))
      .join('\n'),
  answer({ text, calls, tokens }, { body }) {
    const called = calls.map(({ tool, input }, index) => {
      const call = { name: tool.name, arguments: typeof input === 'string' ? input : JSON.stringify(input) }
      return { index, id: newId('call'), type: 'function', function: call }
    })
    const message = { role: 'assistant', content: text ?? null, ...(called.length > 0 && { tool_calls: called }) }
    const finish_reason = called.length > 0 ? 'tool_calls' : 'stop'
    const head = { id: newId('chatcmpl'), created: Math.floor(Date.now() / 1000), model: body.model }
    const usage = usageOf(tokens)
    if (!body.stream)
      return { json: { ...head, object: 'chat.completion', choices: [{ index: 0, message, finish_reason }], usage } }
    const chunk = (fields: object) => ({ data: { ...head, object: 'chat.completion.chunk', ...fields } })
    return {
      events: [
        chunk({ choices: [{ index: 0, delta: message, finish_reason: null }] }),
        chunk({ choices: [{ index: 0, delta: {}, finish_reason }] }),
        chunk({ choices: [], usage }),
      ],
      last: 'data: [DONE]\n\n',
    }
  },
  failure: ({ type, message }) => ({ error: { type, code: type, message } }),
}

const usageOf = (tokens: Tokens) => ({
  prompt_tokens: allInput(tokens),
  completion_tokens: tokens.output,
  total_tokens: allInput(tokens) + tokens.output,
  prompt_tokens_details: { cached_tokens: tokens.cacheRead },
})
