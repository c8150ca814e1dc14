import { dirname } from 'node:path'
import { firstBytes } from '../../contract/text.ts'
import type { CheckInput } from '../../nouns/run/check/fields.ts'
import type { Git } from '../../nouns/run/work-fields.ts'
import type { Env } from '../../place/folders.ts'
import { dropObjects, passingObjects } from '../../place/git/guarded.ts'
import { snapshot } from '../../place/git/tree.ts'
import { variableRemarks } from '../../place/program.ts'
import { projectFileOf } from '../../place/project.ts'
import { readable, sessionRules } from '../../place/rules.ts'
import { defined } from '../../recorder/agents/fields.ts'
import { treesOf } from '../../recorder/check.ts'
import type { Memo } from '../../recorder/memo.ts'
import type { SessionRules } from '../../recorder/trees.ts'
import { commandLine } from '../../terminal/text.ts'
import { checkNamesOf, readLine } from '../command/checked.ts'
import type { Recording } from '../spool/recordings.ts'
import type { Spool } from '../spool/state.ts'
import { changeDuring, checkRemarks } from '../work/moved.ts'

/** The state of a repository that a command saw; empty outside git. */
export type SeenWork = Pick<Git, 'commit' | 'commitTree' | 'tree' | 'dirty'> & { startTree?: string }

interface CheckContext {
  state: Spool
  cwd: string
  words: string[]
  env: Env
}

/** A command that ran: how it ended, which state each of its checks saw, and what else there is to say about them. */
interface Seen<Ended> {
  ended: Ended
  workOf: (check: string) => SeenWork
  remarks: string[]
}

/**
 * Runs a command that is a check, and says which state of the repository it saw. What a check leaves behind is no work;
 * but where others have rules, one without a rule may be any command.
 */
export async function seeing<Ended extends { exitCode: number }>(
  session: Recording | undefined,
  { state, cwd, words, env }: CheckContext,
  work: () => Promise<Ended>,
): Promise<Seen<Ended>> {
  const name = session?.name ?? ''
  const objects = passingObjects()
  try {
    const began = Date.now()
    const read = rulesOf(session, cwd)
    const before = snapshot(cwd, objects)
    const ended = await work()
    const now = before && snapshot(cwd, objects)
    const remarks = [...checkRemarks(words, { cwd, env, memo: session?.memo, now }), ...variableRemarks(env)]
    if (!now) return { ended, workOf: () => ({}), remarks }
    const trees = { before, now, began }
    const change = changeDuring(trees, { state, name }, Date.now())
    const { background, leavesProcess }: Memo = session?.memo ?? {}
    const isAlone = change?.isAlone === true && !background?.length && !leavesProcess
    const candidate = { cwd, command: '', trees, ...(change && { change: { ...change, isAlone } }) }
    const line = readLine(commandLine(words), ended.exitCode, read?.rules ?? [], { cwd, home: read?.home })
    const { commit } = now.git
    // A commit that came while it ran is not what it saw.
    const dirty = before.git.commit === commit ? before.git.dirty || now.git.dirty : undefined
    const workOf = (check: string) => {
      const ran = line.checks.find(({ name }) => name === check)
      const { startTree, tree } = treesOf(candidate, ran ? line : { checks: [], writes: false }, ran ?? alone, {})
      const isKnown = startTree === tree || read?.rules.length === 0 || read?.rules.some(({ name }) => name === check)
      return defined({ commit, commitTree: now.commitTree, startTree, ...(isKnown && { tree }), dirty })
    }
    return { ended, workOf, remarks }
  } finally {
    dropObjects(objects)
  }
}

/** A check without a rule is the whole of its line. */
const alone = { name: '', command: '', exitCode: 0, isFirst: true, isLast: true }

export interface EndedCheck {
  name: string
  command: string
  exitCode: number
}

/**
 * Whether a recorder may say that it saw this check: it is the command of the rule for that name in the session, or
 * else the folder, or there is no such rule.
 */
export function isByRule(
  { name, command, exitCode }: EndedCheck,
  session: Recording | undefined,
  cwd: string,
): boolean {
  const { home, rules } = rulesOf(session, cwd) ?? {}
  if (home === undefined || rules === undefined) return false
  const named = rules.filter((rule) => rule.name === name)
  return named.length === 0 || checkNamesOf(command, exitCode, named, { cwd, home }).length > 0
}

/** Returns the names of the rules of a folder, as they are now, whose command a line is; none if nothing ran. */
export function ruleNamesIn(cwd: string): (line: string, exitCode: number) => string[] {
  const { home, rules = [] } = rulesOf(undefined, cwd) ?? {}
  return (line, exitCode) => checkNamesOf(line, exitCode, rules, { cwd, home })
}

/** The rules of the session, or else those of the folder; undefined if they are unreadable. */
function rulesOf(session: Recording | undefined, cwd: string): SessionRules | undefined {
  const { checks }: Memo = session?.memo ?? {}
  if (checks) return checks.isUnreadable ? undefined : checks
  const file = projectFileOf(cwd)
  return readable(() => sessionRules(cwd, file === undefined ? cwd : dirname(file)))
}

/**
 * The run of a pipeline that this process belongs to. On GitHub, legs of a matrix have the same job and attempt, so none
 * clears another. On GitLab, each leg has a job name of its own, and each retry of it a job id of its own.
 */
export function pipelineOf(env: Env): CheckInput['pipeline'] {
  const [id, job, attempt] = env.GITHUB_RUN_ID
    ? [env.GITHUB_RUN_ID, env.GITHUB_JOB, env.GITHUB_RUN_ATTEMPT]
    : [env.CI_PIPELINE_ID, env.CI_JOB_NAME, env.CI_JOB_ID]
  if (!id || !job) return undefined
  const n = Number(attempt)
  return { id: firstBytes(id, 200), job: firstBytes(job, 200), ...(Number.isInteger(n) && n > 0 && { attempt: n }) }
}
