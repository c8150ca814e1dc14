import sql, { empty, join } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { Tx } from '../../engine/db.ts'
import { type Ctx, inTx, type Operation, requireVersion } from '../../frame/ctx.ts'
import { readPage } from '../../frame/page.ts'
import { idsOf } from '../../frame/pieces.ts'
import { confinementOf, listedProject, unknownProject } from '../../frame/scope.ts'
import { appeared, differences } from '../../log/event.ts'
import { record } from '../../log/record.ts'
import type { LastRun } from '../run/fields.ts'
import type { Project } from './fields.ts'
import { type Retention, retentionOf } from './retention.ts'
import type { ProjectRoutes } from './routes.ts'

interface ProjectRow {
  id: number
  slug: string
  name: string
  repository: string | null
  /** As JSON. */
  retention: string | null
  created_at: string
  updated_at: string
  version: number
}

const columns = sql`id, slug, name, repository, retention, created_at, updated_at, version`

function projectOf(row: ProjectRow): Project {
  const { slug, created_at: createdAt, updated_at: updatedAt, version } = row
  return { slug, ...stateOf(row), createdAt, updatedAt, version }
}

/** What the log records about a project. */
export const stateOf = ({ name, repository, retention }: ProjectRow) => ({
  name,
  repository,
  retention: retention === null ? null : (JSON.parse(retention) as Retention),
})

/** Throws CONFLICT if the slug is taken; FORBIDDEN for a key of one project. */
export const createProject: Operation<ProjectRoutes['createProject']> = (
  ctx,
  { slug, name = slug, repository = null },
) =>
  inTx(ctx, async (ctx) => {
    if (confinementOf(ctx) !== null)
      throw new ConductError('FORBIDDEN', 'Only a key of the whole server can create projects.')
    const [row] = await ctx.db.query<ProjectRow>(sql`
      insert into projects (slug, name, repository, created_by, updated_by, created_at, updated_at)
      values (${slug}, ${name}, ${repository}, ${ctx.actor.id}, ${ctx.actor.id}, ${ctx.now}, ${ctx.now})
      on conflict do nothing returning ${columns}`)
    if (!row) throw new ConductError('CONFLICT', `The project '${slug}' exists: PATCH it, or choose another slug.`)
    const version = await beginVersions(ctx, row)
    const changes = appeared({ name, repository })
    await record(ctx, { type: 'project.created', subject: slug, subjectId: row.id, projectId: row.id, changes })
    return { project: projectOf({ ...row, version }) }
  })

/**
 * Sets the first version of a new project: the one after that of the deleted projects with its slug, so that an ETag
 * never changes its meaning. Deleting counted as a version.
 */
async function beginVersions(ctx: Ctx, { id, slug, version }: ProjectRow): Promise<number> {
  const before = `${slug}~`
  const [deleted] = await ctx.db.query<{ last: number | null }>(sql`
    select max(version) as last from projects
    where deleted_at is not null and substr(slug, 1, ${before.length}) = ${before}`)
  if (!deleted?.last) return version
  await ctx.db.query(sql`update projects set version = ${deleted.last} where id = ${id}`)
  return deleted.last
}

export const listProjects: Operation<ProjectRoutes['listProjects']> = async (ctx, input) => {
  const only = listedProject(ctx)
  const where = [sql`deleted_at is null`, ...(only === null ? [] : [sql`id = ${only}`])]
  const walk = { from: sql`projects`, where, createdAt: 'created_at', id: 'id' }
  const { rows, meta } = await readPage<ProjectRow>(ctx.db, columns, [walk], input)
  const lasts = await lastRunsOf(ctx.db, idsOf(rows))
  return { projects: rows.map((row) => ({ ...projectOf(row), lastRun: lasts.get(row.id) ?? null })), meta }
}

/** The newest run of each project with runs. */
async function lastRunsOf(db: Tx, projects: number[]): Promise<Map<number, LastRun>> {
  if (projects.length === 0) return new Map()
  const newest = projects.map(
    (id) => sql`select * from (
      select project_id, run_id, status, verdict, created_at from runs where project_id = ${id}
      order by created_at desc, id desc limit 1) as one`,
  )
  const rows = await db.query<Pick<LastRun, 'status' | 'verdict'> & Record<'run_id' | 'created_at', string> & Owned>(
    join(newest, ' union all '),
  )
  return new Map(
    rows.map(({ project_id, run_id: runId, status, verdict, created_at: createdAt }) => [
      project_id,
      { runId, status, verdict, createdAt },
    ]),
  )
}

interface Owned {
  project_id: number
}

/** Throws NOT_FOUND if the key may see no such project. */
export const getProject: Operation<ProjectRoutes['getProject']> = async (ctx, { slug }) => ({
  project: projectOf(await readProject(ctx, slug)),
})

/** Throws NOT_FOUND if the key may see no such project. */
export async function readProject(ctx: Ctx, slug: string, lock = empty): Promise<ProjectRow> {
  const [row] = await ctx.db.query<ProjectRow>(
    sql`select ${columns} from projects where slug = ${slug} and deleted_at is null ${lock}`,
  )
  const confinedTo = confinementOf(ctx)
  if (!row || (confinedTo !== null && row.id !== confinedTo)) throw unknownProject(slug)
  return row
}

/**
 * Throws NOT_FOUND like getProject; PRECONDITION_FAILED if `ifVersion` is outdated; VALIDATION_ERROR like
 * `retentionOf`.
 */
export const updateProject: Operation<ProjectRoutes['updateProject']> = (ctx, { slug, ifVersion, ...patch }) =>
  inTx(ctx, async (ctx) => {
    const row = await readProject(ctx, slug, ctx.db.dialect.forUpdate)
    requireVersion(ifVersion, slug, row.version)
    const before = stateOf(row)
    const after: typeof before = {
      name: patch.name ?? before.name,
      repository: patch.repository === undefined ? before.repository : patch.repository,
      retention: patch.retention === undefined ? before.retention : retentionOf(patch.retention),
    }
    const changes = differences(before, after)
    if (Object.keys(changes).length === 0) return { project: projectOf(row) }
    const [changed] = await ctx.db.query<ProjectRow>(sql`
      update projects set name = ${after.name}, repository = ${after.repository},
        retention = ${after.retention && JSON.stringify(after.retention)}, updated_at = ${ctx.now},
        updated_by = ${ctx.actor.id}, version = version + 1 where id = ${row.id} returning ${columns}`)
    await record(ctx, { type: 'project.updated', subject: slug, subjectId: row.id, projectId: row.id, changes })
    return { project: projectOf(changed as ProjectRow) }
  })
