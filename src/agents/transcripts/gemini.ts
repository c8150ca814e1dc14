import { totalOf } from '../cost.ts'
import { answerLength, countOf, defined, type Fields, fieldsOf, listOf, textOf, timeOf } from '../fields.ts'
import { type Budget, linesWith } from '../lines.ts'
import type { Told, Usage, Written } from '../seen.ts'

/** Reads the transcript of a Gemini CLI session. It contains each message of the model again as it grows. */
export async function readGemini(path: string, _: readonly string[], left: Budget): Promise<Told> {
  const requests = new Map<unknown, Usage>()
  let [model, answer]: (string | undefined)[] = []
  let written: Written | undefined
  for await (const line of linesWith(path, ['"tokens"', '"type":"user"'], left)) {
    for (const message of [line, ...listOf(fieldsOf(line.$set).messages)]) {
      const isUser = message.type === 'user'
      if (!isUser && message.type !== 'gemini') continue
      const isWhole = !isUser && listOf(message.toolCalls).length === 0
      written = defined({ isWhole, at: timeOf(message.timestamp) })
      if (isUser) {
        answer = undefined
        continue
      }
      // A resumed session repeats earlier messages without their tokens.
      if (message.tokens !== undefined) requests.set(message.id, usageOf(message))
      model = textOf(message.model, 100) ?? model
      answer = textOf(message.content, answerLength) ?? answer
    }
  }
  const usage = await totalOf([...requests.values()])
  return defined({ usage: usage && defined({ model, ...usage }), answer, written })
}

/** Thoughts are billed as output, and tool results as input. */
function usageOf({ model, tokens }: Fields): Usage {
  const { input, output, cached, thoughts, tool } = fieldsOf(tokens)
  return defined({
    model: textOf(model, 100),
    inputTokens: countOf(input) + countOf(tool),
    outputTokens: countOf(output) + countOf(thoughts),
    cacheReadTokens: countOf(cached),
  })
}
