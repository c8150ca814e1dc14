import { isDeepStrictEqual } from 'node:util'
import sql, { type Sql } from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { documentsOf } from '../../frame/document.ts'
import { keepGrams } from '../../frame/grams.ts'
import { idsOf, listOf, present } from '../../frame/pieces.ts'
import { assigned } from '../../frame/stored.ts'
import { type NewName, nameAfter, newNames } from '../../log/erased-name.ts'
import { erasedName, erasedText, eraseIn, type IsToGo, isErasedName } from '../../log/event.ts'
import * as features from '../../nouns/feature/row.ts'
import { type CheckRow, type CheckState, columns, stateOf, valuesOf } from '../../nouns/run/check/row.ts'
import { normalForm } from '../../nouns/run/verdict/command.ts'
import * as specs from '../../nouns/spec/row.ts'
import { eraseDocuments, unindex, unindexDiffs } from './content.ts'
import { eraseDiffs } from './diffs.ts'

/** Each function erases the selected texts of rows of the same project, and returns how many had any. */

export async function eraseTurns(ctx: Ctx, ids: readonly number[], isToGo: IsToGo): Promise<number> {
  if (ids.length === 0) return 0
  const rows = await ctx.db.query<{
    id: number
    title: string | null
    facts: string
    prompt_id: number | null
    answer_id: number | null
  }>(sql`select id, title, facts, prompt_id, answer_id from turns where id in (${listOf(ids)}) order by id
    ${ctx.db.dialect.forUpdate}`)
  const documents = await eraseDocuments(
    ctx,
    rows.flatMap(({ prompt_id, answer_id }) => [prompt_id, answer_id]),
    isToGo,
  )
  const newName = await newNames(ctx.db)
  const diffs = await eraseDiffs(ctx, idsOf(rows), isToGo)
  const gone = rows.flatMap(({ id, title, facts, prompt_id, answer_id }) => {
    const before = { title, facts: JSON.parse(facts) }
    const after = eraseIn(before, isToGo)
    if (before.facts.files) after.facts.files = erasedFiles(before.facts.files, isToGo, newName)
    const isContentGone = diffs.has(id) || present([prompt_id, answer_id]).some((document) => documents.has(document))
    return isContentGone || !isDeepStrictEqual(before, after) ? [{ id, ...after }] : []
  })
  await Promise.all(
    gone.map(({ id, title, facts }) =>
      ctx.db.query(sql`update turns set title = ${title}, facts = ${JSON.stringify(facts)}, erased_at = ${ctx.now}
        where id = ${id}`),
    ),
  )
  await unindex(ctx, 'turn', idsOf(gone))
  await unindexDiffs(ctx, idsOf(gone))
  return gone.length
}

/** The files of a turn with the names that their diffs get. */
const erasedFiles = (files: { path: string }[], isToGo: IsToGo, newName: NewName) =>
  files.map((file) => ({ ...eraseIn(file, isToGo), path: nameAfter(file.path, 'path', isToGo, newName) }))

export async function eraseChecks(ctx: Ctx, ids: readonly number[], isToGo: IsToGo): Promise<number> {
  if (ids.length === 0) return 0
  // So that no run gets another check whose name stays as it was.
  await ctx.db.query(sql`
    select id from runs where id in (select c.run_id from checks c where c.id in (${listOf(ids)})) order by id
    ${ctx.db.dialect.forUpdate}`)
  const own = await ctx.db.query<CheckRow>(sql`
    select ${columns} from checks where checks.id in (${listOf(ids)}) order by checks.id ${ctx.db.dialect.forUpdate}`)
  const newName = await newNames(ctx.db)
  const names = await eraseNames(ctx, own, isToGo, newName)
  const rows = [...own, ...names.others]
  const documents = await eraseDocuments(ctx, documentsOf(rows), isToGo)
  const gone = rows.flatMap((row) => {
    const before = stateOf(row)
    const after = { ...eraseIn(before, isToGo), ...comparableIn(before, isToGo, newName), name: names.nameOf(row) }
    const isContentGone = row.document_id !== null && documents.has(row.document_id)
    if (!isContentGone && isDeepStrictEqual(before, after)) return []
    return [{ id: row.id, values: { ...valuesOf(after), erased_at: ctx.now, version: row.version + 1 } }]
  })
  await Promise.all(
    gone.map(({ id, values }) => ctx.db.query(sql`update checks set ${assigned(values)} where id = ${id}`)),
  )
  await eraseSentences(ctx, sql`id in (select c.run_id from checks c where c.id in (${listOf(ids)}))`, isToGo)
  await unindex(ctx, 'check', idsOf(gone))
  return gone.length
}

/** Texts of a check that a verdict compares: they stay as different as they were. */
function comparableIn(
  { command, pipeline }: CheckState,
  isToGo: IsToGo,
  newName: NewName,
): Pick<CheckState, 'command' | 'pipeline'> {
  const erased = (text: string, field: string, form = text) => nameAfter(text, field, isToGo, newName, form)
  return {
    command: command === null ? null : erased(command, 'command', normalForm(command)),
    pipeline: pipeline && { ...pipeline, id: erased(pipeline.id, 'id'), job: erased(pipeline.job, 'job') },
  }
}

/**
 * Erases the sentences of verdicts on runs that meet a condition. A change of the verdict makes new ones. Returns the runs
 * that had one to erase.
 */
export async function eraseSentences({ db }: Ctx, where: Sql, isToGo: IsToGo): Promise<Set<number>> {
  const runs = await db.query<{ id: number; why: string }>(sql`
    select id, why from runs where why is not null and ${where} order by id ${db.dialect.forUpdate}`)
  const gone = runs.filter(({ why }) => isToGo(why, 'why'))
  for (const { id, why } of gone) {
    await db.query(sql`update runs set why = ${erasedText} where id = ${id} and why = ${why}`)
  }
  return new Set(idsOf(gone))
}

/**
 * New names for checks, as for those that a run requires. Checks of a run with the same name get the same new name, and
 * others other names. `others` are checks of these runs with such a name that are not among the rows.
 */
async function eraseNames(ctx: Ctx, rows: CheckRow[], isToGo: IsToGo, newName: NewName) {
  const named = new Map<string, string>()
  const others: CheckRow[] = []
  const known = new Set(idsOf(rows))
  for (const { id, run, name } of rows) {
    const key = `${run} ${name}`
    if (isErasedName(name) || !isToGo(name, 'name') || named.has(key)) continue
    named.set(key, newName(name))
    const same = await ctx.db.query<CheckRow>(sql`
      select ${columns} from checks where checks.name = ${name}
        and checks.run_id = (select c.run_id from checks c where c.id = ${id}) order by checks.id
      ${ctx.db.dialect.forUpdate}`)
    others.push(...same.filter((other) => !known.has(other.id)))
  }
  return { others, nameOf: ({ run, name }: CheckRow) => named.get(`${run} ${name}`) ?? name }
}

/** Runs `eraseOne`, which returns whether there were texts, for each row. */
const oneByOne =
  (eraseOne: (ctx: Ctx, id: number, isToGo: IsToGo) => Promise<boolean>) =>
  async (ctx: Ctx, ids: readonly number[], isToGo: IsToGo): Promise<number> => {
    let count = 0
    for (const id of ids) if (await eraseOne(ctx, id, isToGo)) count++
    return count
  }

export const eraseSpecs = oneByOne(eraseSpec)
export const eraseFeatures = oneByOne(eraseFeature)

/** Erases every version, too. The number of the version stays, because runs refer to it. */
async function eraseSpec(ctx: Ctx, id: number, isToGo: IsToGo): Promise<boolean> {
  const [row] = await ctx.db.query<specs.SpecRow>(
    sql`select ${specs.columns} from specs where specs.id = ${id} ${ctx.db.dialect.forUpdate}`,
  )
  if (!row) return false
  const before = specs.stateOf(row)
  const after = eraseIn(before, isToGo)
  const versions = await ctx.db.query<{ id: number; title: string | null; document_id: number | null }>(
    sql`select id, title, document_id from spec_versions where spec_id = ${id} order by id`,
  )
  let isGone = !isDeepStrictEqual(before, after)
  for (const version of versions) {
    const { title } = eraseIn({ title: version.title }, isToGo)
    const isContentGone = (await eraseDocuments(ctx, [version.document_id], isToGo)).size > 0
    isGone = isGone || isContentGone || title !== version.title
    if (title === version.title) continue
    await ctx.db.query(sql`update spec_versions set title = ${title} where id = ${version.id}`)
  }
  if (!isGone) return false
  const values = { ...specs.valuesOf(after), erased_at: ctx.now }
  await ctx.db.query(sql`update specs set ${assigned(values)} where id = ${id}`)
  await keepGrams(ctx, 'spec', id, before.title, after.title)
  await unindex(ctx, 'spec', [id])
  return true
}

/** An erased name gets a unique replacement, because no two features of a project may have the same name. */
async function eraseFeature(ctx: Ctx, id: number, isToGo: IsToGo): Promise<boolean> {
  const [row] = await ctx.db.query<features.FeatureRow>(
    sql`select ${features.columns} from features f where f.id = ${id} ${ctx.db.dialect.forUpdate}`,
  )
  if (!row) return false
  const before = features.stateOf(row)
  const { name, ...texts } = eraseIn(before, isToGo)
  const isGone = name !== before.name && !isErasedName(before.name)
  const after = { name: isGone ? await freeName(ctx, id, row.number) : before.name, ...texts }
  if (isDeepStrictEqual(before, after)) return false
  const values = { ...features.valuesOf(after), erased_at: ctx.now, version: row.version + 1 }
  await ctx.db.query(sql`update features set ${assigned(values)} where id = ${id}`)
  await keepGrams(ctx, 'feature', id, features.textOf(before), features.textOf(after))
  await unindex(ctx, 'feature', [id])
  return true
}

/** A name for a feature whose name is erased. Somebody may have given it to another feature. */
async function freeName({ db }: Ctx, id: number, number: number): Promise<string> {
  for (let more = 0; ; more++) {
    const name = erasedName(more === 0 ? number : `${number}-${more}`)
    const [taken] = await db.query(sql`
      select 1 as one from features where name = ${name} and project_id = (select project_id from features where id = ${id})`)
    if (!taken) return name
  }
}
