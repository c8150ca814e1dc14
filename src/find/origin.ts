import sql, { raw, type Sql } from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'
import { listOf } from '../frame/pieces.ts'
import { type ofRun, type SearchType, searchable } from './fields.ts'

/** Whose and which run a hit comes from. */
interface Origin {
  agent: string | null
  author: string | null
  verdict: string | null
  at: string
  /** The run of a turn, diff or check; undefined for others. */
  run: RunOfHit | undefined
}

export interface RunOfHit {
  runId: string
  title: string | null
  status: string
  updatedAt: string
}

type Row = Omit<Origin, 'run'> & { id: number; run_id: string | null } & {
  [Name in 'title' | 'status' | 'updated_at']: string | null
}

const factsOf = (run: string) =>
  raw(`${run}.agent, ${run}.author, ${run}.verdict, coalesce(${run}.started_at, ${run}.created_at) as at`)
const noRun = sql`null as run_id, null as title, null as status, null as updated_at`
const partOf = (table: string) =>
  sql`select p.id, ${factsOf('r')}, r.run_id, r.title, r.status, r.updated_at from ${raw(table)} p join runs r on r.id = p.run_id`
const withoutRun = (table: string) =>
  sql`select p.id, null as agent, null as author, null as verdict, p.created_at as at, ${noRun} from ${raw(table)} p`

const origins: Record<SearchType, Sql[]> = {
  run: [sql`select p.id, ${factsOf('p')}, ${noRun} from runs p`],
  turn: [partOf('turns'), partOf('open_turns')],
  diff: [partOf('turn_diffs')],
  check: [partOf('checks')],
  spec: [withoutRun('specs')],
  feature: [withoutRun('features')],
}

/** The runs of rows. */
const runs: Record<(typeof ofRun)[number], Sql[]> = {
  run: [sql`select p.id, p.id as run_id from runs p`],
  turn: [sql`select p.id, p.run_id from turns p`, sql`select p.id, p.run_id from open_turns p`],
  diff: [sql`select p.id, p.run_id from turn_diffs p`],
  check: [sql`select p.id, p.run_id from checks p`],
}

type Hit = { type: SearchType; subject_id: number }

/** Reads the ids of the runs that hits are or belong to. Returns undefined for a spec, a feature, and what no longer exists. */
export const runsOf = (db: Tx, hits: Hit[]) =>
  readOf<{ id: number; run_id: number }, number>(db, hits, runs, ({ run_id }) => run_id)

/** Reads where hits come from. Returns undefined for a hit whose subject no longer exists. */
export const originsOf = (db: Tx, hits: Hit[]) => readOf<Row, Origin>(db, hits, origins, originOf)

/** Reads what `selects` say of hits, by their types. */
async function readOf<From extends { id: number }, To>(
  db: Tx,
  hits: Hit[],
  selects: Partial<Record<SearchType, Sql[]>>,
  toOf: (row: From) => To,
): Promise<(hit: Hit) => To | undefined> {
  const reads = searchable.flatMap((type) => {
    const ids = [...new Set(hits.filter((hit) => hit.type === type).map(({ subject_id }) => subject_id))]
    if (ids.length === 0) return []
    return (selects[type] ?? []).map(async (select) => {
      const rows = await db.query<From>(sql`${select} where p.id in (${listOf(ids)})`)
      return rows.map((row) => [`${type} ${row.id}`, toOf(row)] as const)
    })
  })
  const found = new Map((await Promise.all(reads)).flat())
  return ({ type, subject_id }) => found.get(`${type} ${subject_id}`)
}

function originOf({ agent, author, verdict, at, run_id: runId, title, status, updated_at: updatedAt }: Row): Origin {
  const run = runId === null || status === null || updatedAt === null ? undefined : { runId, title, status, updatedAt }
  return { agent, author, verdict, at, run }
}
