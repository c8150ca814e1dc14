import { basename } from 'node:path'
import { totalOf } from '../cost.ts'
import { failureOf } from '../failure.ts'
import { answerLength, countOf, defined, type Fields, fieldsOf, listOf, textOf, timeOf } from '../fields.ts'
import { type Budget, filesIn, linesWith } from '../lines.ts'
import type { Told, Usage, Written } from '../seen.ts'
import { plus, rounded, tokensOf, usageWithin } from '../usage.ts'

/** The conversation of the agent or of a subagent. */
interface Conversation {
  requests: Usage[]
  /** Those after the last total. */
  later: Usage[]
  model?: string
  /** The state of the last turn. */
  end: Pick<Told, 'failure' | 'interrupted' | 'answer'>
  written?: Written
  /** The last total of the whole session that Claude Code wrote, including subagents and summaries. */
  sum?: Usage
  summedAt?: number
  /** It begins with a copy of another session, whose use the total contains. */
  isFork?: true
}

/** Reads the transcript of a Claude Code session. Its subagents have their own files beside it. */
export async function readClaude(path: string, _: readonly string[], left: Budget): Promise<Told> {
  const { end, written, model, sum, summedAt, isFork, requests, later } = await conversationIn(path, left)
  const subagents: NonNullable<Told['subagents']> = []
  for (const file of await filesIn(`${path.replace(/\.jsonl$/, '')}/subagents`, '.jsonl')) {
    const other = await conversationIn(file, left, summedAt)
    for (const request of other.requests) requests.push(request)
    for (const request of other.later) later.push(request)
    const used = other.requests.reduce<Usage | undefined>(plus, undefined)
    if (used) subagents.push({ ...(await nameOf(file, left)), tokens: tokensOf(used) })
  }
  const counted = await totalOf(requests)
  const whole = sum && !isFork ? withLater(sum, await totalOf(later)) : undefined
  // A lower total covers only part of the session.
  const usage = whole && tokensOf(whole) >= (counted ? tokensOf(counted) : 0) ? whole : counted
  return defined({
    usage: usage && defined({ model, ...usage }),
    ...end,
    subagents: subagents.length > 0 ? subagents : undefined,
    written,
  })
}

/** A total with what was used after it, whose cost is an estimate. */
function withLater(sum: Usage, later: Usage | undefined): Usage {
  if (!later) return sum
  const { costUsd: before, costSource: _, ...tokens } = sum
  const { costUsd: after, costSource: __, ...more } = later
  const costUsd = before === undefined || after === undefined ? undefined : rounded(before + after)
  return { ...(plus(tokens, more) as Usage), ...(costUsd !== undefined && { costUsd, costSource: 'estimated' }) }
}

/** The id of a subagent, and its type if there is a file with it. */
async function nameOf(file: string, left: Budget): Promise<{ id: string; name?: string }> {
  const id = basename(file, '.jsonl').replace(/^agent-/, '')
  try {
    for await (const { agentType } of linesWith(file.replace(/\.jsonl$/, '.meta.json'), '"agentType"', left)) {
      return defined({ id, name: textOf(agentType, 100) })
    }
  } catch {
    // Older versions have no such file.
  }
  return { id }
}

const words = ['"usage"', '"cost-state"', '"type":"user"', '"isApiErrorMessage"']

/** Whether a line is copied from another session, of which this one is a fork. */
export const isCopy = ({ forkedFrom, requestSessionId, sessionId }: Fields): boolean =>
  forkedFrom !== undefined || (typeof requestSessionId === 'string' && requestSessionId !== sessionId)

/** Reads a conversation. In that of a subagent, `summedAt` is when the session's last total was written. */
async function conversationIn(path: string, left: Budget, summedAt?: number): Promise<Conversation> {
  // A message is written once per part, each time with its usage so far.
  const messages = new Map<unknown, Usage>()
  const later = new Set<unknown>()
  const found: Conversation = { requests: [], later: [], end: {} }
  for await (const line of linesWith(path, words, left)) {
    if (line.type === 'cost-state') {
      Object.assign(found, { sum: sumOf(line), summedAt: found.written?.at ?? Number.POSITIVE_INFINITY })
      later.clear()
    }
    found.written = writtenBy(line) ?? found.written
    if (line.type === 'user') found.end = afterUser(line, found.end)
    if (line.type !== 'assistant') continue
    if (isCopy(line)) {
      found.isFork = true
      continue
    }
    const message = fieldsOf(line.message)
    if (line.isApiErrorMessage === true) {
      found.end = { failure: apiFailure(line, message) }
      continue
    }
    const answer = textIn(message)
    if (answer !== undefined) found.end = { answer }
    if (message.model === '<synthetic>') continue
    const model = textOf(message.model, 100)
    const isLater = summedAt === undefined || (timeOf(line.timestamp) ?? 0) > summedAt
    if (isLater && !messages.has(message.id)) later.add(message.id)
    messages.set(message.id, defined({ model, ...usageOf(fieldsOf(message.usage)) }))
    found.model = model ?? found.model
  }
  const requests = [...messages.values()]
  return { ...found, requests, later: [...messages].flatMap(([id, usage]) => (later.has(id) ? [usage] : [])) }
}

/** How much of the turn is written after a line; undefined for a line that is not part of it. */
function writtenBy(line: Fields): Written | undefined {
  const at = timeOf(line.timestamp)
  const message = fieldsOf(line.message)
  if (line.type === 'user' && line.isMeta !== true) {
    return defined({ isWhole: afterUser(line, {}).interrupted === true, at })
  }
  if (line.type !== 'assistant') return undefined
  const reason = message.stop_reason
  return defined({
    isWhole: line.isApiErrorMessage === true || (typeof reason === 'string' && reason !== 'tool_use'),
    at,
  })
}

export function usageOf(usage: Fields): Usage {
  const [read, write] = [countOf(usage.cache_read_input_tokens), countOf(usage.cache_creation_input_tokens)]
  return {
    inputTokens: countOf(usage.input_tokens) + read + write,
    outputTokens: countOf(usage.output_tokens),
    cacheReadTokens: read,
    cacheWriteTokens: write,
  }
}

function sumOf({ modelUsage, totalCostUSD, hasUnknownModelCost }: Fields): Usage | undefined {
  const sum = Object.values(fieldsOf(modelUsage))
    .map(fieldsOf)
    .map(({ inputTokens, outputTokens, cacheReadInputTokens, cacheCreationInputTokens }): Usage => {
      const [read, write] = [countOf(cacheReadInputTokens), countOf(cacheCreationInputTokens)]
      return {
        inputTokens: countOf(inputTokens) + read + write,
        outputTokens: countOf(outputTokens),
        cacheReadTokens: read,
        cacheWriteTokens: write,
      }
    })
    .reduce<Usage | undefined>(plus, undefined)
  const isKnown = typeof totalCostUSD === 'number' && totalCostUSD >= 0 && hasUnknownModelCost !== true
  return sum && usageWithin({ ...sum, ...(isKnown && { costUsd: rounded(totalCostUSD), costSource: 'reported' }) })
}

export const textIn = ({ content }: Fields): string | undefined => {
  if (typeof content === 'string') return textOf(content, answerLength)
  const texts = listOf(content).flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? [text] : []))
  return textOf(texts.join('\n'), answerLength)
}

/** The text of a user's message; empty if it is only an image or a file. Undefined for the result of a tool. */
export function promptIn(message: Fields): string | undefined {
  const text = textIn(message)
  const parts = listOf(message.content)
  const isShown = parts.length > 0 && parts.every(({ type }) => type === 'image' || type === 'document')
  return text ?? (isShown ? '' : undefined)
}

export const apiFailure = ({ error, errorDetails }: Fields, message: Fields) =>
  failureOf(error, textIn(message), errorDetails)

/** A prompt, the output of a command, or the mark of an interruption by the user. */
function afterUser(line: Fields, before: Conversation['end']): Conversation['end'] {
  const text = promptIn(fieldsOf(line.message))
  if (text === undefined || line.isMeta === true) return before
  return text.startsWith('[Request interrupted by user') ? { interrupted: true } : {}
}
