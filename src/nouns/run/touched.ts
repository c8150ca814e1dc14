import sql, { join, raw, type Sql } from 'sql-template-tag'
import { invalid } from '../../contract/error.ts'
import { foldersAbove, mostLevels, pathForm, pathFrom, pathsFinding } from '../../contract/file-path.ts'
import type { Tx } from '../../engine/db.ts'
import { listOf, padded } from '../../frame/pieces.ts'
import { isErasedName } from '../../log/event.ts'

/** The table that finds runs by the files that they wrote, and by the folders above these files. */

/** How many rows one statement changes. */
const atOnce = 256

/** A file that a run wrote. */
export interface Touched {
  run: number
  path: string
}

/** Makes runs findable by files that they wrote. The caller has locked the runs. */
export async function addTouched(db: Tx, files: readonly Touched[]): Promise<void> {
  const rows = [...Map.groupBy(files, ({ run }) => run)].flatMap(([run, some]) =>
    findersOf(some.map(({ path }) => path)).map((path) => sql`(${run}, ${path})`),
  )
  for (let at = 0; at < rows.length; at += atOnce) {
    await db.query(sql`
      insert into run_paths (run_id, path, project_id, created_at)
      select runs.id, column2, runs.project_id, runs.created_at
      from (values ${join(padded(rows.slice(at, at + atOnce)))}) as found
      join runs on runs.id = cast(column1 as ${raw(db.dialect.integer)}) where true
      on conflict (run_id, path) do nothing`)
  }
}

/** Makes a run no longer findable by these files, except by those that are still among its own. */
export async function dropTouched(db: Tx, run: number, files: readonly string[]): Promise<void> {
  const [folders = [], own = []] = [true, false].map((isFolder) =>
    findersOf(files).filter((path) => path.endsWith('/') === isFolder),
  )
  // The slash at the end of a folder is followed by 0 in the order of characters.
  const end = sql`substr(run_paths.path, 1, length(run_paths.path) - 1) || '0'`
  await drop(db, run, own, sql`f.path = run_paths.path`)
  await drop(db, run, folders, sql`f.path > run_paths.path and f.path < ${end}`)
}

async function drop(db: Tx, run: number, paths: string[], isStill: Sql): Promise<void> {
  for (let at = 0; at < paths.length; at += atOnce) {
    await db.query(sql`
      delete from run_paths where run_id = ${run} and path in (${listOf(paths.slice(at, at + atOnce))})
        and not exists (select 1 from run_files f where f.run_id = run_paths.run_id and ${isStill})`)
  }
}

const findersOf = (files: readonly string[]) => [
  ...new Set(files.filter((path) => !isErasedName(path)).flatMap(pathsFinding)),
]

/** The path of a filter as the table has it. Throws VALIDATION_ERROR for other forms. */
export function pathOfFilter(file: string): string {
  const path = pathFrom(file)
  if (path === undefined) throw invalid('file', `must be ${pathForm}, not '${file}'`)
  if (path.endsWith('/') && foldersAbove(path).length >= mostLevels) {
    throw invalid('file', `names a folder below level ${mostLevels}: give a folder above it`)
  }
  return path
}
