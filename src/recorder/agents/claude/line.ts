import { answerLength, failureOf, fieldsOf, type JsonFields, listOf, startOf, textOf } from '../fields.ts'
import type { SeenUsage } from '../seen.ts'
import { plus, rounded, usageBeside, usageWithin } from '../usage.ts'

// What single lines of Claude Code's transcripts say.

/** Whether a line is copied from another session, of which this one is a fork. */
export const isCopy = ({ forkedFrom, requestSessionId, sessionId }: JsonFields): boolean =>
  forkedFrom !== undefined || (typeof requestSessionId === 'string' && requestSessionId !== sessionId)

export function usageOf(usage: JsonFields): SeenUsage {
  const { cache_read_input_tokens: read, cache_creation_input_tokens: write } = usage
  return usageBeside({ input: usage.input_tokens, output: usage.output_tokens, read, write })
}

/** The total of a whole session, including subagents and summaries. */
export function sumOf({ modelUsage, totalCostUSD, hasUnknownModelCost }: JsonFields): SeenUsage | undefined {
  const sum = Object.values(fieldsOf(modelUsage))
    .map(fieldsOf)
    .map(({ inputTokens: input, outputTokens: output, cacheReadInputTokens: read, cacheCreationInputTokens: write }) =>
      usageBeside({ input, output, read, write }),
    )
    .reduce<SeenUsage | undefined>(plus, undefined)
  const isKnown = typeof totalCostUSD === 'number' && totalCostUSD >= 0 && hasUnknownModelCost !== true
  return sum && usageWithin({ ...sum, ...(isKnown && { costUsd: rounded(totalCostUSD), costSource: 'reported' }) })
}

export const textIn = ({ content }: JsonFields): string | undefined => {
  if (typeof content === 'string') return textOf(content, answerLength)
  const texts = listOf(content).flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? [text] : []))
  return textOf(texts.join('\n'), answerLength)
}

/** The text of a user's message; empty if it is only an image or a file. Undefined for the result of a tool. */
export function promptIn(message: JsonFields): string | undefined {
  const text = textIn(message)
  const parts = listOf(message.content)
  const isShown = parts.length > 0 && parts.every(({ type }) => type === 'image' || type === 'document')
  return text ?? (isShown ? '' : undefined)
}

export const apiFailure = ({ error, errorDetails }: JsonFields, message: JsonFields) =>
  failureOf(error, textIn(message), errorDetails)

/** A command as the user typed it: one of Claude Code's own, or one that the user's shell ran. */
export function commandIn(text: string): string | undefined {
  const shell = elementIn(text, 'bash-input')
  if (shell !== undefined) return `!${shell}`
  const name = elementIn(text, 'command-name')
  if (name === undefined) return undefined
  const words = elementIn(text, 'command-args')
  return words ? `${name} ${words}` : name
}

/** The exit code of a command in the background, as its report to the agent has it, by the id of the tool use. */
export function resultIn(text: string): Record<string, { exitCode: number }> | undefined {
  if (!text.trimStart().startsWith('<task-notification>')) return undefined
  const [id, summary] = [elementIn(text, 'tool-use-id'), elementIn(text, 'summary')]
  const code = /\bexit code (\d{1,3})\)?$/.exec(summary?.slice(-100) ?? '')?.[1]
  return id === undefined || code === undefined ? undefined : { [id]: { exitCode: Number(code) } }
}

/** What the first element of that name contains. */
function elementIn(text: string, name: string): string | undefined {
  const begin = `<${name}>`
  const from = text.indexOf(begin)
  const until = from < 0 ? -1 : text.indexOf(`</${name}>`, from)
  return until < 0 ? undefined : text.slice(from + begin.length, until).trim()
}

/** The messages that wait until Claude Code takes them. */
export interface Queue {
  change(operation: JsonFields, at: number): void
  /** When the user sent the message with that text, which leaves the queue; undefined for one that did not wait. */
  take(prompt: string): number | undefined
}

/** How many messages to remember, and how much of each. */
const most = { messages: 1_000, characters: 1_000 }

export function createQueue(): Queue {
  const waiting: { text: string; at: number }[] = []
  const shortOf = (text: string) => startOf(text.trim(), most.characters)
  return {
    change({ operation, content }, at) {
      if (operation !== 'enqueue' || typeof content !== 'string') return
      waiting.push({ text: shortOf(content), at })
      if (waiting.length > most.messages) waiting.shift()
    },
    take(prompt) {
      const text = shortOf(prompt)
      const index = waiting.findIndex((one) => one.text === text)
      return index < 0 ? undefined : waiting.splice(index, 1)[0]?.at
    },
  }
}
