import { totalOf } from '../cost.ts'
import { answerLength, countOf, defined, type Fields, fieldsOf, listOf, textOf, timeOf } from '../fields.ts'
import { type Budget, linesWith } from '../lines.ts'
import type { Told, Usage, Written } from '../seen.ts'

/** What a session of Qwen Code says of itself, its subagents included. */
export async function readQwen(path: string, subagents: readonly string[], left: Budget): Promise<Told> {
  const requests: Usage[] = []
  let [model, answer]: (string | undefined)[] = []
  let written: Written | undefined
  for await (const line of linesWith(path, ['"usageMetadata"', '"real_user"'], left)) {
    if (line.type === 'user') {
      answer = undefined
      written = defined({ isWhole: false, at: timeOf(line.timestamp) })
    }
    if (line.type !== 'assistant') continue
    written = defined({ isWhole: !usesTool(line), at: timeOf(line.timestamp) })
    requests.push(usageOf(line))
    model = textOf(line.model, 100) ?? model
    answer = textIn(line) ?? answer
  }
  for (const file of subagents) {
    try {
      for await (const line of linesWith(file, '"usageMetadata"', left)) requests.push(usageOf(line))
    } catch {
      // One that is gone takes nothing else with it.
    }
  }
  const usage = await totalOf(requests)
  return defined({ usage: usage && defined({ model, ...usage }), answer, written })
}

/** The total counts thoughts, which are paid for as output. */
function usageOf({ model, usageMetadata }: Fields): Usage {
  const { promptTokenCount, candidatesTokenCount, totalTokenCount, cachedContentTokenCount } = fieldsOf(usageMetadata)
  const input = countOf(promptTokenCount)
  return defined({
    model: textOf(model, 100),
    inputTokens: input,
    outputTokens: Math.max(countOf(candidatesTokenCount), countOf(totalTokenCount) - input),
    cacheReadTokens: countOf(cachedContentTokenCount),
  })
}

const usesTool = ({ message }: Fields) =>
  listOf(fieldsOf(message).parts).some(({ functionCall }) => functionCall !== undefined)

function textIn({ message }: Fields): string | undefined {
  const texts = listOf(fieldsOf(message).parts).flatMap(({ text, thought }) =>
    typeof text === 'string' && thought !== true ? [text] : [],
  )
  return textOf(texts.join('\n'), answerLength)
}
