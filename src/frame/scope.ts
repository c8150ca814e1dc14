import sql, { join } from 'sql-template-tag'
import { ConductError, invalid } from '../contract/error.ts'
import type { Tx } from '../engine/db.ts'
import type { Ctx, ProjectRef } from './ctx.ts'

export const unknownProject = (slug: string) =>
  new ConductError(
    'NOT_FOUND',
    `There is no project '${slug}', or this key cannot see it: create the project, or use another key.`,
  )

/**
 * The project with that slug, for a key limited to the project `confinedTo` (null for a server key). Throws NOT_FOUND
 * if the key may not see it.
 */
export async function findProject(db: Tx, slug: string, confinedTo: number | null): Promise<ProjectRef> {
  const [row] = await db.query<ProjectRef>(
    sql`select id, slug from projects where slug = ${slug} and deleted_at is null`,
  )
  if (!row || (confinedTo !== null && row.id !== confinedTo)) throw unknownProject(slug)
  return row
}

/** Whether none of these projects was deleted. */
export async function areThere(db: Tx, projects: readonly ProjectRef[] = []): Promise<boolean> {
  if (projects.length === 0) return true
  const ids = projects.map(({ id }) => id)
  const gone = await db.query(sql`
    select 1 as one from projects where id in (${join(ids)}) and deleted_at is not null limit 1`)
  return gone.length === 0
}

/**
 * For the end of a transaction that gives a project something: throws NOT_FOUND if the project was deleted meanwhile. From
 * the first row that refers to a project, its deletion waits for this transaction.
 */
export async function requireThere(db: Tx, project: ProjectRef | null): Promise<void> {
  if (project && !(await areThere(db, [project]))) throw unknownProject(project.slug)
}

/** The projects that a list covers. */
export interface Scope {
  /** Whether every row that there is belongs to one of them. */
  all: boolean
  /** Whether the caller asks for, and may see, what belongs to the whole server too. */
  isWhole: boolean
  projects: ProjectRef[]
}

/** The only project that the caller may see; null for all. */
export const confinementOf = ({ actor }: Ctx) => (actor.kind === 'key' ? actor.projectId : null)

/** The only project that lists of projects, keys and webhooks tell of; null for the whole server. */
export const listedProject = (ctx: Ctx) => (ctx.named ? ctx.project.id : confinementOf(ctx))

/**
 * The projects that a list covers: those of the filter, else the caller's project, else all (for a server key). Throws
 * NOT_FOUND for a project that the key may not see; VALIDATION_ERROR if filter and X-Project-ID differ.
 */
export async function visibleProjects(ctx: Ctx, filter?: readonly string[]): Promise<Scope> {
  if (ctx.named && filter?.some((slug) => slug !== ctx.project.slug)) {
    throw invalid(
      'project',
      `names other projects than X-Project-ID, which is '${ctx.project.slug}': give one of the two`,
    )
  }
  const some = (projects: ProjectRef[]) => ({ all: false, isWhole: false, projects })
  if (filter) return some(await findProjects(ctx, [...new Set(filter)]))
  if (ctx.named || confinementOf(ctx) !== null) return some([ctx.project])
  const rows = await ctx.db.query<ProjectRef & { deleted_at: string | null }>(
    sql`select id, slug, deleted_at from projects where emptied_at is null`,
  )
  const projects = rows.filter(({ deleted_at }) => deleted_at === null).map(({ id, slug }) => ({ id, slug }))
  return { all: projects.length === rows.length, isWhole: true, projects }
}

/** How many projects there are, if a list covers them all and every row belongs to one of them; undefined otherwise. */
export async function countOfAll(ctx: Ctx, filter?: readonly string[]): Promise<number | undefined> {
  if (filter || ctx.named || confinementOf(ctx) !== null) return undefined
  const [row] = await ctx.db.query<{ count: number; gone: number }>(
    sql`select count(*) as count, count(deleted_at) as gone from projects where emptied_at is null`,
  )
  return row?.gone === 0 ? row.count : undefined
}

/** The slugs of projects by their numbers, without deleted ones. */
export async function slugsOf(db: Tx, ids: number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db.query<ProjectRef>(sql`
    select id, slug from projects where ${db.dialect.isOneOf('id', [...new Set(ids)])} and deleted_at is null`)
  return new Map(rows.map(({ id, slug }) => [id, slug]))
}

/** Throws NOT_FOUND for the first project that the caller may not see. */
async function findProjects(ctx: Ctx, slugs: string[]): Promise<ProjectRef[]> {
  const confinedTo = confinementOf(ctx)
  const found = await ctx.db.query<ProjectRef>(sql`
    select id, slug from projects where slug in (${join(slugs)}) and deleted_at is null`)
  return slugs.map((slug) => {
    const project = found.find((one) => one.slug === slug)
    if (!project || (confinedTo !== null && project.id !== confinedTo)) throw unknownProject(slug)
    return project
  })
}
