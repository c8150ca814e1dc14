import { EventEmitter, once } from 'node:events'
import { type Call, callOf } from './call.ts'
import { noTokens, type Reply, type Script, subagentMark, sum, type Tokens } from './script.ts'
import type { Tool } from './tools.ts'

/** A script as a session plays it, and what it came to. */
export interface Played {
  script: Script
  /** The reply to the next request, and the calls that its acts come to with these tools. */
  next(asked: string, tools: Tool[]): Promise<{ reply: Reply; calls: Call[] }>
  /** All that was called for, in its order. */
  calls: { call: Call; by: 'agent' | 'subagent' }[]
  /** All that was answered, to the agent itself and to its subagent. */
  tokens: Record<'agent' | 'subagent', Tokens>
  /** The last text that was said to the agent itself. */
  answer: string | undefined
  /** How many requests came when nothing was scripted any more. */
  beyond: number
  /** Fulfilled when a reply that hangs is asked for. */
  hanging: Promise<unknown>
  /** The meetings at which it has arrived. */
  arrived: Set<string>
  events: EventEmitter
}

/** Plays a script. `all` are the sessions that it may meet. */
export function play(script: Script, all: () => Played[]): Played {
  const left = { agent: [...script.replies], subagent: [...(script.subagent ?? [])] }
  const events = new EventEmitter()
  events.setMaxListeners(0)
  const played: Played = {
    script,
    calls: [],
    tokens: { agent: noTokens, subagent: noTokens },
    answer: undefined,
    beyond: 0,
    hanging: once(events, 'hanging'),
    arrived: new Set(),
    events,
    async next(asked, tools) {
      const by = asked.includes(subagentMark) ? 'subagent' : 'agent'
      const { reply, calls } = nextOf(left[by], tools)
      if (!reply) {
        played.beyond += 1
        return { reply: { say: 'Nothing more is scripted.' }, calls: [] }
      }
      played.calls.push(...calls.map((call) => ({ call, by }) as const))
      if (reply.meets !== undefined) await met(reply.meets, played, all())
      if (reply.hangs) events.emit('hanging')
      if (!reply.hangs && !reply.fails) played.tokens[by] = sum(played.tokens[by], reply.tokens ?? noTokens)
      if (by === 'agent') played.answer = reply.say ?? played.answer
      return { reply, calls }
    },
  }
  return played
}

/** The next reply; one whose acts the agent has no tool for is left out, and one that fails stays. */
function nextOf(left: Reply[], tools: Tool[]): { reply: Reply | undefined; calls: Call[] } {
  for (;;) {
    const reply = left[0]
    if (!reply?.fails) left.shift()
    const acts = reply?.does ?? []
    const calls = acts.flatMap((act) => callOf(act, tools) ?? [])
    if (calls.length > 0 || acts.every((act) => act.do === 'finish')) return { reply, calls }
  }
}

/** Waits for every session that has the meeting in its script. */
async function met(meeting: string, played: Played, all: Played[]) {
  played.arrived.add(meeting)
  for (const { events } of all) events.emit('arrived')
  const expected = all.filter(({ script }) => script.replies.some(({ meets }) => meets === meeting))
  while (!expected.every(({ arrived }) => arrived.has(meeting))) await once(played.events, 'arrived')
}
