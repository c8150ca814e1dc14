import type { Ctx } from '../../frame/ctx.ts'
import { erasedText, eraseIn, type IsToGo } from '../../log/event.ts'
import { usageOf } from '../../nouns/run/fields.ts'
import { type ModelRow, readModels, toldIn, writeModels } from '../../nouns/run/model/keep.ts'
import { plus, type Told } from '../../nouns/run/model/share.ts'
import type { RunRow } from '../../nouns/run/row.ts'

/** Erases the names of models that runs used. Their figures stay. Returns the runs that had a name to erase. */
export async function eraseModels({ db }: Ctx, runs: readonly RunRow[], isToGo: IsToGo): Promise<Set<number>> {
  const known = Map.groupBy(
    await readModels(
      db,
      runs.map(({ id }) => id),
    ),
    ({ run_id }) => run_id,
  )
  const isGone = ({ model }: ModelRow) => model !== erasedText && isToGo(model, 'model')
  const gone = runs.filter(({ id }) => known.get(id)?.some(isGone))
  for (const run of gone) {
    const rows = known.get(run.id) ?? []
    const { usage } = eraseIn({ usage: usageOf(run) }, isToGo)
    await writeModels(db, run, rows, { usage, told: erasedIn(toldIn(rows), isToGo) })
  }
  return new Set(gone.map(({ id }) => id))
}

/** What turns say, with one name for all models whose names are erased, as the turns have it. */
function erasedIn(told: Told, isToGo: IsToGo): Told {
  const after: Told = new Map()
  for (const [model, its] of told) {
    const name = isToGo(model, 'model') ? erasedText : model
    after.set(name, plus(after.get(name) ?? null, its))
  }
  return after
}
