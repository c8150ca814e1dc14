import { isDeepStrictEqual } from 'node:util'
import type { RealAgent } from './agents/agent.ts'
import type { Call } from './model/call.ts'
import { noTokens, sum } from './model/script.ts'
import type { Place } from './place.ts'
import type { Recorded } from './records.ts'
import type { Ran } from './run.ts'
import {
  checksOf,
  commandsOf,
  costOf,
  filesOf,
  isFailed,
  isRefused,
  planOf,
  rounded,
  tokensOf,
  toolsOf,
} from './scripted.ts'

/** A figure of a run, as in the script and as in the ledger. */
export interface Figure {
  name: string
  scripted: unknown
  recorded: unknown
  /** The value in the ledger if the agent does not report the figure. */
  untold: unknown
}

/** A figure that differs from the script, or the reason why it must. */
export interface Finding {
  name: string
  scripted: unknown
  recorded: unknown
  limit?: string
}

/**
 * Differences between a scripted session and its run. A figure that the agent does not report is listed with its limit.
 */
export function findingsOf(agent: RealAgent, scenario: string, figures: Figure[]): Finding[] {
  const limits = (agent.limits ?? []).filter((limit) => (limit.scenario ?? scenario) === scenario)
  return figures.flatMap(({ name, scripted, recorded, untold }): Finding[] => {
    const why = limits.find((limit) => limit.figures.includes(name))?.why
    const expected = why === undefined ? scripted : untold
    if (!isDeepStrictEqual(expected, recorded)) return [{ name, scripted: expected, recorded }]
    return isDeepStrictEqual(scripted, recorded) ? [] : [{ name, scripted, recorded, limit: why }]
  })
}

/** All figures of a session that follow from the script. */
export function figuresOf(agent: RealAgent, place: Place, ran: Ran, recorded: Recorded): Figure[] {
  const rows = [
    ...headOf(agent, ran, recorded),
    ...turnOf(agent, place, ran, recorded),
    ...usageOf(agent, ran, recorded),
    ...workOf(place, ran, recorded),
  ]
  const own = ran.session.figures?.(place) ?? {}
  const further = Object.keys(own).filter((name) => !rows.some(([one]) => one === name))
  return [...rows, ...further.map((name): Row => [name, null, at(recorded, name.split('.'))])].map(
    ([name, scripted, recorded, untold]) => ({
      name,
      scripted: plain(name in own ? own[name] : scripted),
      recorded: plain(recorded),
      untold: plain(untold),
    }),
  )
}

/** The value at a path like `run.git.commitTree`, or the values at `checks.*.evidence`, last first. */
const at = (value: unknown, [key, ...rest]: string[]): unknown => {
  if (key === undefined) return value
  if (key === '*') return (value as unknown[]).map((one) => at(one, rest)).reverse()
  return at((value as Record<string, unknown> | undefined)?.[key], rest)
}

type Row = [name: string, scripted: unknown, recorded: unknown, untold?: unknown]

/** The value as in JSON, with null for undefined. */
const plain = (value: unknown): unknown => (value === undefined ? null : JSON.parse(JSON.stringify(value)))

function headOf(agent: RealAgent, { session, id, end, played }: Ran, recorded: Recorded): Row[] {
  const { run, text } = recorded
  const { ends, prompt, script, words = [] } = session
  const fails = script.replies.find(({ fails }) => fails)?.fails
  const failed = fails && (agent.failure.told ?? fails.message)
  const failure = { well: null, failed, interrupted: 'INTERRUPTED', killed: gone }[ends]
  const { code, message } = run.failure ?? {}
  const { withheld } = session
  const [asked, answered] = [prompt.split('\n')[0] ?? '', ends === 'well' ? [answerOf(session, played) ?? ''] : []]
  const title = withheld === 'prompts' ? `A session of ${agent.agent}` : asked
  const [told, untold] =
    withheld === 'prompts' ? [answered, [prompt]] : withheld ? [[asked], answered] : [[asked, ...answered], []]
  const said = [...told, ...words]
  const all = JSON.stringify(recorded)
  return [
    ['requests beyond the script', 0, played.beyond],
    ['exit', ends === 'well' ? 'code 0' : end, end],
    ['title', session.title ?? title, run.title],
    ['agent', agent.agent, run.agent],
    ['session', id ?? run.where?.session, run.where?.session],
    ['author', 'Ada <ada@example.com>', run.author],
    ['status', ends === 'well' ? 'completed' : 'failed', run.status, 'in_progress'],
    ['failure', failure, isNamed(code) ? code : failed && message?.includes(failed) ? failed : message, gone],
    ['withheld texts', [], untold.filter((words) => all.includes(words))],
    ['story in the terminal', said, said.filter((words) => text.includes(words)), []],
  ]
}

/** Figures of the run of a command that ran an agent: its end, and the agent's texts in it. */
export function aroundFigures({ agent, session }: Ran, records: Recorded[]): Figure[] {
  if (!session.around) return []
  const { command, words } = session.around
  const line = [...command.slice(2).filter((word) => word !== '--'), agent.name].join(' ')
  const { run, text = '' } = records.find(({ run }) => run.command?.startsWith(line)) ?? {}
  const rows: Row[] = [
    ['status of the command', 'completed', run?.status],
    ['exit code of the command', 0, run?.exitCode],
    ['words in the run of the command', words, words.filter((one) => text.includes(one))],
    ['session of the command', undefined, run?.where?.session],
  ]
  return rows.map(([name, scripted, recorded]) => ({
    name,
    scripted: plain(scripted),
    recorded: plain(recorded),
    untold: null,
  }))
}

const answerOf = ({ answer }: Ran['session'], played: Ran['played']) => answer ?? played.answer

/** The failure of a session whose agent disappeared. */
const gone = 'AGENT_GONE'

const isNamed = (code: string | undefined) => code === 'INTERRUPTED' || code === gone

function turnOf(agent: RealAgent, place: Place, { session, played }: Ran, { turns }: Recorded): Row[] {
  const calls = played.calls.map(({ call }) => call)
  const { ends, prompt, next = [], compactions = 0, script, changes } = session
  // A command for the agent itself is not a prompt.
  const typed = script.replies.flatMap(({ types }) => types ?? [])
  const prompts = [prompt, ...typed, ...next.filter((one) => !one.startsWith('/'))].map((one) =>
    session.withheld === 'prompts' ? null : one,
  )
  // When a background subagent is done, a turn without a prompt begins.
  const goesOn = agent.goesOnAfterSubagents === true && calls.some(({ act }) => act.do === 'delegate')
  const each = <T>(pick: (turn: Recorded['turns'][number]) => T[] | undefined) =>
    turns.flatMap((turn) => pick(turn) ?? [])
  const tools = each((turn) => turn.tools)
  const commands = each((turn) => turn.commands).map(({ command, exitCode }) => ({ command, exitCode }))
  const files = each((turn) => turn.files).map(({ path }) => path)
  return [
    ['prompts', goesOn ? [...prompts, null] : prompts, turns.map((turn) => turn.prompt ?? null), []],
    [
      'answer',
      ends === 'well' && session.withheld !== 'answers' ? answerOf(session, played) : null,
      turns.at(-1)?.answer,
    ],
    [
      'failed turns',
      script.replies.filter(({ fails }) => fails).length + (ends === 'killed' ? 1 : 0),
      turns.filter(({ failure }) => failure).length,
      1,
    ],
    ['compactions', compactions, turns.reduce((all, { compactions = 0 }) => all + compactions, 0), 0],
    ['interrupted', ends === 'interrupted', turns.at(-1)?.interrupted ?? false, false],
    ['tools', toolsOf(agent, calls), counted(tools), {}],
    ['failed', calls.filter(isFailed).length, tools.reduce((all, { failed = 0 }) => all + failed, 0), 0],
    ['refused', calls.filter(isRefused).length, tools.reduce((all, { refused = 0 }) => all + refused, 0), 0],
    ['files', writtenBy(place, calls, changes), files.sort(), []],
    ['commands', commandsOf(calls), commands, []],
    [
      'durations',
      commands.length,
      each((turn) => turn.commands).filter(({ durationMs }) => durationMs !== undefined).length,
      0,
    ],
    ['plan', planOf(calls), each((turn) => turn.plan).map(({ text }) => text), []],
    ['subagents', calls.filter(({ act }) => act.do === 'delegate').length, each((turn) => turn.agents).length, 0],
  ]
}

/** The number of uses of each tool, in all turns. */
function counted(tools: { name: string; count: number }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { name, count } of tools) counts[name] = (counts[name] ?? 0) + count
  return counts
}

function usageOf(agent: RealAgent, { session, played }: Ran, { run, turns }: Recorded): Row[] {
  const { model, costUsd, costSource, ...tokens } = run.usage ?? {}
  const cost = costUsd === undefined ? null : { usd: rounded(costUsd), source: costSource }
  const all = sum(played.tokens.agent, played.tokens.subagent)
  const isSilent = turns.every(({ usage }) => usage?.inputTokens === undefined)
  // If any turn has usage, only the usage of subagents may be missing.
  const told = isSilent ? noTokens : played.tokens.agent
  const recorded = { cacheReadTokens: 0, cacheWriteTokens: 0, inputTokens: 0, outputTokens: 0, ...tokens }
  return [
    ['model', agent.model, model],
    ['tokens', tokensOf(agent, all), recorded, tokensOf(agent, told)],
    ['cost', costOf(agent, all, session.ends), cost, isSilent ? null : costOf(agent, told, session.ends)],
  ]
}

function workOf(place: Place, { session, played }: Ran, recorded: Recorded): Row[] {
  const { run } = recorded
  const calls = played.calls.map(({ call }) => call)
  if (place.fault('git', 'rev-parse')) return checkedOf(session, calls, recorded)
  const [base = ''] = place.git('log', '--format=%H', '--grep', 'Record sessions').split('\n')
  const made = place.git('log', '--format=%H', '--reverse', `${base}..HEAD`).split('\n').filter(Boolean)
  const tree = place.tree()
  const files = writtenBy(place, calls, session.changes)
  return [
    ['commit', place.git('rev-parse', 'HEAD'), run.git?.commit],
    ['base', base, run.git?.base],
    ['branch', place.git('branch', '--show-current') || null, run.git?.branch],
    ['tree', tree, run.git?.tree, place.tree(files)],
    ['commits', made, run.git?.commits ?? []],
    ['changes', changesOf(place, base, tree, files), run.changes],
    ...(session.isPatched ? [patchedOf(place, { base, tree, files }, recorded)] : []),
    ...checkedOf(session, calls, recorded),
  ]
}

/** What the patch of a run makes of its base: the files that its session wrote. OpenCode itself writes its own settings. */
const patchedOf = (
  place: Place,
  { base, tree, files }: { base: string; tree: string; files: string[] },
  { patch }: Recorded,
): Row => [
  'tree of its diffs',
  place.patched(base, place.git('diff', '--binary', base, tree, '--', ...files)),
  place.patched(base, patch),
]

function checkedOf(session: Ran['session'], calls: Call[], { run, checks }: Recorded): Row[] {
  const scripted: Record<string, unknown>[] = session.checks ?? checksOf(calls)
  const found = checks.map(({ name, result, command, exitCode }) => ({ name, result, command, exitCode }))
  return [
    ['verdict', session.verdict ?? 'unchecked', run.verdict],
    ['evidence', session.verdict ? evidenceOf(calls) : null, run.evidence],
    ['checks', scripted, found.reverse(), scripted.filter(({ result }) => result === 'pass')],
  ]
}

const writtenBy = (place: Place, calls: Call[], changes: string[] = []) =>
  [...new Set([...filesOf(place, calls), ...changes])].sort()

/** The agent only claims what it records itself. */
const evidenceOf = (calls: Call[]) =>
  calls.some(({ act }) => act.do === 'ledger' && act.tool === 'record_check') ? 'self' : 'executed'

function changesOf(place: Place, base: string, tree: string, files: string[]) {
  if (files.length === 0) return null
  const lines = place
    .git('diff', '--numstat', base, tree, '--', ...files)
    .split('\n')
    .filter(Boolean)
  const total = (column: number) => lines.reduce((all, line) => all + Number(line.split('\t')[column]), 0)
  return { files: lines.length, insertions: total(0), deletions: total(1) }
}
