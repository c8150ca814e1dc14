import { defined } from './agents/fields.ts'
import type { BegunUse, Step } from './agents/seen.ts'
import { cut } from './agents/turn.ts'
import { type Facts, type RanCheck, type RanLine, type Stepped, withCall } from './facts.ts'
import type { Memo } from './memo.ts'
import type { Candidate, Leftover } from './trees.ts'
import { isElsewhere, type Use } from './work.ts'

type CommandEnd = Pick<Step & { kind: 'tool' }, 'exitCode' | 'durationMs'>

/** How many files that checks left behind to remember, and how many commands with unknown exit codes. */
const [mostLeftovers, mostUnsure] = [1_000, 100]

/** Adds the checks that a command is, by the rules of conduct.json. The transcript may reveal a missing exit code later. */
export function checksOf(given: Stepped, { cwd, trees, step }: Use, facts: Facts): Stepped {
  const { id, command, durationMs, goesOn } = step
  if (command === undefined || trees.home === undefined || isElsewhere(given.memo.base, trees)) return given
  const { unsure: known = [], left = [] } = given.memo
  const isBegun = (one: Candidate) => id !== undefined && one.id === id
  // The transcript has told its end before.
  if (id !== undefined && left.includes(id) && !known.some(isBegun)) return given
  const before = { ...given, memo: { ...given.memo, unsure: known.filter((one) => !isBegun(one)) } }
  const { change } = facts
  const isAlone = change?.isAlone === true && isAloneIn(before.memo, trees.began ?? facts.at, facts)
  const during = change && { change: { ...change, isAlone } }
  const candidate: Candidate = {
    cwd: trees.cwd ?? cwd,
    trees,
    command,
    ...defined({ id, durationMs, goesOn }),
    ...during,
  }
  const ended = step.exitCode === undefined && !goesOn ? endOf(candidate, facts) : step
  if (ended.exitCode !== undefined) return withChecks(before, { ...timeOf(ended), ...candidate }, ended.exitCode, facts)
  const unsure = [...before.memo.unsure, candidate].slice(-mostUnsure)
  return { ...before, memo: { ...before.memo, unsure } }
}

/** Adds a command that may be a check, and whose end may not be reported. */
export function withBegun(memo: Memo, cwd: string, { id, command }: BegunUse, { trees }: Facts): Memo {
  if (id === undefined || command === undefined || trees.home === undefined) return memo
  if (isElsewhere(memo.base, trees)) return memo
  const candidate: Candidate = { cwd: trees.cwd ?? cwd, trees, command, id, goesOn: true }
  return { ...memo, unsure: [...(memo.unsure ?? []), candidate].slice(-mostUnsure) }
}

/** Whether the session itself did nothing else since `from`. The last command is the one in question. */
const isAloneIn = (
  { edits = [], commands = [], background, leavesProcess }: Memo,
  from: number,
  facts: Facts,
): boolean =>
  leavesProcess !== true &&
  !edits.some((at) => at >= from) &&
  !commands.slice(0, -1).some(({ to }) => to > from) &&
  stillGoing(background, facts).length === 0

/** Those of the commands in the background whose ends the transcript does not tell. */
const stillGoing = (background: string[] = [], facts: Facts): string[] =>
  background.filter((id) => endOf({ id }, facts).exitCode === undefined)

/**
 * Adds the checks of commands whose exit code is now known. One in the background may end in a later turn. The others stay
 * unknown: a gap is better than a guess. `commands` are those of the turn that ends.
 */
export function unsureChecks(before: Stepped, commands: Memo['commands'], facts: Facts): Stepped {
  const { unsure = [], background, ...memo } = before.memo
  const did = { edits: memo.edits, commands }
  const going = stillGoing(background, facts)
  const open = unsure
    .filter((one) => one.goesOn && endOf(one, facts).exitCode === undefined)
    .map((one): Candidate => (isDisturbed(one, did) ? { ...one, isDisturbed: true } : one))
  return unsure.reduce<Stepped>(
    (after, candidate) => {
      const ended = endOf(candidate, facts)
      if (ended.exitCode === undefined) return after
      const whole = candidate.goesOn ? endedLate(candidate, did, facts) : candidate
      return withChecks(after, { ...timeOf(ended), ...whole }, ended.exitCode, facts)
    },
    {
      ...before,
      memo: { ...memo, ...(open.length > 0 && { unsure: open }), ...(going.length > 0 && { background: going }) },
    },
  )
}

/** What the session's tools and commands did. */
type Did = Pick<Memo, 'edits' | 'commands'>

/** Whether the session's tools wrote, or its other commands changed something, since a command in the background began. */
const isDisturbed = ({ trees: { began = 0 }, isDisturbed }: Candidate, { edits = [], commands = [] }: Did): boolean =>
  isDisturbed === true ||
  edits.some((at) => at >= began) ||
  commands.some(({ from, to, before, now }) => to > began && from !== began && (!before || before.tree !== now?.tree))

/** A command that has ended in the background, with the tree as it is now, unless the session changed files meanwhile. */
function endedLate({ change: _, durationMs: __, ...candidate }: Candidate, did: Did, { trees }: Facts) {
  const { began, now: start, ...rest } = candidate.trees
  const isKnown = start !== undefined && trees.now?.root === start.root && !isDisturbed(candidate, did)
  return { ...candidate, trees: { ...rest, ...(isKnown && { now: trees.now }), ...(began !== undefined && { began }) } }
}

/** What the transcript currently says about a command. */
const endOf = ({ id }: Pick<Candidate, 'id'>, { reported: { commands = {} } }: Facts): CommandEnd =>
  (id !== undefined && Object.hasOwn(commands, id) && commands[id]) || {}

const timeOf = ({ durationMs }: CommandEnd) => defined({ durationMs })

function withChecks(before: Stepped, candidate: Candidate, exitCode: number, facts: Facts): Stepped {
  if (!before.memo.begun) return before
  const line = facts.line(candidate, exitCode)
  const { trees, durationMs } = candidate
  const { commit, dirty } = trees.now?.git ?? {}
  return line.checks.reduce((after, check) => {
    const { name, command } = check
    const seen = treesOf(candidate, line, check, after.memo)
    const input = defined({
      name: cut(name, 200),
      command: cut(command, 4_000),
      result: check.exitCode === 0 ? 'pass' : 'fail',
      exitCode: check.exitCode,
      recorder: 'hook',
      // For a line of several commands, the duration of each is unknown.
      durationMs: line.checks.length === 1 && !line.writes ? durationMs : undefined,
      commit,
      commitTree: trees.now?.commitTree,
      dirty,
      startTree: seen.startTree,
      tree: seen.tree,
      content: facts.remarks(check).join(' ') || undefined,
      agent: facts.agent,
    })
    const leftovers = seen.leftovers && {
      leftovers: [...withIds([...(after.memo.leftovers ?? []), ...seen.leftovers])]
        .map(([path, id]) => ({ path, id }))
        .slice(-mostLeftovers),
    }
    return withCall(after, 'createCheck', input, { isChecked: true, ...leftovers })
  }, before)
}

/** The content that checks left in each file. */
export const withIds = (leftovers: Memo['leftovers'] = []): Map<string, string> =>
  new Map(leftovers.map(({ path, id }) => [path, id]))

interface SeenTrees {
  startTree?: string
  tree?: string
  /** What the check left behind. */
  leftovers?: Leftover[]
}

/**
 * The trees that a check saw. Equal at its beginning and end: that one. Both, if all that changed are files that git does
 * not track and that this or an earlier check made. That at the end, if the check came last in its line, after commands
 * that may write. Else only that at its beginning: files changed while it ran. Without both, none.
 */
export function treesOf(
  { trees, change }: Candidate,
  line: RanLine,
  { isFirst, isAfterWriters, isLast }: RanCheck,
  memo: Memo,
): SeenTrees {
  const [startTree, tree] = [trees.before?.tree, trees.now?.tree]
  if (startTree === undefined || tree === undefined) return {}
  // What was put away before the check and brought back after it was not tested.
  if (line.writes && !isFirst && !isLast && !isAfterWriters) return { startTree }
  if (startTree === tree) return { startTree, tree }
  if (!change?.isAlone) return { startTree }
  const known = withIds(memo.leftovers)
  const areLeft = change.files?.every(
    ({ path, was, isTracked, isNew }) => !isTracked && (isNew || known.get(path) === was),
  )
  if (!line.writes) {
    const leftovers = change.files?.map(({ path, id }) => ({ path, id })) ?? []
    return areLeft ? { startTree, tree, leftovers } : { startTree }
  }
  return isLast ? { tree } : { startTree }
}
