import sql, { join, type Sql } from 'sql-template-tag'
import type { Tx } from '../../../engine/db.ts'
import { listOf } from '../../../frame/pieces.ts'
import type { RunRow } from '../row.ts'
import type { TurnFields } from '../turn-fields.ts'
import type { Usage } from '../work-fields.ts'
import { addTurn, type Figures, sharesOf, type UsageByModel } from './share.ts'

/** The table of the models that runs used, by which lists find them and statistics group them. */

/** A model of a run: what its turns say in all, as JSON, and its share. `told` is null if no turn names the model. */
export interface ModelRow {
  run_id: number
  model: string
  told: string | null
  input_tokens: number | null
  output_tokens: number | null
  cache_read_tokens: number | null
  cache_write_tokens: number | null
  cost_usd: number | null
}

const columns = sql`run_id, model, told, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd`

export const readModels = (db: Tx, runs: readonly number[]): Promise<ModelRow[]> =>
  db.query<ModelRow>(sql`select ${columns} from run_models where run_id in (${listOf(runs)}) order by run_id, model`)

export const usageIn = (rows: readonly ModelRow[]): UsageByModel =>
  new Map(rows.flatMap(({ model, told }) => (told === null ? [] : [[model, JSON.parse(told) as Figures | null]])))

type Run = Pick<RunRow, 'id' | 'project_id' | 'created_at'>

/** Updates the models of a run after its usage has changed, or for a new turn. The caller has locked the run. */
export async function keepModels(db: Tx, run: Run, usage: Usage | null, turn: TurnFields = {}): Promise<void> {
  const rows = await readModels(db, [run.id])
  const byModel = usageIn(rows)
  addTurn(byModel, turn)
  await writeModels(db, run, rows, { usage, byModel })
}

/** Replaces the models of a run. */
export async function writeModels(
  db: Tx,
  run: Run,
  before: readonly ModelRow[],
  { usage, byModel }: { usage: Usage | null; byModel: UsageByModel },
): Promise<void> {
  const rows = rowsOf(run.id, usage, byModel)
  const gone = before.filter(({ model }) => rows.every((row) => row.model !== model)).map(({ model }) => model)
  if (gone.length > 0) {
    await db.query(sql`delete from run_models where run_id = ${run.id} and model in (${listOf(gone)})`)
  }
  const known = new Map(before.map((row) => [row.model, JSON.stringify(row)]))
  const changed = rows.filter((row) => known.get(row.model) !== JSON.stringify(row))
  if (changed.length > 0) await upsert(db, run, changed)
}

/** The rows of a run, from its usage and from what its turns say. */
export const rowsOf = (run: number, usage: Usage | null, byModel: UsageByModel): ModelRow[] =>
  [...sharesOf(usage, byModel)].map(([model, share]) => ({
    run_id: run,
    model,
    told: byModel.has(model) ? JSON.stringify(byModel.get(model)) : null,
    input_tokens: share.inputTokens ?? null,
    output_tokens: share.outputTokens ?? null,
    cache_read_tokens: share.cacheReadTokens ?? null,
    cache_write_tokens: share.cacheWriteTokens ?? null,
    cost_usd: share.costUsd ?? null,
  }))

async function upsert(db: Tx, { project_id, created_at }: Run, rows: ModelRow[]): Promise<void> {
  const values = rows.map((row): Sql => sql`(${join([...Object.values(row), project_id, created_at])})`)
  await db.query(sql`
    insert into run_models (${columns}, project_id, created_at) values ${join(values)}
    on conflict (run_id, model) do update set told = excluded.told, input_tokens = excluded.input_tokens,
      output_tokens = excluded.output_tokens, cache_read_tokens = excluded.cache_read_tokens,
      cache_write_tokens = excluded.cache_write_tokens, cost_usd = excluded.cost_usd`)
}

interface TurnRow {
  run_id: number
  n: number
  facts: string
}

/** How many turns are read at once. */
const turnsAtOnce = 200

/** What the turns of runs say, by the run. Reads all of them. */
export async function scanTurns(db: Tx, runs: readonly number[]): Promise<Map<number, UsageByModel>> {
  const byRun = new Map(runs.map((run): [number, UsageByModel] => [run, new Map()]))
  for (let last: TurnRow = { run_id: 0, n: 0, facts: '' }; ; ) {
    const turns = await db.query<TurnRow>(sql`
      select run_id, n, facts from turns where run_id in (${listOf(runs)}) and (run_id, n) > (${last.run_id}, ${last.n})
      order by run_id, n limit ${turnsAtOnce}`)
    for (const { run_id, facts } of turns) addTurn(byRun.get(run_id) ?? new Map(), JSON.parse(facts))
    const next = turns.at(-1)
    if (!next || turns.length < turnsAtOnce) return byRun
    last = next
  }
}
