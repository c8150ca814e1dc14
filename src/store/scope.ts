import sql, { join } from 'sql-template-tag'
import { ConductError, invalid } from '../api/error.ts'
import type { Ctx, ProjectRef } from './ctx.ts'
import type { Tx } from './engine/db.ts'

export const unknownProject = (slug: string) =>
  new ConductError('NOT_FOUND', `There is no project '${slug}' that this key may see: create it, or use another key.`)

/** The project of that slug, for a key of the project `confinedTo` (null: of the whole server). NOT_FOUND when it may not see it. */
export async function findProject(db: Tx, slug: string, confinedTo: number | null): Promise<ProjectRef> {
  const [row] = await db.query<ProjectRef>(sql`select id, slug from projects where slug = ${slug}`)
  if (!row || (confinedTo !== null && row.id !== confinedTo)) throw unknownProject(slug)
  return row
}

/** The projects over which a list goes, and whether they are all that there are. */
export interface Scope {
  all: boolean
  projects: ProjectRef[]
}

/** The only project that the caller may see; null: it sees them all. */
export const confinementOf = ({ actor }: Ctx) => (actor.kind === 'key' ? actor.projectId : null)

/**
 * What a list goes over: the projects of the filter, else the one that the caller acts in, else (for a key of the
 * whole server) all. NOT_FOUND for one that the key may not see; VALIDATION_ERROR when filter and X-Project-ID differ.
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

/** NOT_FOUND for the first of them that the caller may not see. */
async function findProjects(ctx: Ctx, slugs: string[]): Promise<ProjectRef[]> {
  const confinedTo = confinementOf(ctx)
  const found = await ctx.db.query<ProjectRef>(sql`select id, slug from projects where slug in (${join(slugs)})`)
  return slugs.map((slug) => {
    const project = found.find((one) => one.slug === slug)
    if (!project || (confinedTo !== null && project.id !== confinedTo)) throw unknownProject(slug)
    return project
  })
}
