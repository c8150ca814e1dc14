import sql, { raw } from 'sql-template-tag'
import type { Tx } from '../db.ts'
import { migrations } from './schema.ts'

/**
 * Brings the schema up to date, in the caller's transaction; servers that start at once wait for each other.
 * Throws when the schema is newer than this Conduct.
 */
export async function migrate(tx: Tx): Promise<void> {
  await tx.query(tx.dialect.alone)
  await tx.query(sql`create table if not exists schema_versions (version ${raw(tx.dialect.integer)} primary key)`)
  const [row] = await tx.query<{ version: number }>(
    sql`select coalesce(max(version), 0) as version from schema_versions`,
  )
  const version = row?.version ?? 0
  if (version > migrations.length) {
    throw new Error(
      `The database has schema version ${version}, and this Conduct knows versions up to ${migrations.length}: start a newer Conduct.`,
    )
  }
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue
    for (const statement of migration(tx.dialect)) await tx.query(raw(statement))
    await tx.query(sql`insert into schema_versions (version) values (${index + 1})`)
  }
}
