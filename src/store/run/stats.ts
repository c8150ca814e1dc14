import { setImmediate as turn } from 'node:timers/promises'
import sql, { join, type Sql } from 'sql-template-tag'
import type { Parsed } from '../../api/routes.ts'
import type { Run } from '../../api/run.ts'
import type { Day, Tally } from '../../api/stats.ts'
import { statuses } from '../../ledger/run.ts'
import { durationOf, emptyTally, rangeOf, timedRuns } from '../../ledger/stats.ts'
import type { Ctx, Operation } from '../ctx.ts'
import { visibleProjects } from '../scope.ts'

/** NOT_FOUND for an unknown project; VALIDATION_ERROR for a range that is empty or too long. */
export const stats: Operation<'stats'> = async (ctx, input) => {
  const { after, before, days } = rangeOf(input.createdAfter, input.createdBefore, ctx.now)
  const { projects } = await visibleProjects(ctx, input.project)
  const where = [sql`project_id in (${join(projects.map(({ id }) => id))})`, ...filtersOf(input)]
  const end = before === undefined ? [] : [sql`created_at < ${before}`]
  const duration = await durationsOf(ctx, [...where, sql`created_at > ${after}`, ...end])
  const total = emptyTally()
  const told: Day[] = []
  for (const [index, day] of days.entries()) {
    const tally = emptyTally()
    const next = days[index + 1]
    const from = index === 0 ? sql`created_at > ${after}` : sql`created_at >= ${day}`
    for (const group of await groupsOf(ctx, [
      ...where,
      from,
      ...(next === undefined ? end : [sql`created_at < ${next}`]),
    ])) {
      add(tally, group)
      add(total, group)
    }
    told.push({ day, ...rounded(tally) })
    // SQLite reads without pause: a day at a time, and whoever else asks comes in between.
    await turn()
  }
  return { days: told, total: rounded(total), duration }
}

/** An agent's runs are indexed by status too: with every status named, its index goes by time as well. */
const filtersOf = ({ specId, agent }: Parsed<'stats'>): Sql[] => [
  ...(specId === undefined ? [] : [sql`spec_id = ${specId}`]),
  ...(agent === undefined ? [] : [sql`agent = ${agent} and status in (${join(statuses)})`]),
]

/** What runs of one status and verdict come to. */
interface Group {
  status: Run['status']
  verdict: Run['verdict']
  runs: number
  input_tokens: number | null
  output_tokens: number | null
  cost_usd: number | null
}

const groupsOf = ({ db }: Ctx, where: Sql[]) =>
  db.query<Group>(sql`
    select status, verdict, count(*) as runs, sum(cast(input_tokens as double precision)) as input_tokens,
      sum(cast(output_tokens as double precision)) as output_tokens, sum(cost_usd) as cost_usd
    from runs where ${join(where, ' and ')} group by status, verdict order by status, verdict`)

function add(tally: Tally, group: Group): void {
  tally.runs += group.runs
  tally.byStatus[group.status] += group.runs
  tally.byVerdict[group.verdict] += group.runs
  tally.inputTokens += group.input_tokens ?? 0
  tally.outputTokens += group.output_tokens ?? 0
  tally.costUsd += group.cost_usd ?? 0
}

/** Engines add in different orders, which the last digits of a sum tell: twelve digits are the same everywhere. */
const rounded = (tally: Tally): Tally => ({ ...tally, costUsd: Number(tally.costUsd.toPrecision(12)) })

async function durationsOf({ db }: Ctx, where: Sql[]) {
  const rows = await db.query<{ started_at: string; ended_at: string }>(sql`
    select started_at, ended_at from runs where ${join(where, ' and ')} and ended_at is not null
    order by created_at desc, id desc limit ${timedRuns}`)
  return durationOf(rows.map((row) => Date.parse(row.ended_at) - Date.parse(row.started_at)))
}
