import sql, { join } from 'sql-template-tag'
import { ConductError, invalid } from '../api/error.ts'
import type { Ctx, ProjectRef } from './ctx.ts'
import type { Tx } from './engine/db.ts'

export const unknownProject = (slug: string) =>
  new ConductError('NOT_FOUND', `There is no project '${slug}' that this key may see: create it, or use another key.`)

/**
 * The project with that slug, for a key limited to the project `confinedTo` (null for a server key). Throws NOT_FOUND
 * if the key may not see it.
 */
export async function findProject(db: Tx, slug: string, confinedTo: number | null): Promise<ProjectRef> {
  const [row] = await db.query<ProjectRef>(sql`select id, slug from projects where slug = ${slug}`)
  if (!row || (confinedTo !== null && row.id !== confinedTo)) throw unknownProject(slug)
  return row
}

/** The projects that a list covers, and whether these are all projects. */
export interface Scope {
  all: boolean
  projects: ProjectRef[]
}

/** The only project that the caller may see; null for all. */
export const confinementOf = ({ actor }: Ctx) => (actor.kind === 'key' ? actor.projectId : null)

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
  if (filter) return { all: false, projects: await findProjects(ctx, [...new Set(filter)]) }
  if (ctx.named || confinementOf(ctx) !== null) return { all: false, projects: [ctx.project] }
  return { all: true, projects: await ctx.db.query<ProjectRef>(sql`select id, slug from projects`) }
}

/** Throws NOT_FOUND for the first project that the caller may not see. */
async function findProjects(ctx: Ctx, slugs: string[]): Promise<ProjectRef[]> {
  const confinedTo = confinementOf(ctx)
  const found = await ctx.db.query<ProjectRef>(sql`select id, slug from projects where slug in (${join(slugs)})`)
  return slugs.map((slug) => {
    const project = found.find((one) => one.slug === slug)
    if (!project || (confinedTo !== null && project.id !== confinedTo)) throw unknownProject(slug)
    return project
  })
}
