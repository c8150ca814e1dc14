import { isDeepStrictEqual } from 'node:util'
import sql from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { documentsOf } from '../../frame/document.ts'
import { listOf } from '../../frame/pieces.ts'
import { type NewName, nameAfter, newNames } from '../../log/erased-name.ts'
import { erasedText, eraseIn, everyText, hasTextToErase, type IsToGo, isErasedName } from '../../log/event.ts'
import { replaceFoundBy } from '../../nouns/run/found-by.ts'
import { activityIn, columns, type RunRow, requiredIn, stateOf, valuesOf } from '../../nouns/run/row.ts'
import { replaceLabels, writeRun } from '../../nouns/run/save.ts'
import { dropTouched } from '../../nouns/run/touched.ts'
import { eraseAttention } from './attention.ts'
import { eraseDocuments, unindex } from './content.ts'
import { eraseModels } from './models.ts'
import { erasePersons, type IsPersonToGo } from './persons.ts'

/**
 * Erases the selected texts and persons of runs of the same project, and the whole content of those among `whole`. Returns
 * how many had any.
 */
export async function eraseRuns(
  ctx: Ctx,
  ids: readonly number[],
  isToGo: IsToGo,
  isPersonToGo: IsPersonToGo,
  whole: readonly number[] = [],
): Promise<number> {
  if (ids.length === 0) return 0
  const rows = await ctx.db.query<RunRow>(sql`
    select ${columns} from runs where runs.id in (${listOf(ids)}) order by runs.id ${ctx.db.dialect.forUpdate}`)
  // They may have been deleted since they were found.
  if (rows.length === 0) return 0
  const newName = await newNames(ctx.db)
  const persons = await erasePersons(ctx, rows, isToGo, isPersonToGo)
  const wholly = await eraseDocuments(ctx, documentsOf(rows.filter(({ id }) => whole.includes(id))), everyText)
  const gone = {
    documents: wholly.union(await eraseDocuments(ctx, documentsOf(rows), isToGo)),
    files: await eraseFiles(ctx, ids, isToGo, newName),
    memos: await eraseMemos(ctx, ids, isToGo),
    turns: await eraseOpenTurns(ctx, ids, isToGo),
    decisions: await eraseAttention(ctx, ids, isToGo),
    models: await eraseModels(ctx, rows, isToGo),
  }
  const others = gone.files.union(gone.memos).union(gone.turns).union(gone.decisions).union(gone.models)
  const isErased = ({ id, document_id }: RunRow) =>
    (document_id !== null && gone.documents.has(document_id)) || others.has(id)
  const eraseOne = (row: RunRow) => eraseColumns(ctx, row, isToGo, newName, isErased(row))
  const done = await Promise.all(rows.map(async (row) => (await eraseOne(row)) && row))
  const erased = done.filter((row) => row !== false).map(({ id }) => id)
  await unindex(ctx, 'run', erased)
  return persons.union(new Set(erased)).size
}

/** Erases the texts in the row itself, and marks the row as erased. Returns false if nothing of the run was erased. */
async function eraseColumns(
  ctx: Ctx,
  row: RunRow,
  isToGo: IsToGo,
  newName: NewName,
  isErased: boolean,
): Promise<boolean> {
  const before = stateOf(row)
  const after = eraseIn(before, isToGo)
  const activity = activityAfter(row, isToGo)
  const more = { activity, ...verdictTextsAfter(row, isToGo, newName) }
  const isSame = activity === row.activity && more.why === row.why && more.required === row.required
  if (!isErased && isSame && isDeepStrictEqual(before, after)) return false
  await writeRun(ctx, row, { ...valuesOf(after), ...more, erased_at: ctx.now, version: row.version + 1 })
  if (!isDeepStrictEqual(before.labels, after.labels)) await replaceLabels(ctx, row, after.labels)
  await replaceFoundBy(ctx, row, before, after)
  return true
}

/** The sentence of the verdict, and the names of required checks, which stay the names of the checks. */
function verdictTextsAfter(row: RunRow, isToGo: IsToGo, newName: NewName): Pick<RunRow, 'why' | 'required'> {
  const names = requiredIn(row)?.map((name) => nameAfter(name, 'name', isToGo, newName))
  return {
    why: row.why !== null && isToGo(row.why, 'why') ? erasedText : row.why,
    required: names === undefined ? null : JSON.stringify(names),
  }
}

function activityAfter(row: RunRow, isToGo: IsToGo): string | null {
  const activity = activityIn(row)
  if (activity === null) return null
  const { state, since, turnSince, ...doing } = activity
  if (!hasTextToErase(doing, isToGo)) return row.activity
  return JSON.stringify({ state, since, ...(turnSince && { turnSince }) })
}

/**
 * Erases the paths of files of runs, and returns the runs that had any to erase. A file keeps its line counts, so the sums
 * of its run stay the same.
 */
async function eraseFiles(ctx: Ctx, runs: readonly number[], isToGo: IsToGo, newName: NewName): Promise<Set<number>> {
  const files = await ctx.db.query<{ run: number; path: string }>(
    sql`select run_id as run, path from run_files where run_id in (${listOf(runs)}) order by run_id, path`,
  )
  const gone = files.filter(({ path }) => !isErasedName(path) && isToGo(path, 'path'))
  const taken = new Set(files.map(({ run, path }) => `${run} ${path}`))
  for (const { run, path } of gone) {
    let name = newName(path)
    // A path that was erased before has come again.
    while (taken.has(`${run} ${name}`)) name = newName(name)
    taken.add(`${run} ${name}`)
    await ctx.db.query(sql`update run_files set path = ${name} where run_id = ${run} and path = ${path}`)
  }
  for (const [run, some] of Map.groupBy(gone, ({ run }) => run)) {
    await dropTouched(
      ctx.db,
      run,
      some.map(({ path }) => path),
    )
  }
  return new Set(gone.map(({ run }) => run))
}

/** Erases what hooks have reported of sessions since their last turns. Returns the runs of these sessions. */
async function eraseMemos(ctx: Ctx, runs: readonly number[], isToGo: IsToGo): Promise<Set<number>> {
  const kept = await ctx.db.query<{ id: number; run: number; memo: string }>(
    sql`select id, run_row as run, memo from hook_sessions where run_row in (${listOf(runs)}) and memo <> 'null'`,
  )
  const gone = kept.filter(({ memo }) => hasTextToErase(JSON.parse(memo), isToGo))
  for (const { id } of gone) await ctx.db.query(sql`update hook_sessions set memo = 'null' where id = ${id}`)
  return new Set(gone.map(({ run }) => run))
}

/** Erases the texts of open turns. Returns the runs of those that had any. */
async function eraseOpenTurns(ctx: Ctx, runs: readonly number[], isToGo: IsToGo): Promise<Set<number>> {
  const open = await ctx.db.query<{
    id: number
    run: number
    title: string | null
    prompt: string | null
    facts: string
  }>(sql`select id, run_id as run, title, prompt, facts from open_turns where run_id in (${listOf(runs)})`)
  const textsOf = ({ title, prompt, facts }: (typeof open)[number]) => ({ title, prompt, facts: JSON.parse(facts) })
  const gone = open.filter((row) => hasTextToErase(textsOf(row), isToGo))
  for (const row of gone) {
    const { title, prompt, facts } = eraseIn(textsOf(row), isToGo)
    await ctx.db.query(sql`update open_turns set title = ${title}, prompt = ${prompt}, facts = ${JSON.stringify(facts)},
      erased_at = ${ctx.now} where id = ${row.id}`)
  }
  await unindex(
    ctx,
    'turn',
    gone.map(({ id }) => id),
  )
  return new Set(gone.map(({ run }) => run))
}
