import type { Step, Told } from '../../agents/seen.ts'
import { cut } from '../../agents/turn.ts'
import { type Call, newCall } from '../../spool/calls.ts'
import { checkRules } from '../place/rules.ts'
import { checkNamesOf } from './checked.ts'
import type { Candidate } from './memo.ts'
import type { Trees } from './note.ts'
import type { Session, Settled } from './session.ts'

/** A use of a tool, from its note. */
interface Use {
  cwd: string
  trees: Trees
  step: Step & { kind: 'tool' }
}

/** The checks that a command is, by the rules of conduct.json. The transcript may reveal a missing exit code later. */
export async function checksOf({ cwd, trees, step }: Use, session: Session, settled: Settled): Promise<Settled> {
  const { id, command, durationMs } = step
  if (command === undefined || trees.home === undefined) return settled
  const candidate: Candidate = {
    cwd: trees.cwd ?? cwd,
    trees,
    command,
    ...(id && { id }),
    ...timeOf({ durationMs }),
  }
  const told = step.exitCode === undefined ? await toldOf(session, id) : step
  if (told.exitCode !== undefined) {
    return withChecks(settled, callsOf(session, { ...timeOf(told), ...candidate }, told.exitCode))
  }
  const { memo } = settled
  return { ...settled, memo: { ...memo, unsure: [...(memo.unsure ?? []), candidate].slice(-100) } }
}

type Ended = Pick<Step & { kind: 'tool' }, 'exitCode' | 'durationMs'>

/** What the transcript currently says about a command. */
async function toldOf(session: Session, id: string | undefined): Promise<Ended> {
  const { commands = {} } = await session.transcript()
  return (id !== undefined && Object.hasOwn(commands, id) && commands[id]) || {}
}

const timeOf = ({ durationMs }: Ended) => (durationMs === undefined ? {} : { durationMs })

/** The checks of commands whose exit code is now known. The others stay unknown: a gap is better than a guess. */
export function unsureChecks(session: Session, settled: Settled, { commands = {} }: Told): Settled {
  const { unsure = [], ...memo } = settled.memo
  const calls = unsure.flatMap((candidate) => {
    const told = (candidate.id !== undefined && commands[candidate.id]) || {}
    if (told.exitCode === undefined) return []
    return callsOf(session, { ...timeOf(told), ...candidate }, told.exitCode)
  })
  return withChecks({ ...settled, memo }, calls)
}

const withChecks = (settled: Settled, calls: Call[]): Settled =>
  settled.memo.begun ? { ...settled, calls: [...settled.calls, ...calls] } : settled

function callsOf({ agent }: Session, candidate: Candidate, exitCode: number): Call[] {
  const { cwd, trees, command, durationMs } = candidate
  const { commit, tree, dirty } = trees.now?.git ?? {}
  const names = checkNamesOf(command, exitCode, checkRules(trees.home ?? cwd), { cwd, home: trees.home })
  return names.map((name) =>
    newCall('createCheck', {
      name: cut(name, 200),
      result: exitCode === 0 ? 'pass' : 'fail',
      command: cut(command, 4_000),
      exitCode,
      // For a chain, the durations of its commands are unknown.
      ...(durationMs !== undefined && names.length === 1 && { durationMs }),
      ...(commit && { commit }),
      ...(tree && { tree }),
      ...(dirty !== undefined && { dirty }),
      agent,
    }),
  )
}
