import { listOf } from '../../../src/recorder/agents/fields.ts'
import { allInput, type Dialect, newId, textIn } from './dialect.ts'

/** https://ai.google.dev/api/generate-content */
export const gemini: Dialect = {
  serves: (path) => /:(streamG|g)enerateContent$/.test(path),
  asked: ({ contents }) =>
    listOf(contents)
      .filter(({ role }) => role === 'user')
      .map(({ parts }) => textIn(parts))
      .join('\n'),
  answer({ text, calls, tokens }, { path }) {
    const parts = [
      ...(text === undefined ? [] : [{ text }]),
      ...calls.map(({ tool, input }) => ({ functionCall: { id: newId('call'), name: tool.name, args: input } })),
    ]
    const answer = {
      candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }],
      usageMetadata: {
        promptTokenCount: allInput(tokens),
        cachedContentTokenCount: tokens.cacheRead,
        candidatesTokenCount: tokens.output,
        totalTokenCount: allInput(tokens) + tokens.output,
      },
      modelVersion: /models\/([^:/]+):/.exec(path)?.[1],
      responseId: newId('response'),
    }
    return path.includes('stream') ? { events: [{ data: answer }] } : { json: answer }
  },
  failure: ({ status, type, message }) => ({ error: { code: status, status: type, message } }),
}
