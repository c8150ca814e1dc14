import { setImmediate as turn } from 'node:timers/promises'
import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import type { InputOf } from '../contract/route.ts'
import { sumOfCosts } from '../frame/cost.ts'
import type { Ctx, Operation, ProjectRef } from '../frame/ctx.ts'
import { type Positioned, readNewest, type Span } from '../frame/page.ts'
import { visibleProjects } from '../frame/scope.ts'
import type { Run } from '../nouns/run/fields.ts'
import { walksOf } from '../nouns/run/path.ts'
import { statuses } from '../nouns/run/state.ts'
import type { Day, Group, StatsBy } from '../nouns/run/stats-fields.ts'
import { durationOf, emptyTally, rangeOf, reported, type Sums, timedRuns } from '../nouns/run/stats-rules.ts'
import type { FindRoutes } from './routes.ts'

type Input = InputOf<FindRoutes['stats']>

/** Throws NOT_FOUND for an unknown project; VALIDATION_ERROR for an empty range or one that is too long. */
export const stats: Operation<FindRoutes['stats']> = async (ctx, input) => {
  const { after, before, days } = rangeOf(input.createdAfter, input.createdBefore, ctx.now, input.timeZone)
  const { projects } = await visibleProjects(ctx, input.project)
  const where = [sql`project_id in (${join(projects.map(({ id }) => id))})`, ...filtersOf(input)]
  const end = before === undefined ? [] : [sql`created_at < ${before}`]
  const durations = await durationsOf(ctx, projects, input, { createdAfter: after, createdBefore: before })
  const total = emptyTally()
  const groups = new Map<string | null, Sums>()
  const told: Day[] = []
  for (const [index, { day, start }] of days.entries()) {
    const tally = emptyTally()
    const next = days[index + 1]
    const from = index === 0 ? sql`created_at > ${after}` : sql`created_at >= ${start}`
    const ofDay = [...where, from, ...(next === undefined ? end : [sql`created_at < ${next.start}`])]
    for (const sum of await sumsOf(ctx, ofDay, input.by)) {
      const group = groups.get(sum.value) ?? emptyTally()
      groups.set(sum.value, group)
      for (const one of [tally, total, group]) add(one, sum)
    }
    told.push({ day, ...reported(tally) })
    // SQLite reads without a pause, so we read one day at a time and let other requests in between.
    await turn()
  }
  const slugs = new Map(projects.map(({ id, slug }) => [String(id), slug]))
  const shown = largest(groups, durations).map((group) =>
    input.by === 'project' ? { ...group, value: slugs.get(group.value ?? '') ?? null } : group,
  )
  return {
    ...(input.by && { groups: shown }),
    days: told,
    total: reported(total),
    duration: durationOf(durations.map(({ ms }) => ms)),
  }
}

/** The most groups of a response. */
const mostGroups = 100

function largest(groups: Map<string | null, Sums>, durations: Timed[]): Group[] {
  const timed = Map.groupBy(durations, ({ value }) => value)
  return [...groups]
    .sort(([a, one], [b, other]) => other.runs - one.runs || ((a ?? '') < (b ?? '') ? -1 : 1))
    .slice(0, mostGroups)
    .map(([value, tally]) => ({
      value,
      ...reported(tally),
      duration: durationOf((timed.get(value) ?? []).map(({ ms }) => ms)),
    }))
}

/** Naming every status lets the index of agent and status serve a range of times. */
const filtersOf = ({ specId, agent }: Input): Sql[] => [
  ...(specId === undefined ? [] : [sql`spec_id = ${specId}`]),
  ...(agent === undefined ? [] : [sql`agent = ${agent} and status in (${join(statuses)})`]),
]

/** The totals of runs with one status and verdict. */
interface Sum {
  /** The value of the field by which runs are grouped. */
  value: string | null
  status: Run['status']
  verdict: Run['verdict']
  runs: number
  input_tokens: number | null
  output_tokens: number | null
  cache_read_tokens: number | null
  cache_write_tokens: number | null
  cost_usd: number
  costed: number
}

const columnOf: Record<StatsBy, Sql> = {
  agent: sql`agent`,
  author: sql`author`,
  specId: sql`spec_id`,
  model: sql`model`,
  branch: sql`branch`,
  project: sql`cast(project_id as text)`,
}

const groupValue = (by: StatsBy | undefined) => (by ? columnOf[by] : sql`cast(null as text)`)

const sumOf = (column: string) => sql`sum(cast(${raw(column)} as double precision)) as ${raw(column)}`

const sumsOf = ({ db }: Ctx, where: Sql[], by: StatsBy | undefined) =>
  db.query<Sum>(sql`
    select ${groupValue(by)} as value, status, verdict, count(*) as runs,
      ${sumOf('input_tokens')}, ${sumOf('output_tokens')}, ${sumOf('cache_read_tokens')}, ${sumOf('cache_write_tokens')},
      ${sumOfCosts(sql`cost_usd`)} as cost_usd, count(cost_usd) as costed
    from runs where ${join(where, ' and ')} group by ${by ? sql`${columnOf[by]}, ` : empty}status, verdict
    order by status, verdict${by ? sql`, ${columnOf[by]}` : empty}`)

function add(tally: Sums, sum: Sum): void {
  tally.runs += sum.runs
  tally.byStatus[sum.status] += sum.runs
  tally.byVerdict[sum.verdict] += sum.runs
  tally.inputTokens += sum.input_tokens ?? 0
  tally.outputTokens += sum.output_tokens ?? 0
  tally.cacheReadTokens += sum.cache_read_tokens ?? 0
  tally.cacheWriteTokens += sum.cache_write_tokens ?? 0
  tally.costUsd += sum.cost_usd
  tally.costed += sum.costed
}

/** The duration of a run, and its value of the grouping field. */
interface Timed {
  value: string | null
  ms: number
}

interface EndedRun extends Positioned {
  value: string | null
  started_at: string
  ended_at: string
}

/** The durations of the newest runs that have ended. */
async function durationsOf({ db }: Ctx, projects: ProjectRef[], input: Input, span: Span): Promise<Timed[]> {
  const { by, specId, agent } = input
  const walks = await Promise.all(projects.map(({ id }) => walksOf(db, id, { specId, agent })))
  const ended = walks.flat().map((walk) => ({ ...walk, where: [...walk.where, sql`ended_at is not null`] }))
  const columns = sql`runs.id, runs.created_at, ${groupValue(by)} as value, started_at, ended_at`
  const rows = await readNewest<EndedRun>(db, columns, ended, span, timedRuns)
  return rows.map(({ value, started_at, ended_at }) => ({ value, ms: Date.parse(ended_at) - Date.parse(started_at) }))
}
