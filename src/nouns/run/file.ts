import sql, { empty, join } from 'sql-template-tag'
import { pathFrom } from '../../contract/file-path.ts'
import type { Ctx, Operation } from '../../frame/ctx.ts'
import { cursorOf, moreAfter, placeOf } from '../../frame/page.ts'
import type { ChangedFile } from './diff/fields.ts'
import { diffsOfRun, diffsOfTurn, isWithin, placeIn, withStatus } from './diff/rows.ts'
import { type RunRow, requireRun, stateOf } from './row.ts'
import { addTouched, dropTouched } from './touched.ts'
import { most } from './turn.ts'
import type { TurnFields } from './turn-fields.ts'
import type { FileChanges } from './work-fields.ts'
import type { RunWorkRoutes } from './work-routes.ts'

/** The files that a run changed, from its turns. The last turn that names a file counts. */

/** Sums of lines are null where none are known. */
interface Totals {
  files: number
  insertions: number | null
  deletions: number | null
}

/** Beyond so many files of a run, its totals are continued rather than counted anew with each turn. */
const mostCounted = 10_000

/** Keeps the files of a turn. Returns the totals of the run, which were `before`. */
export async function keepFiles(
  ctx: Ctx,
  run: RunRow,
  turn: TurnFields,
  before: FileChanges | null,
): Promise<FileChanges> {
  const last = new Map(turn.files?.map((file) => [plain(file.path), { ...file, path: plain(file.path) }]))
  const restored = (turn.restored ?? []).map(plain)
  const paths = [...new Set([...last.keys(), ...restored])]
  if (paths.length === 0) return changesOf(ctx, run)
  const those = sql`and path in (${join(paths)})`
  const old = (await isLong(ctx, run)) ? await totalsOf(ctx, run, those) : undefined
  if (restored.length > 0) await ctx.db.query(sql`delete from run_files where run_id = ${run.id} ${those}`)
  if (last.size > 0) await insertFiles(ctx, run, [...last.values()])
  await dropTouched(ctx.db, run.id, restored)
  await addTouched(
    ctx.db,
    [...last.keys()].map((path) => ({ run: run.id, path })),
  )
  return old && before ? continued(before, old, await totalsOf(ctx, run, those)) : changesOf(ctx, run)
}

/** A path without `./` at its start. */
const plain = (path: string) => pathFrom(path) ?? path

async function insertFiles(ctx: Ctx, run: RunRow, files: NonNullable<TurnFields['files']>): Promise<void> {
  const rows = files.map(
    ({ path, insertions = null, deletions = null }) => sql`(${run.id}, ${path}, ${insertions}, ${deletions})`,
  )
  await ctx.db.query(sql`
    insert into run_files (run_id, path, insertions, deletions) values ${join(rows)}
    on conflict (run_id, path) do update set insertions = excluded.insertions, deletions = excluded.deletions`)
}

async function isLong(ctx: Ctx, run: RunRow): Promise<boolean> {
  const [beyond] = await ctx.db.query(sql`
    select path from run_files where run_id = ${run.id} limit 1 offset ${mostCounted}`)
  return beyond !== undefined
}

/** The totals after those of some files changed from `old` to `now`. */
function continued(before: FileChanges, old: Totals, now: Totals): FileChanges {
  const lines = (which: 'insertions' | 'deletions') =>
    before[which] === undefined && now[which] === null
      ? null
      : Math.max(0, (before[which] ?? 0) - (old[which] ?? 0) + (now[which] ?? 0))
  return changesIn({
    files: (before.files ?? 0) - old.files + now.files,
    insertions: lines('insertions'),
    deletions: lines('deletions'),
  })
}

/** The totals. Files with unknown lines add none. */
const changesOf = async (ctx: Ctx, run: RunRow) => changesIn(await totalsOf(ctx, run))

async function totalsOf(ctx: Ctx, run: RunRow, those = empty): Promise<Totals> {
  const [sum] = await ctx.db.query<Totals>(sql`
    select count(*) as files, cast(sum(insertions) as double precision) as insertions,
      cast(sum(deletions) as double precision) as deletions from run_files where run_id = ${run.id} ${those}`)
  return sum ?? { files: 0, insertions: null, deletions: null }
}

function changesIn({ files, insertions, deletions }: Totals): FileChanges {
  const atMost = (lines: number) => Math.min(lines, most.count)
  return {
    files,
    ...(insertions !== null && { insertions: atMost(insertions) }),
    ...(deletions !== null && { deletions: atMost(deletions) }),
  }
}

const changed = sql`coalesce(insertions, 0) + coalesce(deletions, 0)`
const linesOf = ({ insertions = 0, deletions = 0 }: ChangedFile) => insertions + deletions

/** Where a page begins: after so many of the files with so many changed lines. Files with more were on pages before. */
interface FilesPosition {
  lines: number
  seen: number
}

/** Throws BAD_REQUEST for a cursor of another list. */
function placeAt(cursor: string | undefined): FilesPosition {
  if (cursor === undefined) return { lines: Number.MAX_SAFE_INTEGER, seen: 0 }
  const [lines, seen] = placeOf(cursor, /^files (\d{1,15}) (\d{1,15})$/)
  return { lines: Number(lines), seen: Number(seen) }
}

/** How many more files were changed than listed. Whether they are at a path, nobody knows. */
function omittedOf(path: string | undefined, changed = 0, listed: number) {
  const omitted = path === undefined ? changed - listed : 0
  return omitted > 0 ? { omitted } : {}
}

/** The place after a page, whose last file is `last`. */
function cursorAfter(page: ChangedFile[], last: ChangedFile, { lines: before, seen }: FilesPosition): string {
  const lines = linesOf(last)
  const same = page.filter((file) => linesOf(file) === lines).length + (lines === before ? seen : 0)
  return cursorOf('files', lines, same)
}

interface FileRow {
  path: string
  insertions: number | null
  deletions: number | null
}

/** Throws NOT_FOUND if the project has no such run, or the run no such turn; BAD_REQUEST for a cursor of another list. */
export const listRunFiles: Operation<RunWorkRoutes['listRunFiles']> = async (
  ctx,
  { runId, turn, limit, cursor, ...input },
) => {
  const run = await requireRun(ctx, runId)
  const path = placeIn(input.path)
  const after = placeAt(cursor)
  if (turn !== undefined) return filesOfTurn(ctx, run, turn, path, { limit, after })
  const those = path === undefined ? empty : sql`and ${isWithin('path', path)}`
  const rows = await ctx.db.query<FileRow>(sql`
    select path, insertions, deletions from run_files where run_id = ${run.id} ${those} and ${changed} <= ${after.lines}
    order by ${changed} desc, path limit ${limit + 1} offset ${after.seen}`)
  const { files: total } = await totalsOf(ctx, run, those)
  const { changes } = stateOf(run)
  const files = rows.slice(0, limit).map(({ path, insertions, deletions }) => ({
    path,
    ...(insertions !== null && { insertions }),
    ...(deletions !== null && { deletions }),
  }))
  return {
    files: await withStatus(ctx, diffsOfRun(run), files),
    meta: {
      total,
      ...omittedOf(path, changes?.files, total),
      ...moreAfter(files, rows, (last) => cursorAfter(files, last, after)),
    },
  }
}

async function filesOfTurn(
  ctx: Ctx,
  run: RunRow,
  turn: number,
  path: string | undefined,
  { limit, after }: { limit: number; after: FilesPosition },
) {
  const { facts, diffs } = await diffsOfTurn(ctx, run, turn)
  const { files: all = [], filesOmitted = 0 } = JSON.parse(facts) as TurnFields
  const isOne = (one: string) => path === undefined || (path.endsWith('/') ? one.startsWith(path) : one === path)
  const found = all
    .filter(({ path }) => isOne(path))
    .sort((a, b) => linesOf(b) - linesOf(a) || (a.path < b.path ? -1 : 1))
  const rest = found.filter((file) => linesOf(file) <= after.lines).slice(after.seen)
  const files = rest.slice(0, limit)
  return {
    files: await withStatus(ctx, diffs, files),
    meta: {
      total: found.length,
      ...omittedOf(path, all.length + filesOmitted, all.length),
      ...moreAfter(files, rest, (last) => cursorAfter(files, last, after)),
    },
  }
}
