import sql, { empty, type Sql } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { Ctx, Operation } from '../../frame/ctx.ts'
import { documentText } from '../../frame/document.ts'
import { readPage } from '../../frame/page.ts'
import type { SpecRoutes } from './routes.ts'

/** The fields of a run that say which version of its spec it was built from. */
interface OfSpec {
  specId: string | null
  startedAt: string | null
  endedAt: string | null
}

/**
 * The version that the spec of a run had when the run began, or the first one that came while it went on; for a run that
 * has not begun, the current version. Null for a spec that came later or lives elsewhere, and for no spec.
 */
export async function findSpecVersion(ctx: Ctx, { specId, startedAt, endedAt }: OfSpec): Promise<number | null> {
  if (specId === null) return null
  const find = async (when: Sql, order: Sql) => {
    const [row] = await ctx.db.query<{ version: number }>(sql`
      select v.version from spec_versions v
      where v.spec_id = (select s.id from specs s where s.project_id = ${ctx.project.id} and s.spec_id = ${specId}) ${when}
      ${order} limit 1`)
    return row?.version
  }
  // Not by time: of two updates, the request of the later one may have begun first.
  const newest = sql`order by v.version desc`
  if (startedAt === null) return (await find(empty, newest)) ?? null
  const atStart = await find(sql`and v.created_at <= ${startedAt}`, newest)
  const untilEnd = endedAt === null ? empty : sql`and v.created_at <= ${endedAt}`
  return atStart ?? (await find(untilEnd, sql`order by v.version`)) ?? null
}

/** The columns of a spec that a version keeps. */
interface VersionColumns {
  id: number
  version: number
  title: string | null
  document_id: number | null
}

/** Stores this version of a spec, for the runs that are built from it. */
export async function keepVersion(ctx: Ctx, spec: VersionColumns): Promise<void> {
  const { id, version, title, document_id } = spec
  await ctx.db.query(sql`insert into spec_versions (spec_id, version, title, document_id, created_at)
    values (${id}, ${version}, ${title}, ${document_id}, ${ctx.now})`)
}

interface VersionRow {
  id: number
  version: number
  title: string | null
  created_at: string
}

export const noSpec = (ctx: Ctx, specId: string) =>
  new ConductError('NOT_FOUND', `There is no spec '${specId}' in project '${ctx.project.slug}'.`)

async function rowOf(ctx: Ctx, specId: string): Promise<number> {
  const [row] = await ctx.db.query<{ id: number }>(sql`
    select id from specs where project_id = ${ctx.project.id} and spec_id = ${specId}`)
  if (!row) throw noSpec(ctx, specId)
  return row.id
}

/** Throws NOT_FOUND if the project has no such spec. */
export const listSpecVersions: Operation<SpecRoutes['listSpecVersions']> = async (ctx, { specId, ...page }) => {
  const id = await rowOf(ctx, specId)
  const walk = { from: sql`spec_versions`, where: [sql`spec_id = ${id}`], createdAt: 'created_at', id: 'id' }
  const { rows, meta } = await readPage<VersionRow>(ctx.db, sql`id, version, title, created_at`, [walk], page)
  return { versions: rows.map(({ version, title, created_at }) => ({ version, title, createdAt: created_at })), meta }
}

/** Throws NOT_FOUND if there is no such spec or version. */
export const getSpecVersion: Operation<SpecRoutes['getSpecVersion']> = async (ctx, { specId, version }) => {
  const id = await rowOf(ctx, specId)
  const [row] = await ctx.db.query<VersionRow & { content: string | null }>(sql`
    select id, version, title, created_at, ${documentText(sql`spec_versions.document_id`)} as content
    from spec_versions where spec_id = ${id} and version = ${version}`)
  if (!row) throw new ConductError('NOT_FOUND', `Spec '${specId}' has no version ${version}.`)
  return { version: { version: row.version, title: row.title, createdAt: row.created_at, content: row.content ?? '' } }
}
