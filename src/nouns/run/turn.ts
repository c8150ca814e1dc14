import { firstLine, shortened } from '../../contract/lines.ts'
import { spanOf } from '../../contract/span.ts'
import { wholeCost } from './cost.ts'
import type { Turn, TurnFields } from './turn-fields.ts'
import type { FileChanges, Git, Uncredited, Usage } from './work-fields.ts'

/** The id of a turn in the log and in searches: `RUN-007/3`. */
export const turnId = (runId: string, n: number) => `${runId}/${n}`

/** The title of a turn: the first line of its prompt; null if it has none. */
export function turnTitle(prompt: string | undefined): string | null {
  return prompt === undefined ? null : firstLine(prompt, 100) || null
}

/** The limits of a digest: items of each kind, characters of the prompt and of a command. */
const named = { files: 50, commands: 50, prompt: 4_000, command: 300 }

/** A turn as Markdown, to append to the content of its run. */
export function markdownOf(turn: Pick<Turn, 'n' | 'open'> & TurnFields): string {
  const { prompt, answer, plan = [], agents = [], compactions = 0, failure } = turn
  const facts = [
    ...usedIn(turn),
    ...changedIn(turn),
    ...(turn.uncredited ? [`- ${uncreditedText(turn.uncredited)}`] : []),
    ...ranIn(turn),
    ...agents.map(
      ({ name, turns }) => `- subagent ${codeOf(name)}${turns === undefined ? '' : `: ${timesOf(turns, 'turn')}`}`,
    ),
    ...(compactions > 0 ? [`- cut its context down${compactions > 1 ? ` ${compactions} times` : ''}`] : []),
    ...(turn.open ? ['- still open'] : []),
    ...(turn.interrupted ? ['- interrupted'] : []),
    ...(failure ? [`- failed: ${failure.code}, ${firstLine(failure.message, named.command)}`] : []),
  ]
  const parts = [
    `## ${turnTitle(prompt) ?? `Turn ${turn.n}`}`,
    ...(prompt?.trim() ? [quoteOf(shortened(prompt.trim(), named.prompt))] : []),
    ...(plan.length > 0
      ? [plan.map(({ text, status }) => `- [${status === 'completed' ? 'x' : ' '}] ${onOneLine(text)}`).join('\n')]
      : []),
    ...(answer?.trim() ? [answer.trim()] : []),
    ...(facts.length > 0 ? [facts.join('\n')] : []),
  ]
  return `${parts.join('\n\n')}\n\n`
}

function usedIn({ tools = [] }: TurnFields): string[] {
  if (tools.length === 0) return []
  const used = tools.map(({ name, count, failed = 0, refused = 0 }) => {
    const notes = [failed > 0 ? `${failed} failed` : '', refused > 0 ? `${refused} refused` : ''].filter(Boolean)
    return `${name}${count > 1 ? ` ×${count}` : ''}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`
  })
  return [`- used ${used.join(', ')}`]
}

function changedIn({ files = [], filesOmitted = 0, restored = [] }: TurnFields): string[] {
  const paths = files.map(({ path }) => path)
  return [...pathsIn('changed', paths, filesOmitted), ...pathsIn('restored', restored)]
}

function pathsIn(what: string, paths: string[], omitted = 0): string[] {
  if (paths.length === 0) return []
  const shown = paths.slice(0, named.files)
  const more = paths.length - shown.length + omitted
  return [`- ${what} ${shown.map(codeOf).join(', ')}${more > 0 ? ` and ${more} more` : ''}`]
}

/** `300 files changed while 2 sessions ran commands; credited to none of them`. */
const uncreditedText = ({ files, sessions }: Uncredited) =>
  `${timesOf(files, 'file')} changed while ${sessions} sessions ran commands; credited to none of them`

/** The changes of a run after a turn: `credited` are those that its files add up to. */
export function addUncredited(
  credited: FileChanges | null,
  before: Uncredited | undefined,
  turn: Uncredited | undefined,
): FileChanges | null {
  if (!turn) return before ? { ...credited, uncredited: before } : credited
  const files = Math.min((before?.files ?? 0) + turn.files, most.count)
  return { ...credited, uncredited: { files, sessions: Math.max(before?.sessions ?? 0, turn.sessions) } }
}

function ranIn({ commands = [] }: TurnFields): string[] {
  const lines = commands.slice(0, named.commands).map(({ command, exitCode, durationMs }) => {
    const notes = [
      ...(exitCode === undefined ? [] : [`exit ${exitCode}`]),
      ...(durationMs === undefined ? [] : [spanOf(durationMs)]),
    ]
    return `- ran ${codeOf(shortened(onOneLine(command), named.command))}${notes.length > 0 ? `: ${notes.join(', ')}` : ''}`
  })
  const more = commands.length - lines.length
  return more > 0 ? [...lines, `- ran ${timesOf(more, 'command')} more`] : lines
}

const timesOf = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

const onOneLine = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' ; ')

const quoteOf = (text: string) => `> ${text.replace(/\r\n?|\n/g, '$&> ')}`

/** A fenced code block whose fence is longer than any in the text. */
function codeOf(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length))
  const fence = '`'.repeat(longest + 1)
  return longest > 0 ? `${fence} ${text} ${fence}` : `${fence}${text}${fence}`
}

/** The largest count and cost of a run. Sums stop there. */
export const most = { count: 1e12, costUsd: 1e9 }

const sums = ['inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens'] as const

/**
 * The usage of a run after one more turn. The cost is the sum over all turns; if one is unknown, so is the sum. It is
 * `reported` only if every part is.
 */
export function addUsage(before: Usage | null, turn: Usage | undefined): Usage | null {
  if (turn === undefined) return before
  if (before === null) return turn
  const total: Usage = { ...before, ...(turn.model !== undefined && { model: turn.model }) }
  for (const field of sums) {
    if (before[field] !== undefined || turn[field] !== undefined)
      total[field] = Math.min((before[field] ?? 0) + (turn[field] ?? 0), most.count)
  }
  delete total.costUsd
  delete total.costSource
  if (before.costUsd === undefined || turn.costUsd === undefined) return total
  total.costUsd = Math.min(wholeCost(before.costUsd + turn.costUsd), most.costUsd)
  const sources = [before.costSource, turn.costSource]
  if (sources.includes('estimated')) total.costSource = 'estimated'
  else if (sources.every((source) => source === 'reported')) total.costSource = 'reported'
  return total
}

const mostCommits = 500

/** The git state of a run after a turn. What the turn saw replaces the state before, and so does its last commit, if it is new. */
export function addGit(before: Git | null, turn: Git | undefined): Git | null {
  if (turn === undefined) return before
  const last = turn.commits?.at(-1)
  const hasMoved = last !== undefined && last !== before?.commit && !before?.commits?.includes(last)
  const commits = [...new Set([...(before?.commits ?? []), ...(turn.commits ?? [])])].slice(-mostCommits)
  const { commit: _commit, tree: _tree, dirty: _dirty, commitTree: _commitTree, uncommitted, ...kept } = before ?? {}
  const { branch: _branch, ...detached } = kept
  const isSeen = hasMoved || turn.commit !== undefined || turn.tree !== undefined || turn.dirty !== undefined
  // Who knows the tree names the branch, unless HEAD is detached.
  const rest = turn.tree === undefined ? kept : detached
  return {
    ...(isSeen ? rest : before),
    // Now unknown; never sent would be something else.
    ...(isSeen && uncommitted !== undefined && { uncommitted: null }),
    ...turn,
    ...(before?.base && { base: before.base }),
    ...(commits.length > 0 && { commits }),
  }
}
