import sql, { join, raw, type Sql } from 'sql-template-tag'
import { invalid } from '../../../contract/error.ts'
import type { InputOf } from '../../../contract/route.ts'
import type { Ctx, Operation } from '../../../frame/ctx.ts'
import {
  decodeCursor,
  encodeCursor,
  type IndexWalk,
  moreAfter,
  positionOf,
  readNewest,
  readPage,
} from '../../../frame/page.ts'
import { listOf } from '../../../frame/pieces.ts'
import { visibleProjects } from '../../../frame/scope.ts'
import { personHash, requirePerson } from '../person.ts'
import type { Attention, AttentionGroup } from './fields.ts'
import { type GroupMember, groupsOf, type MemberGroup, mostCounted, worstOf } from './group.ts'
import type { AttentionRoutes } from './routes.ts'
import { type ShownRow, shownColumns, shownRows } from './row.ts'

type Input = InputOf<AttentionRoutes['listAttention']>
type Filters = Omit<Input, 'project' | 'group' | 'limit' | 'cursor'>

/** How many of its rows a group shows. */
const shownOfGroup = 3

/** Throws NOT_FOUND for an unknown project; VALIDATION_ERROR for `mine` with a key of no person. */
export const listAttention: Operation<AttentionRoutes['listAttention']> = async (
  ctx,
  { project, group, limit, cursor, ...filters },
) => {
  const { projects } = await visibleProjects(ctx, project)
  const walks = projects.flatMap(({ id }) => walksOf(ctx, id, filters))
  const page = { limit, cursor, order: 'desc' as const }
  if (group === undefined) {
    const { rows, meta } = await readPage<ShownRow & { created_at: string }>(ctx.db, shownColumns, walks, page)
    return { attention: await shownRows(ctx, rows), meta }
  }
  const newest = await readNewest<GroupMember>(ctx.db, memberColumns, walks, {}, mostCounted + 1)
  const members = newest.slice(0, mostCounted)
  const after = cursor === undefined ? undefined : decodeCursor('desc', cursor)
  const rest = groupsOf(members, group).filter(
    ({ members: [{ created_at, id }] }) =>
      !after || created_at < after.createdAt || (created_at === after.createdAt && id < after.id),
  )
  const groups = rest.slice(0, limit)
  return {
    grouped: await shownGroups(ctx, groups),
    count: members.length,
    isPartial: newest.length > mostCounted,
    meta: moreAfter(groups, rest, ({ members: [newest] }) => encodeCursor('desc', positionOf(newest))),
  }
}

const memberColumns = sql`attention.run_id as id, attention.since_at as created_at, attention.project_id, runs.run_id,
  attention.reason, attention.check_name, attention.spec_id, attention.branch,
  coalesce(attention.assignee_person, attention.author_person, runs.author) as person`

/** The walks through the rows of a project that match, along the index of a person, of each reason, or of the state. */
function walksOf(ctx: Ctx, projectId: number, { state, reason, mine, author, assignee, runId }: Filters): IndexWalk[] {
  const walk = (...where: Sql[]): IndexWalk => ({
    from: sql`attention cross join runs`,
    where: [
      sql`attention.project_id = ${projectId} and attention.state = ${state} and attention.hidden = 0`,
      ...where,
      ctx.db.dialect.follows('runs.id', 'attention.run_id'),
    ],
    createdAt: 'attention.since_at',
    id: 'attention.run_id',
  })
  const more: Sql[] = []
  if (runId) {
    more.push(sql`attention.run_id in (select r.id from runs r where r.project_id = ${projectId}
      and r.run_id in (${listOf([...new Set(runId)])}))`)
  }
  const persons: Sql[] = []
  if (author !== undefined) persons.push(isOf('author_person', mailKey('author', author)))
  if (assignee !== undefined) persons.push(isOf('assignee_person', mailKey('assignee', assignee)))
  const reasons = reason && [...new Set(reason)]
  if (mine) {
    const me = requirePerson(ctx, 'mine')
    const isOther = sql`coalesce(attention.author_person, '') <> ${me}`
    if (reasons) more.push(hasReason(reasons))
    return [
      walk(isOf('author_person', me), ...persons.map(unindexed), ...more),
      walk(isOf('assignee_person', me), isOther, ...persons.map(unindexed), ...more),
    ]
  }
  if (persons.length > 0) {
    if (reasons) more.push(hasReason(reasons))
    return [walk(...persons, ...more)]
  }
  if (!reasons) return [walk(...more)]
  return reasons.map((one) => walk(sql`attention.reason = ${one}`, ...more))
}

const isOf = (column: 'author_person' | 'assignee_person', key: string) => sql`attention.${raw(column)} = ${key}`
/** A condition that leads no engine to another index. */
const unindexed = (condition: Sql) => sql`(${condition}) is true`
const hasReason = (reasons: readonly string[]) => sql`attention.reason || '' in (${join(reasons)})`

/** Throws VALIDATION_ERROR for a person without a mail address. */
function mailKey(field: string, person: string): string {
  const key = personHash(person)
  if (key !== null) return key
  throw invalid(field, `must have an email address, as in Ada Example <ada@example.com>, not '${person}'`)
}

async function shownGroups(ctx: Ctx, groups: MemberGroup[]): Promise<AttentionGroup[]> {
  const ids = groups.flatMap(({ members }) => members.slice(0, shownOfGroup).map(({ id }) => id))
  if (ids.length === 0) return []
  const rows = await ctx.db.query<ShownRow>(sql`
    select ${shownColumns} from attention join runs on runs.id = attention.run_id
    where attention.run_id in (${listOf(ids)})`)
  const shown = new Map((await shownRows(ctx, rows)).map((row) => [row.id, row]))
  return groups.flatMap((group) => {
    const newest = group.members.flatMap(({ id }) => shown.get(id) ?? [])
    const [first] = newest
    // Its runs have left the list meanwhile.
    if (!first) return []
    return {
      project: first.project,
      by: group.by,
      key: group.by === 'person' ? nameOf(first) : group.key,
      count: group.members.length,
      reason: worstOf(group),
      since: group.members[0].created_at,
      runIds: group.members.map(({ run_id }) => run_id),
      attention: newest,
    }
  })
}

const nameOf = ({ assignee, run }: Attention) => assignee ?? run.author
