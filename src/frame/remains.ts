import sql from 'sql-template-tag'
import { ConductError } from '../contract/error.ts'
import type { Ctx } from './ctx.ts'

/**
 * A run or feature whose deletion takes more than one transaction moves to a hidden project first, one for each project,
 * so that nobody sees it any more. `src/removal/remains.ts` then deletes it in slices.
 */
const slugOf = (projectId: number) => `~${projectId}`

/** The project whose remains a project with that slug hides; undefined if it is not such a project. */
export const hiddenFrom = (slug: string) => (slug.startsWith('~') ? Number(slug.slice(1)) : undefined)

/** Makes the project for the remains of the caller's project, and locks it. */
export async function openRemains(ctx: Ctx): Promise<number> {
  const slug = slugOf(ctx.project.id)
  const [row] = await ctx.db.query<{ id: number }>(sql`
    insert into projects (slug, name, created_by, updated_by, created_at, updated_at, deleted_at)
    values (${slug}, ${slug}, ${ctx.actor.id}, ${ctx.actor.id}, ${ctx.now}, ${ctx.now}, ${ctx.now})
    on conflict (slug) do update set emptied_at = null returning id`)
  return row?.id ?? 0
}

/** The hidden project with the remains of the caller's project; undefined if there are none. */
async function findRemains({ db, project }: Ctx): Promise<number | undefined> {
  const [row] = await db.query<{ id: number }>(sql`
    select id from projects where slug = ${slugOf(project.id)} and emptied_at is null`)
  return row?.id
}

/**
 * Throws UNAVAILABLE while a run or check with that id is being deleted. A new one with that id then comes after the last
 * event of the deleted one.
 */
export async function requireGone(ctx: Ctx, noun: 'run' | 'check', id: string): Promise<void> {
  const hidden = await findRemains(ctx)
  if (hidden === undefined) return
  const isIt =
    noun === 'run'
      ? sql`runs.run_id = ${id}`
      : sql`runs.id = (select run_id from checks where project_id = ${ctx.project.id} and check_id = ${id})`
  const [left] = await ctx.db.query(sql`select 1 as one from runs where runs.project_id = ${hidden} and ${isIt}`)
  if (!left) return
  throw new ConductError('UNAVAILABLE', `The ${noun} '${id}' is being deleted: try again in a moment.`, {
    retryAfter: 1,
    isPlanned: true,
  })
}

/** Removes the links of a run to features that are being deleted. Returns their numbers. The caller has locked the run. */
export async function unlinkRemains(ctx: Ctx, runRow: number): Promise<number[]> {
  const hidden = await findRemains(ctx)
  if (hidden === undefined) return []
  const gone = await ctx.db.query<{ name: string }>(sql`
    select name from features where id in (select feature_id from run_features where run_id = ${runRow})
      and project_id = ${hidden} order by id`)
  if (gone.length === 0) return []
  await ctx.db.query(sql`delete from run_features where run_id = ${runRow}
    and feature_id in (select id from features where project_id = ${hidden})`)
  return gone.map(({ name }) => hiddenNumber(name))
}

/** The name of a hidden feature, which keeps its number. */
export const hiddenName = ({ id, number }: { id: number; number: number }) => `${number}~${id}`
export const hiddenNumber = (name: string) => Number.parseInt(name, 10)
