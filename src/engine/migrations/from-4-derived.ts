import { hash } from 'node:crypto'
import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { Tx } from '../db.ts'
import type { ReportProgress } from './schema.ts'

/** How many rows one statement reads. A run may have hundreds of commits. */
const batch = 1_000

interface Found {
  id: number
  project_id: number
  created_at: string
  location: string | null
  git: string | null
  links: string
}

/** Fills what finds runs by branch, session, commit and link. */
export async function findRuns(tx: Tx, progress: ReportProgress) {
  const last = await lastOf(tx, 'runs')
  for (let from = 0; from < last; from += batch) {
    const rows = await tx.query<Found>(sql`select id, project_id, created_at, location, git, links from runs
      where id > ${from} and id <= ${from + batch} and (location is not null or git is not null or links <> '[]')`)
    await nameWork(tx, rows)
    await addAll(tx, 'run_commits', 'commit_id', rows, commitsOf)
    // The address itself can be too long for an index.
    await addAll(tx, 'run_links', 'href_key', rows, hrefKeysOf)
    progress(Math.min(from + batch, last), last)
  }
}

/** How many rows one statement writes. */
const writtenAtOnce = 500

/** Writes rows with a statement for each few hundred of them. */
async function writeAll(tx: Tx, rows: Sql[], statementOf: (values: Sql) => Sql) {
  for (let at = 0; at < rows.length; at += writtenAtOnce) {
    await tx.query(statementOf(sql`values ${join(rows.slice(at, at + writtenAtOnce))}`))
  }
}

async function nameWork(tx: Tx, runs: Found[]) {
  const rows = runs.flatMap(({ id, git, location }) => {
    const branch: string | null = JSON.parse(git ?? '{}').branch ?? null
    const session: string | null = JSON.parse(location ?? '{}').session ?? null
    return branch === null && session === null ? [] : [sql`(${id}, ${branch}, ${session})`]
  })
  const { integer } = tx.dialect
  await writeAll(
    tx,
    rows,
    (values) => sql`update runs set branch = column2, session = column3 from (${values}) as found
      where runs.id = cast(column1 as ${raw(integer)})`,
  )
}

function commitsOf({ git }: Found): string[] {
  const { commit, commits = [] }: { commit?: string; commits?: string[] } = JSON.parse(git ?? '{}')
  return commit ? [...commits, commit] : commits
}

const hrefKeysOf = ({ links }: Found) =>
  JSON.parse(links).map(({ href }: { href: string }) => hash('sha256', href).slice(0, 32))

async function addAll(tx: Tx, table: string, column: string, runs: Found[], valuesOf: (run: Found) => string[]) {
  const rows = runs.flatMap((run) =>
    [...new Set(valuesOf(run))].map((value) => sql`(${run.id}, ${value}, ${run.project_id}, ${run.created_at})`),
  )
  await writeAll(
    tx,
    rows,
    (values) => sql`insert into ${raw(table)} (run_id, ${raw(column)}, project_id, created_at) ${values}`,
  )
}

/** Fills the indexes for parts of titles, names and descriptions. */
export async function fillGrams(tx: Tx, progress: ReportProgress) {
  await fillGramsOf(tx, 'spec', sql`coalesce(title, '')`, progress)
  await fillGramsOf(tx, 'feature', sql`name || '\n' || coalesce(description, '')`, progress)
}

async function fillGramsOf(tx: Tx, noun: 'spec' | 'feature', text: Sql, progress: ReportProgress) {
  const last = await lastOf(tx, `${noun}s`)
  for (let from = 0; from < last; from += batch) {
    const rows = await tx.query<{ id: number; project_id: number; text: string }>(sql`
      select id, project_id, ${text} as text from ${raw(`${noun}s`)}
      where id > ${from} and id <= ${from + batch} order by id`)
    for (const { id, project_id, text } of rows) {
      const words = tx.dialect.words([`p${project_id}`, ...gramsOf(text)])
      await tx.query(sql`insert into ${raw(`${noun}_grams`)} (rowid, words) values (${id}, ${words})`)
    }
    progress(Math.min(from + batch, last), last)
  }
}

/** Each character with the two after it, in hexadecimal. A to Z count as lower case. */
function gramsOf(text: string): string[] {
  const characters = [...text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())]
  const grams = characters.map((_, at) => Buffer.from(characters.slice(at, at + 3).join('')).toString('hex'))
  return [...new Set(grams)]
}

/** From now on only the hash of an Idempotency-Key is stored. The key itself decrypts the response it protects. */
export async function hashIdempotencyKeys(tx: Tx) {
  const rows = await tx.query<{ key_id: number; project_id: number; name: string }>(
    sql`select key_id, project_id, name from idempotency_keys`,
  )
  for (const { key_id, project_id, name } of rows) {
    await tx.query(sql`update idempotency_keys set name = ${hash('sha256', name)}
      where key_id = ${key_id} and project_id = ${project_id} and name = ${name}`)
  }
}

async function lastOf(tx: Tx, table: string): Promise<number> {
  const [end] = await tx.query<{ last: number | null }>(sql`select max(id) as last from ${raw(table)}`)
  return end?.last ?? 0
}
