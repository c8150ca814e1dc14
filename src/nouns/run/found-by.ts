import { hash } from 'node:crypto'
import sql, { join, raw } from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { padded } from '../../frame/pieces.ts'
import type { RunRow } from './row.ts'
import type { RunState } from './state.ts'

/** The commits that a run is found by: those it made, and the one it ended on. */
export function commitsOf({ git }: Pick<RunState, 'git'>): string[] {
  return [...new Set([...(git?.commits ?? []), ...(git?.commit ? [git.commit] : [])])]
}

/** What the index stores for the address of a link, which can be too long for an index. */
export const hrefKey = (href: string) => hash('sha256', href).slice(0, 32)

/** The links that a run is found by, as `hrefKey` returns them. */
export const hrefKeysOf = ({ links }: Pick<RunState, 'links'>) => [...new Set(links.map(({ href }) => hrefKey(href)))]

type Row = Pick<RunRow, 'id' | 'created_at'>
type State = Pick<RunState, 'git' | 'links'>

/** The side tables that lists find runs by, each with its column and the values of a state. */
const finders = [
  { table: 'run_commits', column: 'commit_id', valuesOf: commitsOf },
  { table: 'run_links', column: 'href_key', valuesOf: hrefKeysOf },
] as const

type Finder = (typeof finders)[number]

/** Adds a new run to these tables. `isMaker` says that its own recorder names the commits. */
export async function insertFoundBy(ctx: Ctx, row: Row, state: State, isMaker: boolean): Promise<void> {
  for (const finder of finders) await insert(ctx, finder, row, finder.valuesOf(state))
  if (isMaker) await noteMade(ctx, row, state.git?.commits ?? [])
}

/** Updates these tables for a changed run. */
export async function replaceFoundBy(ctx: Ctx, row: Row, before: State, after: State, isMaker = false): Promise<void> {
  for (const finder of finders) {
    const { table, column, valuesOf } = finder
    const [had, has] = [new Set(valuesOf(before)), new Set(valuesOf(after))]
    const gone = [...had.difference(has)]
    if (gone.length > 0) {
      await ctx.db.query(sql`delete from ${raw(table)} where run_id = ${row.id} and ${raw(column)} in (${join(gone)})`)
    }
    await insert(ctx, finder, row, [...has.difference(had)])
  }
  if (!isMaker) return
  const known = new Set(before.git?.commits)
  await noteMade(
    ctx,
    row,
    (after.git?.commits ?? []).filter((commit) => !known.has(commit)),
  )
}

async function insert(ctx: Ctx, { table, column }: Finder, row: Row, values: string[]): Promise<void> {
  if (values.length === 0) return
  const isCommit = table === 'run_commits'
  const more = isCommit ? sql`, ${ctx.now}` : sql``
  const rows = values.map((value) => sql`(${row.id}, ${value}, ${ctx.project.id}, ${row.created_at}${more})`)
  await ctx.db.query(sql`
    insert into ${raw(table)} (run_id, ${raw(column)}, project_id, created_at ${raw(isCommit ? ', noted_at' : '')})
    values ${join(rows)}`)
}

/** Notes that the recorder of a run saw it make these commits, and when the ledger learned of that. */
const noteMade = (ctx: Ctx, { id }: Pick<Row, 'id'>, commits: readonly string[]): Promise<void> =>
  noteAllMade(
    ctx,
    commits.map((commit) => ({ id, commit })),
  )

/** The same for commits of several runs. */
export async function noteAllMade(ctx: Ctx, made: readonly { id: number; commit: string }[]): Promise<void> {
  if (made.length === 0) return
  const { integer } = ctx.db.dialect
  const pairs = padded(made).map(({ id, commit }) => sql`(cast(${id} as ${raw(integer)}), ${commit})`)
  await ctx.db.query(sql`update run_commits set made = 1, noted_at = ${ctx.now}
    where (run_id, commit_id) in (values ${join(pairs)}) and made = 0`)
}
