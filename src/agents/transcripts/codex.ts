import { failureOf } from '../failure.ts'
import { answerLength, countOf, defined, type Fields, fieldsOf, numberOf, textOf } from '../fields.ts'
import { type Budget, budget, linesWith } from '../lines.ts'
import type { Told, Usage } from '../seen.ts'
import { plus, tokensOf } from '../usage.ts'

/** What a session of Codex says of itself. Each of its subagents has a rollout of its own, which its end names. */
export async function readCodex(path: string, subagents: readonly string[]): Promise<Told> {
  const left = budget()
  const { id: _, commands = {}, ...told } = await rolloutIn(path, left)
  const others: NonNullable<Told['subagents']> = []
  let { usage } = told
  for (const file of subagents) {
    // One that is gone takes nothing else with it.
    const other: Rollout = await rolloutIn(file, left).catch(() => ({}))
    Object.assign(commands, other.commands)
    if (!other.usage) continue
    usage = plus(usage, other.usage)
    others.push(defined({ id: other.id, tokens: tokensOf(other.usage) }))
  }
  return defined({ ...told, usage, commands, subagents: others.length > 0 ? others : undefined })
}

type Rollout = Told & { id?: string }

const words = ['"session_meta"', '"turn_context"', '"token_count"', '"task_', '"turn_aborted"', '"CommandExecution"']

async function rolloutIn(path: string, left: Budget): Promise<Rollout> {
  const usage = createSum()
  const commands: NonNullable<Told['commands']> = {}
  let end: Pick<Told, 'failure' | 'interrupted' | 'answer'> = {}
  let [id, model]: (string | undefined)[] = []
  for await (const { type, payload } of linesWith(path, words, left)) {
    const fields = fieldsOf(payload)
    if (type === 'session_meta') id ??= textOf(fields.id, 200)
    else if (type === 'turn_context') model = textOf(fields.model, 100) ?? model
    else if (type === 'event_msg') {
      usage.add(fieldsOf(fieldsOf(fields.info).total_token_usage))
      Object.assign(commands, commandIn(fields))
      end = endOf(fields) ?? end
    }
  }
  const total = usage.total()
  return defined({ ...end, id, commands, usage: total && defined({ model, ...total }) })
}

/** The totals of a rollout. They begin again where some versions take a session up, so what was before is added. */
function createSum() {
  let before: Usage | undefined
  let latest: Usage | undefined
  return {
    add({ input_tokens, output_tokens, cached_input_tokens, cache_write_input_tokens }: Fields) {
      if (input_tokens === undefined) return
      const total = {
        inputTokens: countOf(input_tokens),
        outputTokens: countOf(output_tokens),
        cacheReadTokens: countOf(cached_input_tokens),
        cacheWriteTokens: countOf(cache_write_input_tokens),
      }
      if (latest && total.inputTokens < latest.inputTokens) before = plus(before, latest)
      latest = total
    },
    total: () => plus(before, latest),
  }
}

/** How the last turn stands after an event; undefined for one that does not change it. */
function endOf(event: Fields): Pick<Told, 'failure' | 'interrupted' | 'answer'> | undefined {
  if (event.type === 'task_started') return {}
  if (event.type === 'turn_aborted') return { interrupted: true }
  if (event.type !== 'task_complete') return undefined
  const { error, last_agent_message } = event
  if (typeof error !== 'object' || error === null) return defined({ answer: textOf(last_agent_message, answerLength) })
  const { message, codex_error_info: info } = fieldsOf(error)
  return { failure: failureOf(typeof info === 'string' ? info : Object.keys(fieldsOf(info))[0], message) }
}

function commandIn({ type, item }: Fields): Told['commands'] {
  const { type: kind, id, exit_code, duration } = fieldsOf(item)
  const exitCode = numberOf(exit_code)
  if (type !== 'item_completed' || kind !== 'CommandExecution' || typeof id !== 'string' || exitCode === undefined)
    return {}
  const { secs, nanos } = fieldsOf(duration)
  const durationMs = Math.round(countOf(secs) * 1_000 + countOf(nanos) / 1_000_000)
  // Some versions measure only how long it took to start.
  return { [id]: { exitCode, ...(durationMs > 0 && { durationMs }) } }
}
