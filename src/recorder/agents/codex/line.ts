import { failureOf } from '../failure.ts'
import { answerLength, countOf, defined, type Fields, fieldsOf, numberOf, textOf } from '../fields.ts'
import type { ToldTurn, Usage } from '../seen.ts'

// What single lines of Codex' rollouts say.

/** The totals of a session so far, and what its last request used. */
export function countIn({ info }: Fields): { total: Usage; last: Usage | undefined } | undefined {
  const { total_token_usage, last_token_usage } = fieldsOf(info)
  const total = usageIn(total_token_usage)
  return total && { total, last: usageIn(last_token_usage) }
}

function usageIn(counts: unknown): Usage | undefined {
  const { input_tokens, output_tokens, cached_input_tokens, cache_write_input_tokens } = fieldsOf(counts)
  if (input_tokens === undefined) return undefined
  return {
    inputTokens: countOf(input_tokens),
    outputTokens: countOf(output_tokens),
    cacheReadTokens: countOf(cached_input_tokens),
    cacheWriteTokens: countOf(cache_write_input_tokens),
  }
}

const figures = ['inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens'] as const

/**
 * The usage between two totals. The first total of a fork contains that of its parent; in some versions, totals restart
 * when a session is resumed.
 */
export function since(before: Usage | undefined, { total, last }: { total: Usage; last: Usage | undefined }): Usage {
  if (!before || total.inputTokens < before.inputTokens) return last ?? total
  const used: Usage = { inputTokens: 0, outputTokens: 0 }
  for (const figure of figures) used[figure] = Math.max(0, (total[figure] ?? 0) - (before[figure] ?? 0))
  return used
}

/** How a turn ended by that event; undefined if it did not. */
export function endOf(event: Fields): Pick<ToldTurn, 'failure' | 'interrupted' | 'answer'> | undefined {
  if (event.type === 'turn_aborted') return event.reason === 'interrupted' ? { interrupted: true } : {}
  if (event.type !== 'task_complete') return undefined
  const { error, last_agent_message } = event
  if (typeof error !== 'object' || error === null) return defined({ answer: textOf(last_agent_message, answerLength) })
  const { message, codex_error_info: info } = fieldsOf(error)
  return { failure: failureOf(typeof info === 'string' ? info : Object.keys(fieldsOf(info))[0], message) }
}

/** The exit code of a command; undefined if Codex ended the command itself. */
export const exitCodeOf = ({ exit_code }: Fields): number | undefined =>
  exit_code === -1 ? undefined : numberOf(exit_code)

export function resultOf(item: Fields): Record<string, Result> {
  const { type, id, duration } = item
  const exitCode = exitCodeOf(item)
  if (type !== 'CommandExecution' || typeof id !== 'string' || exitCode === undefined) return {}
  const { secs, nanos } = fieldsOf(duration)
  const durationMs = Math.round(countOf(secs) * 1_000 + countOf(nanos) / 1_000_000)
  // Some versions measure only the start-up time.
  return { [id]: { exitCode, ...(durationMs > 0 && { durationMs }) } }
}

interface Result {
  exitCode?: number
  durationMs?: number
}
