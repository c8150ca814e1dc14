import { setImmediate as turn } from 'node:timers/promises'
import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import { mailOf } from '../contract/person.ts'
import type { InputOf } from '../contract/route.ts'
import type { Tx } from '../engine/db.ts'
import { sumOfCosts } from '../frame/cost.ts'
import type { Ctx, Operation, ProjectRef } from '../frame/ctx.ts'
import { type Positioned, readNewest, type TimeSpan } from '../frame/page.ts'
import { visibleProjects } from '../frame/scope.ts'
import { requireFilled } from '../nouns/run/backfill.ts'
import { readModels } from '../nouns/run/model/keep.ts'
import { noModel } from '../nouns/run/model/share.ts'
import { walksOf } from '../nouns/run/path.ts'
import { statuses } from '../nouns/run/state.ts'
import type { Day, StatsBy, StatsGroup } from '../nouns/run/stats-fields.ts'
import {
  addRow,
  durationOf,
  emptyTally,
  rangeOf,
  reported,
  type SumRow,
  type Sums,
  timedRuns,
} from '../nouns/run/stats-rules.ts'
import type { FindRoutes } from './routes.ts'

type Input = InputOf<FindRoutes['stats']>

/**
 * Throws NOT_FOUND for an unknown project; VALIDATION_ERROR for an empty range or one that is too long; UNAVAILABLE by
 * model while the models of earlier runs are being filled in.
 */
export const stats: Operation<FindRoutes['stats']> = async (ctx, input) => {
  const { after, before, days } = rangeOf(input.createdAfter, input.createdBefore, ctx.now, input.timeZone)
  if (input.by === 'model') await requireFilled(ctx.db, 'run_models')
  const { projects } = await visibleProjects(ctx, input.project)
  const where = [sql`project_id in (${join(projects.map(({ id }) => id))})`, ...filtersOf(input)]
  const end = before === undefined ? [] : [sql`created_at < ${before}`]
  const durations = await durationsOf(ctx, projects, input, { createdAfter: after, createdBefore: before })
  const total = emptyTally()
  const groups = new Map<string | null, Sums>()
  const spelled = new Map<string | null, number>()
  const perDay: Day[] = []
  for (const [index, { day, start }] of days.entries()) {
    const tally = emptyTally()
    const next = days[index + 1]
    const from = index === 0 ? sql`created_at > ${after}` : sql`created_at >= ${start}`
    const ofDay = [...where, from, ...(next === undefined ? end : [sql`created_at < ${next.start}`])]
    const grouped = await groupedOf(ctx, ofDay, input.by)
    for (const sum of grouped) {
      const key = groupKey(input.by, sum.value)
      const group = groups.get(key) ?? emptyTally()
      groups.set(key, group)
      addRow(group, sum)
      spelled.set(sum.value, (spelled.get(sum.value) ?? 0) + sum.runs)
    }
    // A run is in the group of each model that it used, but counts once.
    for (const sum of input.by === 'model' ? await sumsOf(ctx, ofDay) : grouped) {
      addRow(tally, sum)
      addRow(total, sum)
    }
    perDay.push({ day, ...reported(tally) })
    // SQLite reads without a pause, so we read one day at a time and let other requests in between.
    await turn()
  }
  const names =
    input.by === 'project'
      ? new Map<string | null, string | null>(projects.map(({ id, slug }) => [String(id), slug]))
      : commonSpellings(input.by, spelled)
  const shown = largest(groups, durations).map((group) => ({ ...group, value: names.get(group.value) ?? null }))
  return {
    ...(input.by && { groups: shown }),
    days: perDay,
    total: reported(total),
    duration: durationOf(durations.map(({ ms }) => ms)),
  }
}

/** What the group of a value is known by: an author is the same person in every spelling, as for the filter by address. */
const groupKey = (by: StatsBy | undefined, value: string | null) => (by === 'author' ? (mailOf(value) ?? value) : value)

/** The most frequent value of each group. `spelled` counts the runs of each value. */
const commonSpellings = (by: StatsBy | undefined, spelled: Map<string | null, number>) =>
  new Map([...spelled].sort(([, one], [, other]) => one - other).map(([value]) => [groupKey(by, value), value]))

/** The most groups of a response. */
const mostGroups = 100

function largest(groups: Map<string | null, Sums>, durations: Timed[]): StatsGroup[] {
  const single = durations.flatMap(({ values, ms }) => values.map((value) => ({ value, ms })))
  const timed = Map.groupBy(single, ({ value }) => value)
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
interface Sum extends SumRow {
  /** The value of the field by which runs are grouped. */
  value: string | null
}

const columnOf: Record<Exclude<StatsBy, 'model'>, Sql> = {
  agent: sql`agent`,
  author: sql`author`,
  specId: sql`spec_id`,
  branch: sql`branch`,
  project: sql`cast(project_id as text)`,
}

const groupValue = (by: StatsBy | undefined) => (by && by !== 'model' ? columnOf[by] : sql`cast(null as text)`)

const sumOf = (column: string) => sql`sum(cast(${raw(column)} as double precision)) as ${raw(column)}`

const used = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cost_usd']

/** The sums of runs by the values of a field. A run of several models is in the sums of each, with its share. */
function groupedOf(ctx: Ctx, where: Sql[], by: StatsBy | undefined): Promise<Sum[]> {
  if (by !== 'model') return sumsOf(ctx, where, by && columnOf[by])
  const shares = used.map(
    (name) => sql`case when m.run_id is null then r.${raw(name)} else m.${raw(name)} end as ${raw(name)}`,
  )
  const runs = sql`(select id, status, verdict, ${raw(used.join(', '))} from runs where ${join(where, ' and ')}) as r`
  const ofModels = sql`(
    select nullif(m.model, ${noModel}) as model, r.status, r.verdict, ${join(shares)}
    from ${runs} left join run_models m on m.run_id = r.id) as shares`
  return sumsOf(ctx, [sql`true`], sql`model`, ofModels)
}

const sumsOf = ({ db }: Ctx, where: Sql[], value?: Sql, from = sql`runs`) =>
  db.query<Sum>(sql`
    select ${value ?? sql`cast(null as text)`} as value, status, verdict, count(*) as runs,
      ${sumOf('input_tokens')}, ${sumOf('output_tokens')}, ${sumOf('cache_read_tokens')}, ${sumOf('cache_write_tokens')},
      ${sumOfCosts(sql`cost_usd`)} as cost_usd, count(cost_usd) as costed
    from ${from} where ${join(where, ' and ')} group by ${value ? sql`${value}, ` : empty}status, verdict
    order by status, verdict${value ? sql`, ${value}` : empty}`)

/** The duration of a run, and the groups that it is in. */
interface Timed {
  values: (string | null)[]
  ms: number
}

interface EndedRun extends Positioned {
  value: string | null
  started_at: string
  ended_at: string
}

/** The durations of the newest runs that have ended. */
async function durationsOf({ db }: Ctx, projects: ProjectRef[], input: Input, span: TimeSpan): Promise<Timed[]> {
  const { by, specId, agent } = input
  const walks = await Promise.all(projects.map(({ id }) => walksOf(db, id, { specId, agent })))
  const ended = walks.flat().map((walk) => ({ ...walk, where: [...walk.where, sql`ended_at is not null`] }))
  const columns = sql`runs.id, runs.created_at, ${groupValue(by)} as value, started_at, ended_at`
  const rows = await readNewest<EndedRun>(db, columns, ended, span, timedRuns)
  const valuesOf = by === 'model' ? await modelsIn(db, rows) : undefined
  return rows.map(({ id, value, started_at, ended_at }) => ({
    values: valuesOf ? (valuesOf.get(id) ?? [null]) : [groupKey(by, value)],
    ms: Date.parse(ended_at) - Date.parse(started_at),
  }))
}

/** The models of runs, as they are grouped. */
async function modelsIn(db: Tx, runs: readonly { id: number }[]): Promise<Map<number, (string | null)[]>> {
  const models = new Map<number, (string | null)[]>()
  for (let at = 0; at < runs.length; at += runsAtOnce) {
    const ids = runs.slice(at, at + runsAtOnce).map(({ id }) => id)
    for (const { run_id, model } of await readModels(db, ids)) {
      models.set(run_id, [...(models.get(run_id) ?? []), model === noModel ? null : model])
    }
  }
  return models
}

const runsAtOnce = 512
