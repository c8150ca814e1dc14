import type { RealAgent } from './agents/agent.ts'
import type { Call } from './model/call.ts'
import type { Tokens } from './model/script.ts'
import type { Place } from './place.ts'
import type { Session } from './scenarios.ts'

// The expected values in the ledger for the calls and tokens of a script.

export const isRefused = ({ act }: Call) => act.do === 'shell' && act.refused === true

export const isFailed = ({ act }: Call) => act.do === 'shell' && !act.refused && (act.exits ?? 0) > 0

export function toolsOf({ toolNames = {} }: RealAgent, calls: Call[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { tool } of calls) {
    const name = toolNames[tool.name] ?? tool.name
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

export function filesOf({ repository }: Place, calls: Call[]): string[] {
  const paths = calls.flatMap(({ act }) => (act.do === 'write' || act.do === 'edit' ? [act.path] : []))
  return [...new Set(paths)].map((path) => path.replace(`${repository}/`, '')).sort()
}

export const commandsOf = (calls: Call[]) =>
  calls.flatMap(({ act }) =>
    act.do === 'shell' && !act.refused ? [{ command: act.command, exitCode: act.exits ?? 0 }] : [],
  )

/** Some agents add one item at a time. */
export const planOf = (calls: Call[]) =>
  calls.flatMap(({ act, tool }) =>
    act.do === 'plan'
      ? act.items.slice(0, 'todos' in tool.properties || 'plan' in tool.properties ? undefined : 1)
      : [],
  )

/** Only one API counts cache writes separately from other input. */
export const tokensOf = ({ cost, countsCacheWrites }: RealAgent, { input, cacheRead, cacheWrite, output }: Tokens) => ({
  cacheReadTokens: cacheRead,
  cacheWriteTokens: cost?.cacheWrite === undefined && !countsCacheWrites ? 0 : cacheWrite,
  inputTokens: input + cacheRead + cacheWrite,
  outputTokens: output,
})

export function costOf({ cost }: RealAgent, { input, cacheRead, cacheWrite, output }: Tokens, ends?: Session['ends']) {
  if (cost === undefined) return null
  const isUntold = ends === 'killed' && cost.isToldAtEnd
  const written = cacheWrite * (cost.cacheWrite ?? cost.input)
  const sum = input * cost.input + cacheRead * cost.cacheRead + written + output * cost.output
  return { usd: rounded(sum / 1e6), source: isUntold ? 'estimated' : cost.source }
}

export const rounded = (usd: number) => Number(usd.toFixed(6))

/** The checks that follow from commands by the rules of conduct.json, and those that the agent recorded. */
export const checksOf = (calls: Call[]) =>
  calls.flatMap(({ act }): Record<string, unknown>[] => {
    if (act.do === 'ledger' && act.tool === 'record_check') return [{ command: null, exitCode: null, ...act.input }]
    if (act.do !== 'shell') return []
    const [, name, command] = /^conduct check exec --name (\S+) -- (.*)$/.exec(act.command) ?? []
    if (name !== undefined) return [{ name, result: act.exits === 0 ? 'pass' : 'fail', command, exitCode: act.exits }]
    if (act.command !== 'npm test') return []
    return [{ name: 'tests', result: act.exits === 0 ? 'pass' : 'fail', command: act.command, exitCode: act.exits }]
  })
