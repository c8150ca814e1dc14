import { setImmediate as turn } from 'node:timers/promises'
import sql, { join } from 'sql-template-tag'
import { ConductError } from '../contract/error.ts'
import type { Tx } from '../engine/db.ts'
import type { Operation } from '../frame/ctx.ts'
import { decodeHit, encodeHit, type SearchHit as HitPlace, type TimeSpan } from '../frame/page.ts'
import { idsOf } from '../frame/pieces.ts'
import { visibleProjects } from '../frame/scope.ts'
import { conditionsOf, type Filters } from '../nouns/run/path.ts'
import { readyFilters } from '../nouns/run/ready-filters.ts'
import { ask, type IndexQuery } from './ask.ts'
import { kindToken, nameOf, projectToken, textOf } from './entry.ts'
import { isOfRun, searchable } from './fields.ts'
import { followLog, markChanged } from './follow.ts'
import { groupedByRun, type RunHit } from './grouped.ts'
import { originsOf, runsOf } from './origin.ts'
import { passageIn, slots } from './passage.ts'
import type { FindRoutes } from './routes.ts'
import { indexOfTerm, snippetOf } from './snippet.ts'
import { type Subject, subjectsOf } from './subject.ts'
import { type PassageQuery, type PassageRow, readWaiting, type Waiting } from './wait.ts'
import { askedIn, termsOf } from './words.ts'

/** How long a step of indexing may block others, in milliseconds. */
const stepMs = 5
/** How long a search reads unindexed texts, or waits for there to be fewer, in milliseconds. */
const patienceMs = 20_000
/** A search itself reads up to this many entries that wait for the index. */
const mostWaiting = 10_000

/** With filters: how many hits to fetch first, and then at once, and how many to check for one page. */
const [filteredFirst, filteredAtOnce] = [200, 1_000]
const mostFiltered = 50_000

/**
 * Throws BAD_REQUEST for an unknown cursor; NOT_FOUND for an unknown project; UNAVAILABLE while the index is being
 * built. If few of very many hits match the filters, a page may have fewer than `limit` rows although more follow.
 */
export const search: Operation<FindRoutes['search']> = async (
  ctx,
  { project, q, type, group, limit, cursor, ...filters },
) => {
  const { all, projects } = await visibleProjects(ctx, project)
  const { createdAfter, createdBefore, ...given } = filters
  const filter = filterOf(ctx.db, { createdAfter, createdBefore }, await readyFilters(ctx, given))
  const types = filter ? (type ?? searchable).filter(isOfRun) : type
  const from = cursor === undefined ? { place: 'head' as const, entry: undefined } : decodeHit(cursor)
  const terms = termsOf(q)
  const marks = [...askedIn(q), ...terms]
  if (terms.length === 0 || types?.length === 0) return { results: [], meta: { hasMore: false } }
  const waiting = await readUnindexed(ctx.db, {
    terms,
    has: (ofType, projectId) =>
      (types === undefined || types.includes(ofType)) && (all || projects.some(({ id }) => id === projectId)),
  })
  const wanted = [all ? [] : projects.map(({ id }) => projectToken(id)), (types ?? []).map(kindToken)].filter(
    (some) => some.length > 0,
  )
  const hits: RunHit[] = []
  let rest: HitPlace | undefined
  for (const place of from.place === 'head' ? (['head', 'body'] as const) : (['body'] as const)) {
    if (rest || hits.length > limit) break
    const before = place === from.place ? from.entry : undefined
    const found = await find(ctx.db, { place, wanted, terms, marks, before, filter }, waiting, limit + 1 - hits.length)
    hits.push(...found.hits)
    rest = found.rest
  }
  const page = hits.slice(0, limit)
  const next = hits.length > limit ? page.at(-1) : rest
  return {
    results: group === 'run' ? groupedByRun(page) : page.map(({ found }) => found),
    meta: next ? { hasMore: true, nextCursor: encodeHit(next) } : { hasMore: false },
  }
}

/** Reads what is not indexed yet. If that is too much, it helps with indexing. */
async function readUnindexed(db: Tx, wanted: Omit<PassageQuery, 'goesOn'>): Promise<Waiting> {
  const end = performance.now() + patienceMs
  const goesOn = () => {
    if (performance.now() < end) return
    throw new ConductError('UNAVAILABLE', 'The search index is being built: try again in a minute.', {
      retryAfter: 60,
      isPlanned: true,
    })
  }
  await markChanged(db)
  while (await isFarBehind(db)) {
    await followLog(db, stepMs)
    await turn()
    goesOn()
  }
  return readWaiting(db, { ...wanted, goesOn })
}

async function isFarBehind(db: Tx): Promise<boolean> {
  const [last] = await db.query(sql`
    select 1 as one from search_entries where is_stale = 1 order by id limit 1 offset ${mostWaiting}`)
  return last !== undefined
}

interface Question extends IndexQuery {
  /** What snippets mark. */
  marks: string[]
  /** Only entries before this one. */
  before: number | undefined
  filter: Filter | undefined
}

interface Findings {
  hits: RunHit[]
  /** Where to continue, if `mostFiltered` hits were checked before there were enough. */
  rest?: HitPlace
}

/** About `limit` of the newest subjects with all terms in the head, or else in one passage. */
async function find(db: Tx, question: Question, waiting: Waiting, limit: number): Promise<Findings> {
  const { place, before, filter } = question
  const hits: RunHit[] = []
  const seen = new Set<number>()
  let end = before === undefined ? Number.MAX_SAFE_INTEGER : before * slots
  for (;;) {
    const wanted = filter ? (seen.size === 0 ? filteredFirst : filteredAtOnce) : limit - hits.length
    const rows = await ask(db, question, end, wanted)
    const last = rows.length < wanted ? undefined : rows.at(-1)
    const reached = last?.rowid ?? 0
    const unindexed = waiting.rows[place].filter(({ rowid }) => rowid < end && rowid >= reached)
    const all = [...rows.filter(({ rowid }) => !waiting.isStale(rowid)), ...unindexed].sort((a, b) => a.rowid - b.rowid)
    // A text with the terms in several passages is found by the last one.
    const newest = new Map(all.filter(({ entry }) => !seen.has(entry)).map((row) => [row.entry, row]))
    const kept = filter ? await filter([...newest.values()]) : [...newest.values()]
    kept.sort((a, b) => b.entry - a.entry)
    for (let at = 0; at < kept.length && hits.length < limit; at += limit) {
      hits.push(...(await shown(db, kept.slice(at, at + limit), question)))
    }
    if (!last || hits.length >= limit) return { hits }
    for (const entry of newest.keys()) seen.add(entry)
    end = seen.has(last.entry) ? last.entry * slots : reached
    if (!filter) continue
    if (seen.size >= mostFiltered) return { hits, rest: { place, entry: last.entry } }
    await turn()
  }
}

/** Hits as they are shown, without those whose subjects no longer exist. */
async function shown(db: Tx, rows: PassageRow[], { place, marks }: Question): Promise<RunHit[]> {
  const [subjectOf, originOf] = await Promise.all([subjectsOf(db, rows), originsOf(db, rows)])
  const hits = rows.map(async (row) => {
    const [subject, origin] = [subjectOf(row), originOf(row)]
    if (!subject || !origin) return undefined
    const { run, ...facts } = origin
    return { place, entry: row.entry, found: { ...(await foundIn(db, subject, row, marks)), ...facts }, run }
  })
  return (await Promise.all(hits)).filter((hit) => hit !== undefined)
}

async function foundIn(db: Tx, subject: Subject, { type, rowid }: PassageRow, marks: string[]) {
  const { slug: project, subject: human, title, status, updated_at: updatedAt, more } = subject
  const passage = await textOf(db, subject, passageIn(rowid % slots, subject.bytes))
  const snippet = snippetOf(`${passage}\n${more}`.trim() || nameOf(subject), marks)
  const place = type === 'run' && { isInContent: indexOfTerm(passage, marks) !== undefined }
  return { type, project, subject: human, title, snippet, ...place, status, updatedAt }
}

/** Returns the hits that are, or belong to, runs that match the filters. */
type Filter = (rows: PassageRow[]) => Promise<PassageRow[]>

/** Undefined without filters. */
function filterOf(db: Tx, { createdAfter, createdBefore }: TimeSpan, filters: Filters): Filter | undefined {
  const span = [
    ...(createdAfter === undefined ? [] : [sql`runs.created_at > ${createdAfter}`]),
    ...(createdBefore === undefined ? [] : [sql`runs.created_at < ${createdBefore}`]),
  ]
  if (span.length === 0 && Object.values(filters).every((value) => value === undefined)) return undefined

  const fulfilling = async (projectId: number, ids: number[]) => {
    const conditions = await conditionsOf(db, projectId, filters)
    if (!conditions) return []
    const { from, where } = db.dialect.ledBy(ids, sql`runs`, 'runs.id')
    return db.query<{ id: number }>(
      sql`select runs.id from ${from} where ${join([where, ...conditions, ...span], ' and ')}`,
    )
  }
  return async (rows) => {
    const runOf = await runsOf(db, rows)
    const ids = [...new Set(rows.flatMap((row) => runOf(row) ?? []))]
    if (ids.length === 0) return []
    const runs = await db.query<{ id: number; project_id: number }>(
      sql`select id, project_id from runs where id in (${join(ids)})`,
    )
    const byProject = Map.groupBy(runs, ({ project_id }) => project_id)
    const kept = await Promise.all([...byProject].map(([projectId, some]) => fulfilling(projectId, idsOf(some))))
    const found = new Set<number | undefined>(kept.flat().map(({ id }) => id))
    return rows.filter((row) => found.has(runOf(row)))
  }
}
