import sql from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { idsOf, listOf } from '../../frame/pieces.ts'
import { erasedText, eraseIn, type IsToGo } from '../../log/event.ts'
import { usageOf } from '../../nouns/run/fields.ts'
import { type ModelRow, readModels, scanTurns, usageIn, writeModels } from '../../nouns/run/model/keep.ts'
import { plus, type UsageByModel } from '../../nouns/run/model/share.ts'
import { columns, type RunRow } from '../../nouns/run/row.ts'

/** Erases the names of models that runs used. Their figures stay. Returns the runs that had a name to erase. */
export async function eraseModels({ db }: Ctx, runs: readonly RunRow[], isToGo: IsToGo): Promise<Set<number>> {
  const known = Map.groupBy(await readModels(db, idsOf(runs)), ({ run_id }) => run_id)
  const gone = runs.filter(({ id }) => known.get(id)?.some((row) => hasNameToGo(row, isToGo)))
  for (const run of gone) {
    const rows = known.get(run.id) ?? []
    const { usage } = eraseIn({ usage: usageOf(run) }, isToGo)
    await writeModels(db, run, rows, { usage, byModel: erasedIn(usageIn(rows), isToGo) })
  }
  return new Set(idsOf(gone))
}

const hasNameToGo = ({ model }: ModelRow, isToGo: IsToGo) => model !== erasedText && isToGo(model, 'model')

/** Those of these runs that have a model whose name is to be erased. */
export async function findNamed({ db }: Ctx, runs: readonly number[], isToGo: IsToGo): Promise<number[]> {
  const rows = await readModels(db, runs)
  return [...new Set(rows.filter((row) => hasNameToGo(row, isToGo)).map(({ run_id }) => run_id))]
}

/** Derives the models of runs from all of their turns. The caller has locked the runs. */
export async function deriveModels({ db }: Ctx, runs: readonly number[]): Promise<void> {
  if (runs.length === 0) return
  const before = Map.groupBy(await readModels(db, runs), ({ run_id }) => run_id)
  const byRun = await scanTurns(db, runs)
  for (const run of await db.query<RunRow>(sql`select ${columns} from runs where runs.id in (${listOf(runs)})`)) {
    const byModel: UsageByModel = byRun.get(run.id) ?? new Map()
    await writeModels(db, run, before.get(run.id) ?? [], { usage: usageOf(run), byModel })
  }
}

/** What turns say, with one name for all models whose names are erased, as the turns have it. */
function erasedIn(byModel: UsageByModel, isToGo: IsToGo): UsageByModel {
  const after: UsageByModel = new Map()
  for (const [model, its] of byModel) {
    const name = isToGo(model, 'model') ? erasedText : model
    after.set(name, plus(after.get(name) ?? null, its))
  }
  return after
}
