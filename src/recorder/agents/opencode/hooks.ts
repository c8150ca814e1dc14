import { type AgentDialect, type EventReaders, seenOf } from '../dialect.ts'
import {
  answerLength,
  countOf,
  defined,
  failureOf,
  fieldsOf,
  type JsonFields,
  listOf,
  numberOf,
  promptLength,
  textOf,
} from '../fields.ts'
import type { Seen, SeenUsage, Step, TurnEnd } from '../seen.ts'
import { begin, toolUse } from '../tools.ts'
import { plus, tokensOf, usageBeside } from '../usage.ts'

// The documents of Conduct's own plugin (opencode-plugin.ts), based on https://opencode.ai/docs/plugins.

const events: EventReaders = {
  start: () => ({ kind: 'start', source: 'startup' }),
  prompt: ({ text }) => {
    const words = textOf(unquoted(text), promptLength)
    return words === undefined ? undefined : { kind: 'prompt', text: words }
  },
  begin: ({ tool, id, input }) => begin(tool, input, id),
  tool: used,
  wait: ({ tool, patterns }) => {
    const target = textOf(Array.isArray(patterns) ? patterns[0] : undefined, 300)
    return { kind: 'wait', ...defined({ tool: textOf(tool, 200), target }) }
  },
  resume: () => ({ kind: 'resume', state: 'working' }),
  compact: () => ({ kind: 'compact' }),
  subagent: ({ subagent }) => {
    const { id, name } = fieldsOf(subagent)
    return { kind: 'subagent', name: textOf(name, 100) ?? 'unknown', ...defined({ id: textOf(id, 200) }) }
  },
  turn: (document) => ({ kind: 'turn', ...endOf(document) }),
  end: () => ({ kind: 'end' }),
}

/** `opencode run` adds quotes around a prompt of several words. */
function unquoted(text: unknown): unknown {
  const inner = typeof text === 'string' && /^"((?:[^"\\]|\\[\s\S])*)"$/.exec(text.slice(0, promptLength))?.[1]
  return inner ? inner.replaceAll('\\"', '"') : text
}

function used({ tool, id, input, exit, time, error, subagent }: JsonFields): Step {
  const { start, end } = fieldsOf(time)
  const words = textOf(error) ?? ''
  const by = fieldsOf(subagent)
  return {
    kind: 'tool',
    ...toolUse(tool, input, {
      id: textOf(id, 200),
      exitCode: numberOf(exit),
      durationMs: numberOf(Number(end) - Number(start)),
      failed: error === undefined ? undefined : true,
      refused: /rejected permission|prevents you from using/.test(words) ? true : undefined,
      by: textOf(by.name, 100) ?? textOf(by.id, 200),
    }),
  }
}

function endOf({ answer, error, steps, model }: JsonFields): TurnEnd {
  const { name, data } = fieldsOf(error)
  const usage = listOf(steps).map(usageOf).filter(isReported).reduce<SeenUsage | undefined>(plus, undefined)
  if (name === 'MessageAbortedError') return defined({ interrupted: true, usage: withModel(usage, model) })
  return defined({
    answer: textOf(answer, answerLength),
    failure:
      error === undefined
        ? undefined
        : failureOf(textOf(name)?.replace(/(?<=[a-z])(?=[A-Z])/g, '_'), fieldsOf(data).message),
    usage: withModel(usage, model),
  })
}

const withModel = (usage: SeenUsage | undefined, model: unknown) =>
  usage && defined({ model: textOf(model, 100), ...usage })

/** Where a model does not say what it used, OpenCode reports 0 for all. */
const isReported = (usage: SeenUsage) => tokensOf(usage) > 0

/** OpenCode counts cached tokens apart from other input, and reasoning apart from other output. */
function usageOf({ tokens, cost }: JsonFields): SeenUsage {
  const { input, output, reasoning, cache } = fieldsOf(tokens)
  const { read, write } = fieldsOf(cache)
  const usage = usageBeside({ input, output, read, write })
  // It also reports 0 for a model with an unknown price.
  const isKnown = typeof cost === 'number' && cost > 0
  return {
    ...usage,
    outputTokens: usage.outputTokens + countOf(reasoning),
    ...(isKnown && { costUsd: cost, costSource: 'reported' }),
  }
}

export const opencode: AgentDialect = {
  name: 'opencode',
  owns: ({ agent, event }) => agent === 'opencode' && typeof event === 'string',
  mayWrite: () => false,
  tellsEnds: true,
  read: (document) => {
    const { event, id, session, cwd, model, version, subagent } = document
    const of = fieldsOf(subagent)
    const by = textOf(of.id, 200)
    const head = {
      agent: 'opencode',
      session: textOf(session, 200),
      cwd: textOf(cwd),
      model: textOf(model, 100),
      version: textOf(version, 100),
      subagent: by === undefined ? undefined : (defined({ id: by, name: textOf(of.name, 100) }) as Seen['subagent']),
    }
    const step = Object.hasOwn(events, event as string) ? events[event as string]?.(document) : undefined
    const own = textOf(id, 200)
    return seenOf(defined(head), document, step).map((seen) => defined({ ...seen, id: own && `${event} ${own}` }))
  },
}
