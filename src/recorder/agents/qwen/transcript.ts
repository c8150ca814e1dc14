import {
  createSpeech,
  type Moment,
  momentOf,
  type SkipReport,
  type TranscriptReader,
  untimed,
  withSubagents,
} from '../../transcripts/moment.ts'
import type { Written } from '../../transcripts/written.ts'
import { answerLength, countOf, defined, fieldsOf, type JsonFields, listOf, promptLength, textOf } from '../fields.ts'
import { writtenIn } from '../gemini/written.ts'
import { numberedWith, type ReadBudget } from '../lines.ts'
import type { SeenUsage } from '../seen.ts'
import { wordsIn } from './hooks.ts'

/** What a session of Qwen Code and its subagents did. */
export const qwenMoments: TranscriptReader = (path, subagents, pass, left) =>
  withSubagents(session(path, pass, left), subagents, (file, pass) => requestsIn(file, pass, left), pass)

const requestsIn = async (file: string, pass: SkipReport, left: ReadBudget): Promise<Moment[]> =>
  (await Array.fromAsync(session(file, pass, left))).flatMap(({ at, request }): Moment[] =>
    request ? [{ at, request: { ...request, bySubagent: true } }] : [],
  )

async function* session(path: string, pass: SkipReport, left: ReadBudget): AsyncGenerator<Moment> {
  const speech = createSpeech()
  let at = 0
  let known: string | undefined
  const words = ['"usageMetadata"', '"real_user"', ...(left.contents ? ['"toolCallResult"'] : [])]
  for await (const { line, fields } of numberedWith(path, words, (n, why) => pass(path, n, why), left)) {
    at = momentOf(fields.timestamp, at)
    if (at === 0) pass(path, line, untimed)
    const version = textOf(fields.version, 100)
    if (version !== undefined && version !== known) yield { at, session: { version } }
    known = version ?? known
    if (fields.type === 'user') {
      yield* speech.end()
      speech.forget()
      yield { at, step: { kind: 'prompt', text: wordsIn(textIn(fields, promptLength) ?? '') } }
    } else if (fields.type === 'tool_result') {
      yield { at, written: writtenBy(fields) }
    } else if (fields.usageMetadata !== undefined) {
      yield { at, request: { id: `${path} ${line}`, usage: usageOf(fields) } }
      speech.say(textIn(fields, answerLength), at, !usesTool(fields))
    }
  }
  yield* speech.end()
}

/** What a tool wrote. One that was refused displays what it would have written. */
function writtenBy({ toolCallResult, message }: JsonFields): Written[] {
  const { status, resultDisplay } = fieldsOf(toolCallResult)
  return status === 'success' ? writtenIn(resultDisplay, fieldsOf(message).parts) : []
}

/** The total counts thoughts, which are paid for as output. */
function usageOf({ model, usageMetadata }: JsonFields): SeenUsage {
  const { promptTokenCount, candidatesTokenCount, totalTokenCount, cachedContentTokenCount } = fieldsOf(usageMetadata)
  const input = countOf(promptTokenCount)
  return defined({
    model: textOf(model, 100),
    inputTokens: input,
    outputTokens: Math.max(countOf(candidatesTokenCount), countOf(totalTokenCount) - input),
    cacheReadTokens: countOf(cachedContentTokenCount),
  })
}

const usesTool = ({ message }: JsonFields) =>
  listOf(fieldsOf(message).parts).some(({ functionCall }) => functionCall !== undefined)

function textIn({ message }: JsonFields, length: number): string | undefined {
  const texts = listOf(fieldsOf(message).parts).flatMap(({ text, thought }) =>
    typeof text === 'string' && thought !== true ? [text] : [],
  )
  return textOf(texts.join('\n'), length)
}
