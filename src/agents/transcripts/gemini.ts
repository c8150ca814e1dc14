import { totalOf } from '../cost.ts'
import { answerLength, countOf, defined, type Fields, fieldsOf, listOf, textOf } from '../fields.ts'
import { linesWith } from '../lines.ts'
import type { Told, Usage } from '../seen.ts'

/** What a session of Gemini CLI says of itself: each message of the model again and again, as it grows. */
export async function readGemini(path: string): Promise<Told> {
  const requests = new Map<unknown, Usage>()
  let [model, answer]: (string | undefined)[] = []
  for await (const line of linesWith(path, ['"tokens"', '"type":"user"'])) {
    for (const message of [line, ...listOf(fieldsOf(line.$set).messages)]) {
      if (message.type === 'user') answer = undefined
      if (message.type !== 'gemini') continue
      // A session that is taken up repeats what was said before, without its tokens.
      if (message.tokens !== undefined) requests.set(message.id, usageOf(message))
      model = textOf(message.model, 100) ?? model
      answer = textOf(message.content, answerLength) ?? answer
    }
  }
  const usage = await totalOf([...requests.values()])
  return defined({ usage: usage && defined({ model, ...usage }), answer })
}

/** Thoughts are paid for as output; what tools bring in, as input. */
function usageOf({ model, tokens }: Fields): Usage {
  const { input, output, cached, thoughts, tool } = fieldsOf(tokens)
  return defined({
    model: textOf(model, 100),
    inputTokens: countOf(input) + countOf(tool),
    outputTokens: countOf(output) + countOf(thoughts),
    cacheReadTokens: countOf(cached),
  })
}
