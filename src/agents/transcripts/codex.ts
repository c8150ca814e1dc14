import { totalOf } from '../cost.ts'
import { failureOf } from '../failure.ts'
import { answerLength, countOf, defined, type Fields, fieldsOf, numberOf, textOf, timeOf } from '../fields.ts'
import { type Budget, linesWith } from '../lines.ts'
import type { Told, Usage, Written } from '../seen.ts'
import { plus, tokensOf } from '../usage.ts'

/** Reads the transcript of a Codex session. Each subagent has its own rollout, which is named at its end. */
export async function readCodex(path: string, subagents: readonly string[], left: Budget): Promise<Told> {
  const { id: _, requests, model, commands, ...end } = await rolloutIn(path, left)
  const others: NonNullable<Told['subagents']> = []
  for (const file of subagents) {
    // A missing rollout does not affect the rest.
    const other = await rolloutIn(file, left).catch(() => undefined)
    const used = other?.requests.reduce<Usage | undefined>(plus, undefined)
    if (!other || !used) continue
    for (const request of other.requests) requests.push(request)
    Object.assign(commands, other.commands)
    others.push(defined({ id: other.id, tokens: tokensOf(used) }))
  }
  const usage = await totalOf(requests)
  return defined({
    ...end,
    usage: usage && defined({ model, ...usage }),
    commands,
    subagents: others.length > 0 ? others : undefined,
  })
}

type End = Pick<Told, 'failure' | 'interrupted' | 'answer'>

interface Rollout extends End {
  id?: string
  model?: string
  requests: Usage[]
  written?: Written
  commands: NonNullable<Told['commands']>
}

const words = ['"session_meta"', '"turn_context"', '"token_count"', '"task_', '"turn_aborted"', '"CommandExecution"']

async function rolloutIn(path: string, left: Budget): Promise<Rollout> {
  const commands: Rollout['commands'] = {}
  const requests: Usage[] = []
  let [end, before]: [End, Usage | undefined] = [{}, undefined]
  let [id, model]: (string | undefined)[] = []
  let written: Written | undefined
  for await (const { type, payload, timestamp } of linesWith(path, words, left)) {
    const fields = fieldsOf(payload)
    if (type === 'session_meta') id ??= textOf(fields.id, 200)
    else if (type === 'turn_context') model = textOf(fields.model, 100) ?? model
    else if (type === 'event_msg') {
      const total = totalIn(fields)
      if (total) requests.push(defined({ model, ...since(before, total) }))
      before = total ?? before
      Object.assign(commands, commandIn(fields))
      const now = endOf(fields)
      if (!now) continue
      end = now
      written = defined({ isWhole: fields.type !== 'task_started', at: timeOf(timestamp) })
    }
  }
  return { ...end, ...defined({ id, model, written }), requests, commands }
}

export function totalIn({ info }: Fields): Usage | undefined {
  const { input_tokens, output_tokens, cached_input_tokens, cache_write_input_tokens } = fieldsOf(
    fieldsOf(info).total_token_usage,
  )
  if (input_tokens === undefined) return undefined
  return {
    inputTokens: countOf(input_tokens),
    outputTokens: countOf(output_tokens),
    cacheReadTokens: countOf(cached_input_tokens),
    cacheWriteTokens: countOf(cache_write_input_tokens),
  }
}

/** The usage between two totals. In some versions, totals restart when a session is resumed. */
export function since(before: Usage | undefined, total: Usage): Usage {
  if (!before || total.inputTokens < before.inputTokens) return total
  const less = (name: 'inputTokens' | 'outputTokens' | 'cacheReadTokens' | 'cacheWriteTokens') =>
    Math.max(0, (total[name] ?? 0) - (before[name] ?? 0))
  return {
    inputTokens: less('inputTokens'),
    outputTokens: less('outputTokens'),
    cacheReadTokens: less('cacheReadTokens'),
    cacheWriteTokens: less('cacheWriteTokens'),
  }
}

/** The state of the last turn after an event; undefined if it does not change. */
export function endOf(event: Fields): End | undefined {
  if (event.type === 'task_started') return {}
  if (event.type === 'turn_aborted') return event.reason === 'interrupted' ? { interrupted: true } : {}
  if (event.type !== 'task_complete') return undefined
  const { error, last_agent_message } = event
  if (typeof error !== 'object' || error === null) return defined({ answer: textOf(last_agent_message, answerLength) })
  const { message, codex_error_info: info } = fieldsOf(error)
  return { failure: failureOf(typeof info === 'string' ? info : Object.keys(fieldsOf(info))[0], message) }
}

export function commandIn({ type, item }: Fields): Told['commands'] {
  const { type: kind, id, exit_code, duration } = fieldsOf(item)
  const exitCode = numberOf(exit_code)
  if (type !== 'item_completed' || kind !== 'CommandExecution' || typeof id !== 'string' || exitCode === undefined)
    return {}
  const { secs, nanos } = fieldsOf(duration)
  const durationMs = Math.round(countOf(secs) * 1_000 + countOf(nanos) / 1_000_000)
  // Some versions measure only the start-up time.
  return { [id]: { exitCode, ...(durationMs > 0 && { durationMs }) } }
}
