import sql, { type Sql } from 'sql-template-tag'
import type { SearchType } from '../../api/search.ts'
import { contentOf } from '../document.ts'
import type { Tx } from '../engine/db.ts'

/** What of a run, spec, check or feature is searched and shown. */
export interface Subject {
  project_id: number
  slug: string
  subject: string
  title: string | null
  status: string | null
  updated_at: string
  body: string
}

const slugOf = sql`(select p.slug from projects p where p.id = project_id) as slug`

const subjects: Record<SearchType, Sql> = {
  run: sql`select project_id, ${slugOf}, run_id as subject, title, status, updated_at,
    coalesce(spec_id, '') || ' ' || coalesce(agent, '') as more, ${contentOf('runs')} as content from runs`,
  spec: sql`select project_id, ${slugOf}, spec_id as subject, title, status, updated_at, '' as more,
    ${contentOf('specs')} as content from specs`,
  check: sql`select project_id, ${slugOf}, check_id as subject, name as title, result as status, updated_at,
    coalesce(command, '') as more, ${contentOf('checks')} as content from checks`,
  feature: sql`select project_id, ${slugOf}, cast(number as text) as subject, name as title, null as status, updated_at,
    coalesce(file, '') as more, description as content from features`,
}

/** The row of that id; undefined when it is gone. */
export async function readSubject(db: Tx, type: SearchType, id: number): Promise<Subject | undefined> {
  const [row] = await db.query<Omit<Subject, 'body'> & { more: string; content: string | null }>(
    sql`${subjects[type]} where id = ${id}`,
  )
  if (!row) return undefined
  const { more, content, ...subject } = row
  return { ...subject, body: `${content ?? ''}\n${more}`.trim() }
}
