import { createSpeech, type Moment, momentOf, type SkipReport, type Speech, untimed } from '../../transcripts/moment.ts'
import { answerLength, countOf, defined, fieldsOf, type JsonFields, listOf, promptLength, textOf } from '../fields.ts'
import { numberedWith, type ReadBudget } from '../lines.ts'
import type { SeenUsage } from '../seen.ts'
import { writtenIn } from './written.ts'

/** What a session of Gemini CLI did. Its file contains each message of the model again as it grows. */
export async function* geminiMoments(
  path: string,
  _: readonly string[],
  pass: SkipReport,
  left: ReadBudget,
): AsyncGenerator<Moment> {
  const speech = createSpeech()
  const known = new Set<unknown>()
  const tools = new Set<unknown>()
  let at = 0
  const words = ['"type":"gemini"', '"type":"user"']
  for await (const { line, fields } of numberedWith(path, words, (n, why) => pass(path, n, why), left)) {
    // A resumed session repeats earlier messages without their tokens.
    const again = listOf(fieldsOf(fields.$set).messages).filter(({ id }) => !known.has(id))
    for (const message of [...again, fields]) {
      if (message.type !== 'user' && message.type !== 'gemini') continue
      at = momentOf(message.timestamp, at)
      known.add(message.id)
      if (at === 0) pass(path, line, untimed)
      yield* momentsIn(message, at, speech)
      if (left.contents) yield* writtenBy(message, at, tools)
    }
  }
  yield* speech.end()
}

function* momentsIn(message: JsonFields, at: number, speech: Speech): Generator<Moment> {
  if (message.type === 'user') {
    const text = promptIn(message)
    if (text === undefined) return
    yield* speech.end()
    yield { at, step: { kind: 'prompt', text } }
    return
  }
  if (message.tokens !== undefined) yield { at, request: { id: message.id, usage: usageOf(message) } }
  speech.say(textOf(message.content, answerLength), at, listOf(message.toolCalls).length === 0)
}

/** What tools of a message wrote that are not `known` yet. One that was refused displays what it would have written. */
function* writtenBy({ toolCalls }: JsonFields, at: number, known: Set<unknown>): Generator<Moment> {
  for (const { id, status, result, resultDisplay } of listOf(toolCalls)) {
    if (status !== 'success' || known.has(id)) continue
    known.add(id)
    yield { at, written: writtenIn(resultDisplay, result) }
  }
}

/** The text of a person's message; undefined for the result of a tool, and for what the agent itself adds. */
function promptIn({ content }: JsonFields): string | undefined {
  const texts = typeof content === 'string' ? [content] : listOf(content).map(({ text }) => text)
  const text = textOf(texts.filter((one) => typeof one === 'string').join('\n'), promptLength)
  return text?.startsWith('<session_context>') ? undefined : text
}

/** Thoughts are billed as output, and tool results as input. */
function usageOf({ model, tokens }: JsonFields): SeenUsage {
  const { input, output, cached, thoughts, tool } = fieldsOf(tokens)
  return defined({
    model: textOf(model, 100),
    inputTokens: countOf(input) + countOf(tool),
    outputTokens: countOf(output) + countOf(thoughts),
    cacheReadTokens: countOf(cached),
  })
}
