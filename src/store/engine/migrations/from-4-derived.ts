import { hash } from 'node:crypto'
import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { Tx } from '../db.ts'
import type { Progress } from './migration.ts'

/** How many rows one statement reads. */
const batch = 5_000

interface Found {
  id: number
  project_id: number
  created_at: string
  location: string | null
  git: string | null
  links: string
}

/** Fills what finds runs by branch, session, commit and link. */
export async function findRuns(tx: Tx, progress: Progress) {
  const last = await lastOf(tx, 'runs')
  for (let from = 0; from < last; from += batch) {
    const rows = await tx.query<Found>(sql`select id, project_id, created_at, location, git, links from runs
      where id > ${from} and id <= ${from + batch} and (location is not null or git is not null or links <> '[]')`)
    for (const row of rows) await findOne(tx, row)
    progress(Math.min(from + batch, last), last)
  }
}

async function findOne(tx: Tx, run: Found) {
  const git: { branch?: string; commit?: string; commits?: string[] } = JSON.parse(run.git ?? '{}')
  const session: string | null = JSON.parse(run.location ?? '{}').session ?? null
  const branch = git.branch ?? null
  if (branch !== null || session !== null) {
    await tx.query(sql`update runs set branch = ${branch}, session = ${session} where id = ${run.id}`)
  }
  const links: { href: string }[] = JSON.parse(run.links)
  await addAll(tx, 'run_commits', 'commit_id', run, [...(git.commits ?? []), ...(git.commit ? [git.commit] : [])])
  // The address itself can be too long for an index.
  await addAll(
    tx,
    'run_links',
    'href_key',
    run,
    links.map(({ href }) => hash('sha256', href).slice(0, 32)),
  )
}

async function addAll(tx: Tx, table: string, column: string, { id, project_id, created_at }: Found, values: string[]) {
  const rows = [...new Set(values)].map((value) => sql`(${id}, ${value}, ${project_id}, ${created_at})`)
  if (rows.length === 0) return
  await tx.query(sql`insert into ${raw(table)} (run_id, ${raw(column)}, project_id, created_at) values ${join(rows)}`)
}

/** Fills the indexes for parts of titles, names and descriptions. */
export async function fillGrams(tx: Tx, progress: Progress) {
  await fillGramsOf(tx, 'spec', sql`coalesce(title, '')`, progress)
  await fillGramsOf(tx, 'feature', sql`name || '\n' || coalesce(description, '')`, progress)
}

async function fillGramsOf(tx: Tx, noun: 'spec' | 'feature', text: Sql, progress: Progress) {
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
