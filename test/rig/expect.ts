import { isDeepStrictEqual } from 'node:util'
import type { RealAgent } from './agents/agent.ts'
import type { Call } from './model/call.ts'
import type { Place } from './place.ts'
import type { Recorded } from './records.ts'
import type { Ran } from './run.ts'

/** What one figure of a run is by the script, and by the ledger. */
export interface Figure {
  name: string
  scripted: unknown
  recorded: unknown
}

/** A figure that is not as scripted, or the reason why it cannot be. */
export interface Finding extends Figure {
  limit?: string
}

/** What differs between a session as it was scripted and its run; what the agent does not report is named as its limit. */
export function findingsOf(agent: RealAgent, scenario: string, figures: Figure[]): Finding[] {
  return figures.flatMap((figure): Finding[] => {
    const limit = agent.limits?.find((one) => one.figure === figure.name && (one.scenario ?? scenario) === scenario)
    const scripted = limit ? limit.is : figure.scripted
    if (!isDeepStrictEqual(scripted, figure.recorded)) return [{ ...figure, scripted }]
    return limit ? [{ ...figure, limit: limit.why }] : []
  })
}

/** All figures of a session that the script decides. */
export function figuresOf(agent: RealAgent, place: Place, ran: Ran, recorded: Recorded): Figure[] {
  return [...headOf(agent, ran, recorded), ...turnOf(agent, place, ran, recorded), ...workOf(place, ran, recorded)].map(
    ([name, scripted, recorded]) => ({ name, scripted: plain(scripted), recorded: plain(recorded) }),
  )
}

type Row = [name: string, scripted: unknown, recorded: unknown]

/** As JSON has it: without what is undefined. */
const plain = (value: unknown): unknown => (value === undefined ? null : JSON.parse(JSON.stringify(value)))

function headOf(agent: RealAgent, { session, id, end, played }: Ran, { run, text }: Recorded): Row[] {
  const { ends, prompt, script, words = [] } = session
  const fails = script.replies.find(({ fails }) => fails)?.fails
  const failed = fails && (agent.failure.told ?? fails.message)
  const failure = { well: null, failed, interrupted: 'INTERRUPTED' }[ends]
  const { code, message } = run.failure ?? {}
  const said = [prompt.split('\n')[0] ?? '', ...(ends === 'well' ? [played.answer ?? ''] : []), ...words]
  return [
    ['requests beyond the script', 0, played.beyond],
    ['exit', ends === 'well' ? 'code 0' : end, end],
    ['title', session.title ?? prompt.split('\n')[0], run.title],
    ['agent', agent.agent, run.agent],
    ['session', id, run.where?.session],
    ['author', 'Ada <ada@example.com>', run.author],
    ['status', ends === 'well' ? 'completed' : 'failed', run.status],
    ['failure', failure, code === 'INTERRUPTED' ? code : failed && message?.includes(failed) ? failed : message],
    ['story in the terminal', said, said.filter((words) => text.includes(words))],
  ]
}

function turnOf(agent: RealAgent, place: Place, { session, played }: Ran, { run, turns }: Recorded): Row[] {
  const calls = played.calls.map(({ call }) => call)
  const { ends, prompt } = session
  // What a subagent in the background did begins a turn that nobody prompted.
  const goesOn = agent.goesOnAfterSubagents === true && calls.some(({ act }) => act.do === 'delegate')
  const { model, costUsd, costSource, ...tokens } = run.usage ?? {}
  const each = <T>(pick: (turn: Recorded['turns'][number]) => T[] | undefined) =>
    turns.flatMap((turn) => pick(turn) ?? [])
  return [
    ['prompts', goesOn ? [prompt, null] : [prompt], turns.map((turn) => turn.prompt ?? null)],
    ['answer', ends === 'well' ? played.answer : null, turns.at(-1)?.answer],
    ['interrupted', ends === 'interrupted', turns.at(-1)?.interrupted ?? false],
    [
      'tools',
      toolsOf(agent, calls),
      Object.fromEntries(each(({ tools }) => tools).map(({ name, count }) => [name, count])),
    ],
    [
      'refused',
      calls.filter(isRefused).length,
      each(({ tools }) => tools).reduce((sum, { refused = 0 }) => sum + refused, 0),
    ],
    [
      'files',
      filesOf(place, calls),
      each(({ files }) => files)
        .map(({ path }) => path)
        .sort(),
    ],
    [
      'commands',
      commandsOf(calls),
      each(({ commands }) => commands).map(({ command, exitCode }) => ({ command, exitCode })),
    ],
    ['plan', planOf(calls), each(({ plan }) => plan).map(({ text }) => text)],
    ['subagents', calls.filter(({ act }) => act.do === 'delegate').length, each(({ agents }) => agents).length],
    ['model', agent.model, model],
    ['tokens', tokensOf(agent, played.tokens), { cacheReadTokens: 0, cacheWriteTokens: 0, ...tokens }],
    [
      'cost',
      costOf(agent, played.tokens),
      costUsd === undefined ? null : { usd: rounded(costUsd), source: costSource },
    ],
  ]
}

const isRefused = ({ act }: Call) => act.do === 'shell' && act.refused === true

function toolsOf({ toolNames = {} }: RealAgent, calls: Call[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { tool } of calls) {
    const name = toolNames[tool.name] ?? tool.name
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

function filesOf({ repository }: Place, calls: Call[]): string[] {
  const paths = calls.flatMap(({ act }) => (act.do === 'write' || act.do === 'edit' ? [act.path] : []))
  return [...new Set(paths)].map((path) => path.replace(`${repository}/`, '')).sort()
}

const commandsOf = (calls: Call[]) =>
  calls.flatMap(({ act }) =>
    act.do === 'shell' && !act.refused ? [{ command: act.command, exitCode: act.exits ?? 0 }] : [],
  )

/** Some agents add one item at a time. */
const planOf = (calls: Call[]) =>
  calls.flatMap(({ act, tool }) =>
    act.do === 'plan'
      ? act.items.slice(0, 'todos' in tool.properties || 'plan' in tool.properties ? undefined : 1)
      : [],
  )

type Served = Ran['played']['tokens']

/** Only one API tells what is written to the cache from other input. */
const tokensOf = ({ cost }: RealAgent, { input, cacheRead, cacheWrite, output }: Served) => ({
  cacheReadTokens: cacheRead,
  cacheWriteTokens: cost?.cacheWrite === undefined ? 0 : cacheWrite,
  inputTokens: input + cacheRead + cacheWrite,
  outputTokens: output,
})

function costOf({ cost }: RealAgent, { input, cacheRead, cacheWrite, output }: Served) {
  if (cost === undefined) return null
  const written = cacheWrite * (cost.cacheWrite ?? cost.input)
  const sum = input * cost.input + cacheRead * cost.cacheRead + written + output * cost.output
  return { usd: rounded(sum / 1e6), source: cost.source }
}

const rounded = (usd: number) => Number(usd.toFixed(6))

function workOf(place: Place, { session, played }: Ran, { run, checks }: Recorded): Row[] {
  const calls = played.calls.map(({ call }) => call)
  const [base = ''] = place.git('log', '--format=%H', '--grep', 'Record sessions').split('\n')
  const made = place.git('log', '--format=%H', '--reverse', `${base}..HEAD`).split('\n').filter(Boolean)
  const tree = place.tree()
  const verified = session.verdict === 'verified'
  return [
    ['commit', place.git('rev-parse', 'HEAD'), run.git?.commit],
    ['base', base, run.git?.base],
    ['branch', 'main', run.git?.branch],
    ['tree', tree, run.git?.tree],
    ['commits', made, run.git?.commits ?? []],
    ['changes', changesOf(place, base, tree, filesOf(place, calls)), run.changes],
    ['verdict', session.verdict ?? 'unchecked', run.verdict],
    ['evidence', verified ? 'executed' : null, run.evidence],
    [
      'checks',
      checksOf(calls),
      checks.map(({ name, result, command, exitCode }) => ({ name, result, command, exitCode })).reverse(),
    ],
  ]
}

function changesOf(place: Place, base: string, tree: string, files: string[]) {
  if (files.length === 0) return null
  const lines = place
    .git('diff', '--numstat', base, tree, '--', ...files)
    .split('\n')
    .filter(Boolean)
  const sum = (column: number) => lines.reduce((all, line) => all + Number(line.split('\t')[column]), 0)
  return { files: lines.length, insertions: sum(0), deletions: sum(1) }
}

/** The checks that the rules of conduct.json make of commands, and those that the agent recorded. */
const checksOf = (calls: Call[]) =>
  calls.flatMap(({ act }) => {
    if (act.do === 'ledger' && act.tool === 'record_check') return [act.input]
    if (act.do !== 'shell' || act.command !== 'npm test') return []
    return [{ name: 'tests', result: act.exits === 0 ? 'pass' : 'fail', command: act.command, exitCode: act.exits }]
  })
