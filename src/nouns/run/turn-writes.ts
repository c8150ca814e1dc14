import sql from 'sql-template-tag'
import { shifted } from '../../contract/span.ts'
import type { Ctx } from '../../frame/ctx.ts'
import type { RunRow } from './row.ts'
import { earlier, later } from './state.ts'
import type { TurnFields } from './turn-fields.ts'
import { normalForm } from './verdict/command.ts'
import { onlyReads } from './verdict/only-reads.ts'
import { isUnknown, kindOf } from './verdict/tool-kinds.ts'
import type { Git } from './work-fields.ts'

type IsCheck = (command: string) => boolean

/** Whether a turn may have changed files: by what it says of them, by its tools, or by its commands. */
function mayHaveWritten(turn: TurnFields, isCheck: IsCheck): boolean {
  const { files = [], filesOmitted, restored = [], uncredited, changes, commands = [] } = turn
  return (
    files.length + restored.length + (changes?.files ?? 0) > 0 ||
    filesOmitted !== undefined ||
    uncredited !== undefined ||
    haveToolsWritten(turn) ||
    !commands.every(({ command }) => isHarmless(command, isCheck))
  )
}

/** Whether its tools may have changed files: an edit that did not fail, an unknown tool, or a command that it does not list. */
function haveToolsWritten({ tools = [], commands = [] }: TurnFields): boolean {
  const ran = tools.map(({ name, count, failed = 0, refused = 0 }) => ({ name, count: count - refused, failed }))
  const shell = ran.reduce((sum, { name, count }) => sum + (kindOf(name) === 'shell' ? count : 0), 0)
  const isWrite = ({ name, count, failed }: (typeof ran)[number]) => {
    const kind = kindOf(name)
    return kind === 'edit' || kind === 'patch' ? count > failed : count > 0 && isUnknown(name)
  }
  return shell > commands.length || ran.some(isWrite)
}

/** What starts another command or writes a file, and redirections that do not. */
const [starts, quiet] = [/[`>]|[$<]\(/, /\d?>&\d|&?\d?>>?\s*\/dev\/null/g]

/**
 * Whether a command line changes no file: each of its commands only reads or is a check. It is divided without regard to
 * quotes, so a command that divides badly counts as one that writes.
 */
function isHarmless(line: string, isCheck: IsCheck): boolean {
  const plain = line.replace(quiet, '')
  if (starts.test(plain)) return false
  return plain.split(/&&|\|\||[;|\n]/).every((part) => part.trim() === '' || onlyReads(part) || isCheck(part.trim()))
}

/**
 * Whether a new turn outdates checks of a run without trees. Checks after its end are still about the work, and so are
 * those that the key of the turn or the recorder of the run made since it began. A recorder whose hooks see checks
 * reports by itself when files may have changed.
 */
export async function outdatesChecks(
  ctx: Ctx,
  row: RunRow,
  { isRecorder, turn, begunAt }: { isRecorder: boolean; turn: TurnFields; begunAt: string | undefined },
): Promise<boolean> {
  const { tree, commits = [] }: Git = JSON.parse(row.git ?? '{}')
  // Without checks there is no sentence.
  if ((turn.git?.tree ?? tree) !== undefined || (row.verdict === 'unchecked' && row.why === null)) return false
  const checks = await ctx.db.query<{ command: string | null; recorder: string | null }>(
    sql`select distinct command, recorder from checks where run_id = ${row.id}`,
  )
  if (isRecorder && checks.some(({ recorder }) => recorder === 'hook')) return false
  const forms = new Set(checks.flatMap(({ command }) => (command === null ? [] : normalForm(command))))
  const hasCommitted = turn.git?.commits?.some((commit) => !commits.includes(commit)) ?? false
  if (!hasCommitted && !mayHaveWritten(turn, (command) => forms.has(normalForm(command)))) return false
  // The clock of the recorder may be behind that of the server, which saw the beginning.
  const lasted = turn.startedAt && turn.endedAt ? Date.parse(turn.endedAt) - Date.parse(turn.startedAt) : 0
  const seen = begunAt === undefined ? null : shifted(begunAt, lasted)
  const to = earlier(later(turn.endedAt ?? ctx.now, seen), ctx.now)
  const from = earlier(begunAt ?? to, to)
  await ctx.db.query(sql`
    update checks set work_version = ${row.work_version + 1}
    where run_id = ${row.id} and work_version = ${row.work_version}
      and (created_at >= ${to} or created_at >= ${from} and (recorder is not null or result_by = ${ctx.actor.id}))`)
  return true
}
