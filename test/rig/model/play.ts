import { EventEmitter, once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { type Call, callOf } from './call.ts'
import { noTokens, type Reply, type Script, subagentMark, sum, type Tokens } from './script.ts'
import type { Tool } from './tools.ts'

/** How long after the request for a reply the user sends a message, in milliseconds. */
const typing = 3_000

/** A script that a session plays, and its result so far. */
export interface Played {
  script: Script
  /** The reply to the next request, and the calls that perform its acts with these tools. */
  next(asked: string, tools: Tool[]): Promise<{ reply: Reply; calls: Call[] }>
  /** All calls in order. */
  calls: { call: Call; by: 'agent' | 'subagent' }[]
  /** When the agent itself asked for a reply, in milliseconds since 1970, and how many calls it had made by then. */
  asked: { at: number; calls: number }[]
  /** The tokens of all replies, by the agent itself and by its subagent. */
  tokens: Record<'agent' | 'subagent', Tokens>
  /** The last text of the agent itself. */
  answer: string | undefined
  /** The API works again after a failure. */
  goOn(): void
  /** The number of requests after the end of the script. */
  beyond: number
  /** Resolves when the agent requests a reply that hangs. */
  hanging: Promise<unknown>
  /** The meetings that the session has reached. */
  arrived: Set<string>
  events: EventEmitter
}

/** Plays a script. `all` returns the sessions that it may meet. */
export function play(script: Script, all: () => Played[]): Played {
  const left = { agent: [...script.replies], subagent: [...(script.subagent ?? [])] }
  const events = new EventEmitter()
  events.setMaxListeners(0)
  const played: Played = {
    script,
    calls: [],
    asked: [],
    tokens: { agent: noTokens, subagent: noTokens },
    answer: undefined,
    beyond: 0,
    hanging: once(events, 'hanging'),
    arrived: new Set(),
    events,
    goOn() {
      if (left.agent[0]?.fails) left.agent.shift()
    },
    async next(asked, tools) {
      const by = asked.includes(subagentMark) ? 'subagent' : 'agent'
      if (by === 'agent') played.asked.push({ at: Date.now(), calls: played.calls.length })
      const { reply, calls } = nextOf(left[by], tools)
      if (!reply) {
        played.beyond += 1
        return { reply: { say: 'Nothing more is scripted.' }, calls: [] }
      }
      played.calls.push(...calls.map((call) => ({ call, by }) as const))
      if (reply.meets !== undefined) await met(reply.meets, played, all())
      if (reply.types !== undefined) after(typing).then(() => events.emit('typed', reply.types))
      if (reply.hangs) events.emit('hanging')
      if (!reply.hangs && !reply.fails) played.tokens[by] = sum(played.tokens[by], reply.tokens ?? noTokens)
      if (by === 'agent' && left.agent.length === 0) events.emit('finished')
      if (by === 'agent') played.answer = reply.say ?? played.answer
      return { reply, calls }
    },
  }
  return played
}

/** The next reply. Skips replies whose acts have no tool, and keeps one that fails. */
function nextOf(left: Reply[], tools: Tool[]): { reply: Reply | undefined; calls: Call[] } {
  for (;;) {
    const reply = left[0]
    if (!reply?.fails) left.shift()
    const acts = reply?.does ?? []
    const calls = acts.flatMap((act) => callOf(act, tools) ?? [])
    if (calls.length > 0 || acts.every((act) => act.do === 'finish')) return { reply, calls }
  }
}

/** Waits for every session whose script has the meeting. */
async function met(meeting: string, played: Played, all: Played[]) {
  played.arrived.add(meeting)
  for (const { events } of all) events.emit('arrived')
  const expected = all.filter(({ script }) => script.replies.some(({ meets }) => meets === meeting))
  while (!expected.every(({ arrived }) => arrived.has(meeting))) await once(played.events, 'arrived')
}
