import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'
import { documentText } from '../frame/document.ts'
import { piecesOf } from '../frame/pieces.ts'
import { searchedOf } from '../frame/stored.ts'
import { featureFields } from '../nouns/feature/fields.ts'
import { checkFields } from '../nouns/run/check/fields.ts'
import { rowFields as runFields } from '../nouns/run/fields.ts'
import type { Failure } from '../nouns/run/work-fields.ts'
import { type SearchType, searchable } from './fields.ts'
import { passageBytes } from './passage.ts'

/** The parts of a run, turn, diff, spec, check or feature that are searched and shown. */
export interface Subject extends Omit<SubjectRow, 'failure'> {
  type: SearchType
}

interface SubjectRow {
  id: number
  project_id: number
  slug: string
  subject: string
  title: string | null
  status: string | null
  updated_at: string
  /** Short texts besides the title. */
  more: string
  /** Of a run, why it failed, as JSON. */
  failure?: string | null
  document_id: number | null
  /** The size of its document, how much of the middle is missing, and where the gap starts: the largest, if there are more. */
  bytes: number
  gap: number
  gap_start: number
  /** The whole text if it is a single passage. */
  text: string | null
}

/** The rows that are subjects. A row without a change of its turn only says what its run has changed by then. */
export const rowsOf: Record<SearchType, Sql> = {
  run: sql`runs`,
  turn: sql`turns`,
  diff: sql`(select id, turn_id, created_at from turn_diffs where facts <> '{}')`,
  spec: sql`specs`,
  check: sql`checks`,
  feature: sql`features`,
}

/** Null for what is deleted but not removed yet. A run that is being removed is in a hidden project. */
const slugOf = sql`(select p.slug from projects p where p.id = project_id and p.deleted_at is null) as slug`
const slugOfRun = (runRow: Sql) => sql`(select p.slug from runs r join projects p on p.id = r.project_id
  where r.id = ${runRow} and p.deleted_at is null) as slug`

/** The columns of the document of a row of `table`. */
function documentOf(table: 'runs' | 'turn_diffs' | 'specs' | 'checks'): Sql {
  const ofRow = sql`(select d.bytes from documents d where d.id = document_id)`
  const id = raw(`${table}.document_id`)
  const gap = (column: Sql) => sql`coalesce((select ${column} from document_parts g
    where g.document_id = ${id} and g.dropped > 0 order by g.dropped desc, g.start limit 1), 0)`
  return sql`document_id, coalesce(${ofRow}, 0) as bytes, ${gap(sql`g.dropped`)} as gap, ${gap(sql`g.start`)} as gap_start,
    case when ${ofRow} <= ${passageBytes} then ${documentText(id)} else null end as text`
}

const without = sql`null as document_id, 0 as bytes, 0 as gap, 0 as gap_start, null as text`

const subjects: Record<SearchType | 'open turn', Sql> = {
  run: sql`select id, project_id, ${slugOf}, run_id as subject, title, status, updated_at,
    ${searchedOf(runFields)} || ' ' || coalesce((select string_agg(c.commit_id, ' ' order by c.commit_id)
        from run_commits c where c.run_id = runs.id), '') as more, failure, ${documentOf('runs')} from runs`,
  // A turn is a single passage: its prompt, with its answer beside it.
  turn: sql`select id, project_id, ${slugOfRun(sql`turns.run_id`)}, (select r.run_id from runs r where r.id = turns.run_id) || '/' || n as subject,
    title, null as status, created_at as updated_at, coalesce(${documentText(sql`turns.answer_id`)}, '') as more,
    prompt_id as document_id, coalesce((select d.bytes from documents d where d.id = prompt_id), 0) as bytes,
    0 as gap, 0 as gap_start, coalesce(${documentText(sql`turns.prompt_id`)}, '') as text from turns`,
  'open turn': sql`select id, (select r.project_id from runs r where r.id = open_turns.run_id) as project_id, ${slugOfRun(sql`open_turns.run_id`)},
    (select r.run_id from runs r where r.id = open_turns.run_id) || '/' || n as subject, title, null as status,
    created_at as updated_at, coalesce(prompt, '') as more, ${without} from open_turns`,
  diff: sql`select id, project_id, ${slugOfRun(sql`turn_diffs.run_id`)}, (select r.run_id from runs r where r.id = turn_diffs.run_id) || '/' || n as subject,
    path as title, null as status, created_at as updated_at, '' as more, ${documentOf('turn_diffs')} from turn_diffs`,
  spec: sql`select id, project_id, ${slugOf}, spec_id as subject, title, status, updated_at, '' as more,
    ${documentOf('specs')} from specs`,
  check: sql`select id, project_id, ${slugOfRun(sql`checks.run_id`)}, check_id as subject, name as title, result as status, updated_at,
    ${searchedOf(checkFields)} as more, ${documentOf('checks')} from checks`,
  feature: sql`select id, project_id, ${slugOf}, cast(number as text) as subject, name as title, null as status, updated_at,
    ${searchedOf(featureFields)} as more, ${without} from features`,
}

/** How much of a failure's message is searched, in characters. Each passage of the run's text has it. */
const mostOfFailure = 500

function failureText(json: string): string {
  const { code, message = '' } = JSON.parse(json) as Failure
  // The message of a recorder is the same in many runs.
  return /^(?:EXIT|SIGNAL|LEASE|AGENT)_/.test(code) ? code : `${code} ${message.slice(0, mostOfFailure)}`
}

/** Returns the subject of an entry; undefined if it no longer exists. */
type SubjectOf = (entry: { type: SearchType; subject_id: number }) => Subject | undefined

/** Reads the subjects of entries. */
export async function subjectsOf(db: Tx, entries: { type: SearchType; subject_id: number }[]): Promise<SubjectOf> {
  const found = new Map<string, Subject>()
  const read = async (type: SearchType, ids: number[], from: keyof typeof subjects = type) => {
    const rows = await db.query<SubjectRow>(sql`${subjects[from]} where id in (${join(ids)})`)
    for (const { failure, ...row } of rows.filter(({ slug }) => slug !== null)) {
      const more = failure ? `${row.more} ${failureText(failure)}` : row.more
      found.set(`${type} ${row.id}`, { ...row, more, type })
    }
  }
  const reads = searchable.flatMap((type) => {
    const ids = entries.filter((entry) => entry.type === type).map(({ subject_id }) => subject_id)
    const pieces = piecesOf(ids)
    const open = type === 'turn' ? pieces.map((some) => read(type, some, 'open turn')) : []
    return [...pieces.map((some) => read(type, some)), ...open]
  })
  await Promise.all(reads)
  return ({ type, subject_id }) => found.get(`${type} ${subject_id}`)
}
