import sql, { type Sql } from 'sql-template-tag'
import { ConductError, invalid } from '../../../contract/error.ts'
import type { Ctx } from '../../../frame/ctx.ts'
import { listOf } from '../../../frame/pieces.ts'
import { columns, type RunRow } from '../row.ts'
import type { Git } from '../work-fields.ts'
import type { CheckState } from './row.ts'

/** The most runs that a check by commit goes to: those that made it first, then those that changed something, newest first. */
const mostRuns = 100

interface Candidate {
  id: number
  run_id: string
  created_by: number
  made: number
  noted_at: string | null
  changed: number
  git: string | null
}

/** Whether a run `r` changed something. */
const hasChanged = sql`case when r.changes is not null and r.changes not like '%"files":0%'
  or exists (select 1 from run_files f where f.run_id = r.id)
  or exists (select 1 from run_commits m where m.run_id = r.id and m.made = 1) then 1 else 0 end`

const fields = sql`r.id, r.run_id, r.created_by, r.git, ${hasChanged} as changed`
const foremost = sql`order by made desc, changed desc, r.created_at desc, r.id desc limit ${mostRuns}`

/**
 * The runs that a check of a commit is about, newest first, locked in the order of their ids: those whose own recorder saw
 * them make it, else those that ended on it, began elsewhere and changed something; those whose uncommitted work it has;
 * and if there are none, those that changed something and whose commit has the same tree. A claim to have made it counts
 * against another key's run only from when it was recorded.
 *
 * Throws NOT_FOUND with the reason if there is none; VALIDATION_ERROR for an abbreviated commit id.
 */
export async function runsOfCommit(ctx: Ctx, { commit, commitTree }: CheckState): Promise<RunRow[]> {
  if (commit === null) throw invalid('runId', 'is required where no commit is given to find the run by')
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) {
    throw invalid('commit', `must be a whole commit id, 40 or 64 of 0-9 a-f, to find a run by, not '${commit}'`)
  }
  const on = await candidates(
    ctx,
    sql`l.made, l.noted_at`,
    sql`run_commits l join runs r on r.id = l.run_id where l.project_id = ${ctx.project.id} and l.commit_id = ${commit}`,
  )
  const makers = on.filter(({ made }) => made === 1)
  const ended = on.filter((run) => run.made === 0 && isWork(run) && !makers.some((maker) => isBefore(maker, run)))
  const known = [...makers, ...ended]
  const same = commitTree === null ? [] : await ofTree(ctx, commitTree, known.length > 0)
  const found = [...known, ...same].slice(0, mostRuns)
  if (found.length === 0) throw noRunOn(ctx, commit, on)
  const rows = await locked(ctx, found)
  // They may have been deleted meanwhile.
  if (rows.length === 0) throw noRunOn(ctx, commit, [])
  return rows
}

/**
 * The runs that changed something and whose whole work has the tree and is not all committed, so that somebody else has
 * committed it. Unless the commit is known of other runs, also those whose own commit has the tree.
 */
async function ofTree(ctx: Ctx, tree: string, isKnown: boolean): Promise<Candidate[]> {
  const runsWith = (column: Sql) =>
    candidates(
      ctx,
      sql`0 as made, null as noted_at`,
      sql`runs r where r.project_id = ${ctx.project.id} and r.${column} = ${tree}`,
    )
  const committed = isKnown ? [] : (await runsWith(sql`commit_tree`)).filter(isWork)
  const work = (await runsWith(sql`uncommitted_tree`)).filter(({ changed }) => changed === 1)
  return [...committed, ...work]
}

const candidates = (ctx: Ctx, more: Sql, from: Sql) =>
  ctx.db.query<Candidate>(sql`select ${fields}, ${more} from ${from} ${foremost}`)

/** Whether a run changed something that its commit may have: one that ended on the commit where it began has not. */
function isWork({ changed, git }: Candidate): boolean {
  const { base, commit }: Git = git === null ? {} : JSON.parse(git)
  return changed === 1 && (base === undefined || base !== commit)
}

/** Whether a run made the commit on which another one stood later, so that the commit is not the work of the other. */
const isBefore = (maker: Candidate, other: Candidate) =>
  maker.created_by === other.created_by || (maker.noted_at ?? '') <= (other.noted_at ?? '')

async function locked(ctx: Ctx, found: Candidate[]): Promise<RunRow[]> {
  const rows = await ctx.db.query<RunRow>(sql`
    select ${columns} from runs where runs.id in (${listOf(found.map(({ id }) => id))})
      and runs.project_id = ${ctx.project.id} order by runs.id
    ${ctx.db.dialect.forUpdate}`)
  return rows.sort((a, b) => (a.created_at === b.created_at ? b.id - a.id : a.created_at < b.created_at ? 1 : -1))
}

function noRunOn({ project }: Ctx, commit: string, on: Candidate[]): ConductError {
  const names = on.slice(0, 3).map(({ run_id }) => `'${run_id}'`)
  const why =
    names.length === 0
      ? `No run of project '${project.slug}' made or ended on commit ${commit}, or has its files`
      : `No run of project '${project.slug}' made commit ${commit}, and the runs that stood on it, ${names.join(', ')}, changed nothing in it`
  return new ConductError(
    'NOT_FOUND',
    `${why}: for a merge commit, check out its head instead, or give a runId, or record the run first.`,
  )
}
