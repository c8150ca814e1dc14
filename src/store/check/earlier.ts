import sql, { join } from 'sql-template-tag'
import { fits } from '../../ledger/text.ts'
import type { Ctx } from '../ctx.ts'
import { noteMade } from '../run/found-by.ts'
import type { JudgedRun } from './verdict.ts'

interface EarlierRow {
  id: number
  command: string
  exit_code: number
  duration_ms: number | null
  content_type: string | null
}

/** The most bytes of a command in a turn. */
const commandBytes = 2_000

/**
 * Adds to a run of an earlier version what its verdict now rests on: which checks a recorder saw, which work a claim was
 * about, and which commits it made. A check by a writer counts as seen if a turn shows its command with its exit code, or
 * if it has the output of `conduct check exec`.
 */
export async function bringForward(ctx: Ctx, run: JudgedRun): Promise<void> {
  const git = JSON.parse(run.git ?? '{}')
  await noteMade(ctx, run, git.commits ?? [])
  // A claim without a tree, on work that has not moved since.
  if (git.tree) {
    await ctx.db.query(sql`update checks set git_tree = ${git.tree}
      where run_id = ${run.id} and git_tree is null and git_commit is null and work_version >= ${run.work_version}`)
  }
  const rows = await ctx.db.query<EarlierRow>(sql`
    select id, command, exit_code, duration_ms, content_type from checks
    where run_id = ${run.id} and recorder is null and command is not null and exit_code is not null
      and (result_by = ${run.created_by} or result_by in (select actor_id from run_writers where run_id = ${run.id}))`)
  if (rows.length === 0) return
  const isExec = ({ content_type, duration_ms }: EarlierRow) =>
    content_type === 'text/x-terminal' && duration_ms !== null
  const exec = rows.filter(isExec)
  const shown = await commandsOf(ctx, run.id)
  const hook = rows.filter((row) => !isExec(row) && shown.has(shownAs(row.command, row.exit_code)))
  for (const [recorder, some] of [
    ['exec', exec],
    ['hook', hook],
  ] as const) {
    if (some.length === 0) continue
    await ctx.db.query(sql`update checks set recorder = ${recorder} where id in (${join(some.map(({ id }) => id))})`)
  }
}

const shownAs = (command: string, exitCode: number) => `${exitCode} ${command.trim()}`

/** The commands of the turns of a run with their exit codes. Turns may be large, so they are read one at a time. */
async function commandsOf(ctx: Ctx, runRow: number): Promise<Set<string>> {
  const shown = new Set<string>()
  const turns = await ctx.db.query<{ id: number }>(sql`select id from turns where run_id = ${runRow} order by n`)
  for (const { id } of turns) {
    const [row] = await ctx.db.query<{ facts: string }>(sql`select facts from turns where id = ${id}`)
    const { commands = [] } = JSON.parse(row?.facts ?? '{}') as { commands?: { command: string; exitCode?: number }[] }
    for (const { command, exitCode } of commands) {
      if (exitCode !== undefined && fits(command, commandBytes)) shown.add(shownAs(command, exitCode))
    }
  }
  return shown
}
