import sql from 'sql-template-tag'
import { fits } from '../../../contract/text.ts'
import type { Ctx } from '../../../frame/ctx.ts'
import { listOf } from '../../../frame/pieces.ts'
import { noteAllMade } from '../found-by.ts'
import type { JudgedRun } from './verdict.ts'

interface EarlierRow {
  id: number
  run_id: number
  result_by: number
  work_version: number
  git_tree: string | null
  git_commit: string | null
  recorder: string | null
  command: string | null
  exit_code: number | null
  duration_ms: number | null
  content_type: string | null
}

/** The most bytes of a command in a turn. */
const commandBytes = 2_000

/**
 * Adds to runs of an earlier version what their verdicts now rest on: which checks a recorder saw, which work a claim was
 * about, and which commits they made. A check by a writer counts as seen if a turn shows its command with its exit code, or
 * if it has the output of `conduct check exec`.
 */
export async function bringForward(ctx: Ctx, runs: readonly JudgedRun[]): Promise<void> {
  const ids = listOf(runs.map(({ id }) => id))
  const checks = await ctx.db.query<EarlierRow>(sql`
    select id, run_id, result_by, work_version, git_tree, git_commit, recorder, command, exit_code, duration_ms,
      content_type from checks where run_id in (${ids})`)
  const checksOf = Map.groupBy(checks, ({ run_id }) => run_id)
  const made: { id: number; commit: string }[] = []
  for (const run of runs) {
    const { tree, commits = [] }: { tree?: string | null; commits?: string[] } = JSON.parse(run.git ?? '{}')
    made.push(...commits.map((commit) => ({ id: run.id, commit })))
    if (tree) await placeClaims(ctx, run, checksOf.get(run.id) ?? [], tree)
  }
  await noteAllMade(ctx, made)
  const ran = checks.filter(({ recorder, command, exit_code }) => !recorder && command !== null && exit_code !== null)
  if (ran.length > 0) await noteSeen(ctx, await byWriters(ctx, runs, ran))
}

/** A claim without a tree, on work that has not moved since. */
async function placeClaims(ctx: Ctx, { work_version }: JudgedRun, checks: EarlierRow[], tree: string): Promise<void> {
  const unplaced = checks.filter(
    (check) => check.git_tree === null && check.git_commit === null && check.work_version >= work_version,
  )
  if (unplaced.length === 0) return
  await ctx.db.query(sql`update checks set git_tree = ${tree} where id in (${idsOf(unplaced)})`)
}

/** Those checks of runs whose results somebody set who wrote in the run. */
async function byWriters(ctx: Ctx, runs: readonly JudgedRun[], checks: EarlierRow[]): Promise<EarlierRow[]> {
  const rows = await ctx.db.query<{ run_id: number; actor_id: number }>(sql`
    select run_id, actor_id from run_writers where run_id in (${listOf(runs.map(({ id }) => id))})`)
  const writers = new Set([
    ...runs.map(({ id, created_by }) => `${id} ${created_by}`),
    ...rows.map(({ run_id, actor_id }) => `${run_id} ${actor_id}`),
  ])
  return checks.filter(({ run_id, result_by }) => writers.has(`${run_id} ${result_by}`))
}

/** Notes which of these checks a recorder saw. */
async function noteSeen(ctx: Ctx, checks: EarlierRow[]): Promise<void> {
  const isExec = ({ content_type, duration_ms }: EarlierRow) =>
    content_type === 'text/x-terminal' && duration_ms !== null
  const others = checks.filter((check) => !isExec(check))
  const shown = await commandsOf(ctx, others)
  for (const [recorder, some] of [
    ['exec', checks.filter(isExec)],
    ['hook', others.filter((check) => shown.has(shownAs(check.run_id, check.exit_code, check.command ?? '')))],
  ] as const) {
    if (some.length === 0) continue
    await ctx.db.query(sql`update checks set recorder = ${recorder} where id in (${idsOf(some)})`)
  }
}

const idsOf = (rows: readonly { id: number }[]) => listOf(rows.map(({ id }) => id))

const shownAs = (run: number, exitCode: number | null, command: string) => `${run} ${exitCode} ${command.trim()}`

/** The commands of the turns of the runs of these checks, with their exit codes. Turns may be large, so they are read one at a time. */
async function commandsOf(ctx: Ctx, checks: readonly EarlierRow[]): Promise<Set<string>> {
  const shown = new Set<string>()
  if (checks.length === 0) return shown
  const turns = await ctx.db.query<{ id: number; run_id: number }>(sql`
    select id, run_id from turns where run_id in (${listOf(checks.map(({ run_id }) => run_id))}) order by run_id, n`)
  for (const { id, run_id } of turns) {
    const [row] = await ctx.db.query<{ facts: string }>(sql`select facts from turns where id = ${id}`)
    const { commands = [] } = JSON.parse(row?.facts ?? '{}') as { commands?: { command: string; exitCode?: number }[] }
    for (const { command, exitCode } of commands) {
      if (exitCode !== undefined && fits(command, commandBytes)) shown.add(shownAs(run_id, exitCode, command))
    }
  }
  return shown
}
