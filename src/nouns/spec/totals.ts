import sql, { join, raw } from 'sql-template-tag'
import { wholeCostOf } from '../../frame/cost.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { wholeCost } from '../run/cost.ts'
import type { Run } from '../run/fields.ts'
import { addRow, emptyTally, nothingUsed, reported, type SumRow } from '../run/stats-rules.ts'
import type { Totals } from './fields.ts'

/** The fields of a run that count for its spec. */
interface Countable {
  spec_id: string | null
  status: Run['status']
  verdict: Run['verdict']
  retry_of_run: string | null
  input_tokens: number | null
  output_tokens: number | null
  cache_read_tokens: number | null
  cache_write_tokens: number | null
  cost_usd: number | null
}

interface Sum {
  spec: string
  status: Run['status']
  verdict: Run['verdict']
  runs: number
  attempts: number
  inputTokens: number
  outputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
  costUsd: number
  costed: number
}

/**
 * Updates the totals of specs after a run changed from `before` to `after`. Null means that it did not exist, or no
 * longer exists.
 */
export const moveTotals = (ctx: Ctx, before: Countable | null, after: Countable | null): Promise<void> =>
  addToTotals(ctx, [[before, -1] as const, [after, 1] as const])

/** Adds runs to the totals of their specs, or removes them: each as many times as its number says. */
export async function addToTotals(
  ctx: Ctx,
  counted: (readonly [run: Countable | null, times: 1 | -1])[],
): Promise<void> {
  const moves = new Map<string, Sum>()
  for (const [run, times] of counted) {
    if (run === null || run.spec_id === null) continue
    const { spec_id: spec, status, verdict } = run
    const key = `${spec} ${status} ${verdict}`
    const sum = moves.get(key) ?? { spec, status, verdict, ...nothing }
    moves.set(key, {
      ...sum,
      runs: sum.runs + times,
      attempts: sum.attempts + (run.retry_of_run === null ? 0 : times),
      inputTokens: sum.inputTokens + times * (run.input_tokens ?? 0),
      outputTokens: sum.outputTokens + times * (run.output_tokens ?? 0),
      cacheReadTokens: sum.cacheReadTokens + times * (run.cache_read_tokens ?? 0),
      cacheWriteTokens: sum.cacheWriteTokens + times * (run.cache_write_tokens ?? 0),
      costUsd: sum.costUsd + times * wholeCost(run.cost_usd ?? 0),
      costed: sum.costed + (run.cost_usd === null ? 0 : times),
    })
  }
  // All callers use the same order, so that two transactions cannot deadlock.
  for (const [, sum] of [...moves].sort(([a], [b]) => (a < b ? -1 : 1))) if (isMove(sum)) await add(ctx, sum)
}

const nothing = { runs: 0, attempts: 0, ...nothingUsed }

const isMove = (sum: Sum) => Object.keys(nothing).some((field) => sum[field as keyof typeof nothing] !== 0)

async function add({ db, project }: Ctx, sum: Sum): Promise<void> {
  await db.query(sql`
    insert into spec_totals (project_id, spec_id, status, verdict, shard, runs, attempts, input_tokens, output_tokens,
      cache_read_tokens, cache_write_tokens, cost_usd, costed)
    values (${project.id}, ${sum.spec}, ${sum.status}, ${sum.verdict}, ${db.dialect.shard},
      ${sum.runs}, ${sum.attempts}, ${sum.inputTokens}, ${sum.outputTokens}, ${sum.cacheReadTokens},
      ${sum.cacheWriteTokens}, ${sum.costUsd}, ${sum.costed})
    on conflict (project_id, spec_id, status, verdict, shard) do update set
      runs = spec_totals.runs + excluded.runs, attempts = spec_totals.attempts + excluded.attempts,
      input_tokens = spec_totals.input_tokens + excluded.input_tokens,
      output_tokens = spec_totals.output_tokens + excluded.output_tokens,
      cache_read_tokens = spec_totals.cache_read_tokens + excluded.cache_read_tokens,
      cache_write_tokens = spec_totals.cache_write_tokens + excluded.cache_write_tokens,
      cost_usd = ${wholeCostOf(sql`spec_totals.cost_usd + excluded.cost_usd`)}, costed = spec_totals.costed + excluded.costed`)
}

const tokens = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens']
/** As in statistics: an engine may have a larger integer than JavaScript can hold. */
const tokenColumns = join(tokens.map((name) => raw(`cast(${name} as double precision) as ${name}`)))

/** The totals of the runs of a spec. */
export async function totalsOf({ db, project }: Ctx, specId: string): Promise<Totals> {
  const rows = await db.query<SumRow & { attempts: number }>(sql`
    select status, verdict, runs, attempts, ${tokenColumns}, cost_usd, costed from spec_totals
    where project_id = ${project.id} and spec_id = ${specId} order by status, verdict, shard`)
  const totals = { ...nothing, ...emptyTally() }
  for (const row of rows) {
    addRow(totals, row)
    totals.attempts += row.attempts
  }
  return reported(totals)
}
