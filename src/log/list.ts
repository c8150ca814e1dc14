import sql, { empty, join, type Sql } from 'sql-template-tag'
import { permits } from '../contract/actor.ts'
import { adminNouns } from '../contract/event-type.ts'
import type { InputOf, OutputOf } from '../contract/route.ts'
import type { Ctx, ProjectRef } from '../frame/ctx.ts'
import { pageBytes } from '../frame/page.ts'
import { confinementOf, type Scope, visibleProjects } from '../frame/scope.ts'
import type { EventType } from './fields.ts'
import { numberEvents } from './number.ts'
import { type EventJson, type LogPart, lastSeq, readPageOfLines, requirePlace } from './read.ts'
import type { LogRoutes } from './routes.ts'

/** The filters of a reader of the log. */
interface Selection {
  project?: readonly string[] | undefined
  type?: readonly EventType[] | undefined
  subject?: string | undefined
  /** A type of events that the reader does not want. */
  without?: EventType | undefined
  /** Whether it does not want what only appends to a run, by its types. */
  isWithoutAppends?: boolean
}

/** What a reader sees of the log: as parts for `readLines`, and as a test of one event. */
export interface Selected {
  /** The parts of all projects that are there now. Later events may belong to others. */
  parts(): Promise<LogPart[]>
  /** The projects to which it is limited; undefined for all, and what belongs to the whole server. */
  projects: ProjectRef[] | undefined
  admits(line: Pick<EventJson, 'event' | 'projectId'>): boolean
}

/** Events of keys and projects are only for admins of the whole server. Throws NOT_FOUND for an unknown project. */
export async function selected(
  ctx: Ctx,
  { project, type, subject, without, isWithoutAppends }: Selection,
): Promise<Selected> {
  const scope = await visibleProjects(ctx, project)
  const hidden = permits(ctx.actor.permissions, 'admin') && confinementOf(ctx) === null ? [] : adminNouns
  const isHidden = (type: string) => hidden.some((noun) => type.startsWith(`${noun}.`))
  const types = type && [...new Set(type)].filter((one) => !isHidden(one) && one !== without)
  // The log tells of projects that are gone, too.
  const everywhere = () => ctx.db.query<ProjectRef>(sql`select id, slug from projects`)
  const ids = new Set<number | null>(scope.projects.map(({ id }) => id))
  return {
    async parts() {
      const projects = scope.isWhole ? await everywhere() : scope.projects
      const hiddenTypes = [...hidden.map((noun) => `${noun}.%`), ...(without ? [without] : [])]
      return partsOf({ ...scope, projects }, { types, subject, isWithoutAppends }, hiddenTypes)
    },
    projects: scope.isWhole ? undefined : scope.projects,
    admits: ({ event, projectId }) =>
      (scope.isWhole || ids.has(projectId)) &&
      !isHidden(event.type) &&
      event.type !== without &&
      (!types || types.includes(event.type)) &&
      (subject === undefined || event.subject === subject),
  }
}

/** The parts of indexes that have the order of the log. */
function partsOf(
  { isWhole, projects }: Scope,
  {
    types,
    subject,
    isWithoutAppends,
  }: Pick<Selection, 'subject' | 'isWithoutAppends'> & { types: EventType[] | undefined },
  hidden: readonly string[],
): LogPart[] {
  const shown = hidden.map((pattern) => sql`and e.type not like ${pattern}`).reduce((a, b) => sql`${a} ${b}`, empty)
  if (isWhole && !types && subject === undefined) return [{ condition: shown }]
  const ids = projects.map(({ id }) => id)
  if (subject !== undefined) {
    const ofType = types ? sql`and (${oneOf(types)})` : shown
    // That index does not know the project: a walk for each of them would read the events of all others, too.
    const inPlaces = isWhole ? empty : sql`and e.project_id in (${join(ids)})`
    return both.map((is_append) => ({
      condition: sql`${inPlaces} ${ofType}`,
      along: { index: 'events_by_subject', subject, is_append },
    }))
  }
  const places = [...ids, ...(isWhole ? [null] : [])]
  if (types) return places.flatMap((place) => types.flatMap((type) => partsOfType(place, type, !isWithoutAppends)))
  return places.flatMap((place) => both.map((is_append) => partOfPlace(place, is_append, shown)))
}

/** A project, or null for what belongs to the whole server. */
type ProjectId = number | null

const both = [0, 1] as const

const partOfPlace = (place: ProjectId, is_append: 0 | 1, condition: Sql): LogPart => ({
  condition,
  along: { index: 'events_of_project', project_id: place, is_append },
})

/** Appends all have the same type, and the index of types leaves them out. */
const partsOfType = (place: ProjectId, type: EventType, hasAppends: boolean): LogPart[] => [
  { condition: sql`and e.is_append = 0`, along: { index: 'events_by_type', type, project_id: place } },
  ...(type === 'run.updated' && hasAppends ? [partOfPlace(place, 1, empty)] : []),
]

/** Written so that no engine abandons the index of subjects for it. */
const oneOf = (types: EventType[]) =>
  types.length === 0 ? sql`1 = 0` : types.map((type) => sql`e.type || '' = ${type}`).reduce((a, b) => sql`${a} or ${b}`)

/** A page of events, which are lines of JSON already. */
export type EventPage = Omit<OutputOf<LogRoutes['listEvents']>, 'events'> & { events: EventJson[] }

/**
 * Throws NOT_FOUND for an unknown project; LOG_FORKED if the log does not contain the event to start after; EVENTS_DROPPED
 * if it no longer does.
 */
export async function listEvents(
  ctx: Ctx,
  { after: place, before, limit, order, ...selection }: InputOf<LogRoutes['listEvents']>,
): Promise<EventPage> {
  const seen = await selected(ctx, selection)
  const after = place?.seq ?? 0
  await numberEvents(ctx.db)
  // Up to here no event comes any more, and each is in one of the projects that are read next.
  const end = (await lastSeq(ctx.db)) + 1
  const until = Math.min(before ?? end, end)
  const range = { after, before: until, order }
  const size = { limit, bytes: pageBytes }
  const { lines: events, hasMore } = await readPageOfLines(ctx.db, range, size, await seen.parts())
  if (place) await requirePlace(ctx.db, place)
  // At the end, the place passes events that the filter leaves out, so that it does not become older than the log.
  if (order !== 'desc' && !hasMore) return { events, meta: { hasMore, lastSeq: Math.max(after, until - 1) } }
  return { events, meta: { hasMore, lastSeq: events.at(-1)?.event.seq ?? before ?? after } }
}
