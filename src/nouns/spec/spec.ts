import sql from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { firstVersion, insertUnder, useUpVersions } from '../../frame/counter.ts'
import { type Ctx, inTx, madeAt, type Operation, requireOwn, requireVersion } from '../../frame/ctx.ts'
import {
  contentChange,
  deleteDocuments,
  digestOf,
  documentsOf,
  documentText,
  findDigest,
  insertDocument,
  isErased,
  requireFitting,
} from '../../frame/document.ts'
import { beginsOf, gramWalks, keepGrams, likeOf } from '../../frame/grams.ts'
import { type IndexWalk, readPage } from '../../frame/page.ts'
import { visibleProjects } from '../../frame/scope.ts'
import { assigned, inserted } from '../../frame/stored.ts'
import { appeared, type Changes, differences, vanished } from '../../log/event.ts'
import { titleOf } from '../../text/title.ts'
import { checklistOf, emptySpec, type SpecInput } from './fields.ts'
import type { SpecRoutes } from './routes.ts'
import {
  columns,
  recordSpec,
  requireSpec,
  type SpecRow,
  type SpecState,
  shownSpec,
  shownSpecs,
  stateOf,
  valuesOf,
} from './row.ts'
import { totalsOf } from './totals.ts'
import { keepVersion, noSpec } from './version.ts'

/** Throws CONFLICT if the specId is taken. */
export const createSpec: Operation<SpecRoutes['createSpec']> = async (
  ctx,
  { specId, content = '', createdAt, ...fields },
) => {
  requireFitting(ctx, content)
  const at = madeAt(ctx, createdAt)
  const state = change(emptySpec, { ...fields, content })
  const digest = digestOf(content)
  return inTx(ctx, async (ctx) => {
    const values = {
      project_id: ctx.project.id,
      ...valuesOf(state),
      document_id: await insertDocument(ctx, content, digest),
      ...checklistColumns(content),
      created_by: ctx.actor.id,
      updated_by: ctx.actor.id,
      created_at: at,
      updated_at: ctx.now,
    }
    const row = await insertUnder(ctx, 'spec', specId, async (id) => {
      const [row] = await ctx.db.query<SpecRow>(sql`
        insert into specs ${inserted({ spec_id: id, ...values })}
        on conflict do nothing returning ${columns}`)
      return row && beginVersions(ctx, row)
    })
    if (!row)
      throw new ConductError(
        'CONFLICT',
        `The spec '${specId}' exists: PATCH it, or leave out specId to get the next free one.`,
      )
    await keepVersion(ctx, row)
    await keepGrams(ctx, 'spec', row.id, undefined, row.title)
    await recordSpec(ctx, 'created', row, appeared({ ...state, content: digest, createdAt }), createdAt !== undefined)
    return { spec: await shownSpec(ctx, row) }
  })
}

/** Sets the first version of a new spec. The insert may have waited for the deletion of one with its id, whose numbers continue. */
async function beginVersions(ctx: Ctx, row: SpecRow): Promise<SpecRow> {
  const version = await firstVersion(ctx, `spec ${row.spec_id}`)
  if (version === row.version) return row
  await ctx.db.query(sql`update specs set version = ${version} where id = ${row.id}`)
  return { ...row, version }
}

function checklistColumns(content: string) {
  const { total, done } = checklistOf(content)
  return { checklist_total: total, checklist_done: done }
}

const isLike = (part: string) => sql`(${likeOf('specs.title', part)} or ${beginsOf('specs.spec_id', part)})`

/** Throws NOT_FOUND for an unknown project. */
export const listSpecs: Operation<SpecRoutes['listSpecs']> = async (ctx, { project, status, q, ...page }) => {
  const { all, projects } = await visibleProjects(ctx, project)
  const scope = { all: all && status === undefined, projects }
  const found = await gramWalks(ctx, 'spec', scope, q, isLike)
  const walks = found.flatMap((walk): IndexWalk[] => {
    if (!status) return [walk]
    return [...new Set(status)].map((one) => ({ ...walk, where: [...walk.where, sql`specs.status = ${one}`] }))
  })
  const { rows, meta } = await readPage<SpecRow>(ctx.db, columns, walks, page)
  return { specs: await shownSpecs(ctx, rows), meta }
}

/** Throws NOT_FOUND if the project has no spec with that id. */
export const getSpec: Operation<SpecRoutes['getSpec']> = async (ctx, { specId }) => {
  const [row] = await ctx.db.query<SpecRow & { content: string | null }>(sql`
    select ${columns}, ${documentText(sql`specs.document_id`)} as content from specs
    where specs.project_id = ${ctx.project.id} and specs.spec_id = ${specId}`)
  if (!row) throw noSpec(ctx, specId)
  return { spec: { ...(await shownSpec(ctx, row)), content: row.content ?? '', totals: await totalsOf(ctx, specId) } }
}

/** Throws FORBIDDEN for an agent key on another's spec; PRECONDITION_FAILED if `ifVersion` is outdated; NOT_FOUND. */
export const updateSpec: Operation<SpecRoutes['updateSpec']> = async (
  ctx,
  { specId, ifVersion, content, ...patch },
) => {
  if (content !== undefined) requireFitting(ctx, content)
  return inTx(ctx, async (ctx) => {
    const row = await requireSpec(ctx, specId, ctx.db.dialect.forUpdate)
    requireOwn(ctx, row, `spec '${specId}'`)
    requireVersion(ifVersion, row.id, row.version)
    const before = stateOf(row)
    const after = change(before, { ...patch, content })
    const moved = content === undefined ? undefined : await replaceContent(ctx, row, content)
    const changes: Changes = { ...differences(before, after), ...(moved && { content: moved.digests }) }
    if (Object.keys(changes).length === 0) return { spec: await shownSpec(ctx, row) }
    const values = {
      ...valuesOf(after),
      ...moved?.columns,
      updated_at: ctx.now,
      updated_by: ctx.actor.id,
      version: row.version + 1,
    }
    const [changed] = await ctx.db.query<SpecRow>(
      sql`update specs set ${assigned(values)} where id = ${row.id} returning ${columns}`,
    )
    await keepVersion(ctx, changed as SpecRow)
    await keepGrams(ctx, 'spec', row.id, row.title, after.title)
    await recordSpec(ctx, 'updated', row, changes)
    return { spec: await shownSpec(ctx, changed as SpecRow) }
  })
}

/** A state with the given fields. A title of null is that of a given content. */
function change(before: SpecState, { content, ...patch }: SpecInput): SpecState {
  const state: SpecState = { ...before, ...patch }
  return { ...state, title: state.title ?? (content === undefined ? null : titleOf(content)) }
}

/** Stores a new content, or reuses that of an earlier version; undefined if it is the current one. */
async function replaceContent(ctx: Ctx, row: SpecRow, content: string) {
  const digests = await contentChange(ctx, row.document_id, content)
  if (!digests) return undefined
  const [, after] = digests
  const [earlier] = await ctx.db.query<{ id: number }>(sql`
    select d.id from spec_versions v join documents d on d.id = v.document_id
    where v.spec_id = ${row.id} and d.sha256 = ${after?.sha256 ?? ''} and not ${isErased(sql`d.id`)} limit 1`)
  const document_id = earlier?.id ?? (await insertDocument(ctx, content, after))
  return { digests, columns: { document_id, ...checklistColumns(content) } }
}

/** Throws PRECONDITION_FAILED if `ifVersion` is outdated; NOT_FOUND. */
export const deleteSpec: Operation<SpecRoutes['deleteSpec']> = (ctx, { specId, ifVersion }) =>
  inTx(ctx, async (ctx) => {
    const row = await requireSpec(ctx, specId, ctx.db.dialect.forUpdate)
    requireVersion(ifVersion, row.id, row.version)
    const content = await findDigest(ctx, row.document_id)
    const documents = await ctx.db.query<{ document_id: number | null }>(sql`
      select document_id from spec_versions where spec_id = ${row.id}`)
    await ctx.db.query(sql`delete from specs where id = ${row.id}`)
    await deleteDocuments(ctx, documentsOf(documents))
    await useUpVersions(ctx, `spec ${specId}`, row.version)
    await keepGrams(ctx, 'spec', row.id, row.title, undefined)
    await recordSpec(ctx, 'deleted', row, vanished({ ...stateOf(row), content }))
    return { message: 'Spec deleted successfully' }
  })
