import type { Ctx } from '../../frame/ctx.ts'
import { idsOf } from '../../frame/pieces.ts'
import { erasedText, eraseIn, type IsToGo } from '../../log/event.ts'
import { usageOf } from '../../nouns/run/fields.ts'
import { type ModelRow, readModels, usageIn, writeModels } from '../../nouns/run/model/keep.ts'
import { plus, type UsageByModel } from '../../nouns/run/model/share.ts'
import type { RunRow } from '../../nouns/run/row.ts'

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

/** What turns say, with one name for all models whose names are erased, as the turns have it. */
function erasedIn(byModel: UsageByModel, isToGo: IsToGo): UsageByModel {
  const after: UsageByModel = new Map()
  for (const [model, its] of byModel) {
    const name = isToGo(model, 'model') ? erasedText : model
    after.set(name, plus(after.get(name) ?? null, its))
  }
  return after
}
