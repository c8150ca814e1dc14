import { defined } from '../agents/fields.ts'
import type { Step } from '../agents/seen.ts'
import { cut } from '../agents/turn.ts'
import { type Stepped, withCall } from './call.ts'
import type { Facts } from './facts.ts'
import type { Candidate } from './memo.ts'
import type { Use } from './work.ts'

type Ended = Pick<Step & { kind: 'tool' }, 'exitCode' | 'durationMs'>

/** Adds the checks that a command is, by the rules of conduct.json. The transcript may reveal a missing exit code later. */
export function checksOf(before: Stepped, { cwd, trees, step }: Use, facts: Facts): Stepped {
  const { id, command, durationMs } = step
  if (command === undefined || trees.home === undefined) return before
  const candidate: Candidate = { cwd: trees.cwd ?? cwd, trees, command, ...defined({ id, durationMs }) }
  const ended = step.exitCode === undefined ? toldOf(candidate, facts) : step
  if (ended.exitCode !== undefined) return withChecks(before, { ...timeOf(ended), ...candidate }, ended.exitCode, facts)
  const unsure = [...(before.memo.unsure ?? []), candidate].slice(-100)
  return { ...before, memo: { ...before.memo, unsure } }
}

/** Adds the checks of commands whose exit code is now known. The others stay unknown: a gap is better than a guess. */
export function unsureChecks(before: Stepped, facts: Facts): Stepped {
  const { unsure = [], ...memo } = before.memo
  return unsure.reduce<Stepped>(
    (after, candidate) => {
      const ended = toldOf(candidate, facts)
      if (ended.exitCode === undefined) return after
      return withChecks(after, { ...timeOf(ended), ...candidate }, ended.exitCode, facts)
    },
    { ...before, memo },
  )
}

/** What the transcript currently says about a command. */
const toldOf = ({ id }: Candidate, { told: { commands = {} } }: Facts): Ended =>
  (id !== undefined && Object.hasOwn(commands, id) && commands[id]) || {}

const timeOf = ({ durationMs }: Ended) => defined({ durationMs })

function withChecks(before: Stepped, candidate: Candidate, exitCode: number, facts: Facts): Stepped {
  if (!before.memo.begun) return before
  const { trees, durationMs } = candidate
  const { commit, tree, dirty } = trees.now?.git ?? {}
  const found = facts.checks(candidate, exitCode)
  const check = defined({
    result: exitCode === 0 ? 'pass' : 'fail',
    exitCode,
    // For a chain, the durations of its commands are unknown.
    durationMs: found.length === 1 ? durationMs : undefined,
    commit,
    tree,
    dirty,
    agent: facts.agent,
    recorder: 'hook',
  })
  return found.reduce(
    (after, { name, command }) =>
      withCall(after, 'createCheck', { name: cut(name, 200), command: cut(command ?? undefined, 4_000), ...check }),
    before,
  )
}
