import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import sql, { type Sql } from 'sql-template-tag'
import type { DatabaseSnapshot } from '../db.ts'
import { connect } from './connect.ts'
import { dialect } from './dialect.ts'
import { statements } from './statements.ts'

/** The current state of the file. The write-ahead log keeps growing until the snapshot is closed. */
export function openSnapshot(path: string): DatabaseSnapshot {
  const db = connect(path, 'pragma query_only = on')
  const run = statements(db)
  try {
    run(sql`begin`)
    // The first read fixes the snapshot.
    run(sql`select count(*) from schema_versions`)
  } catch (error) {
    db.close()
    throw error
  }
  return {
    dialect,
    async query<Row extends object>(statement: Sql) {
      // Yields to others, because a statement blocks the event loop.
      await turn()
      return run<Row>(statement)
    },
    async close() {
      if (db.isOpen) db.close()
    },
  }
}

/** The current state of a database in memory: a copy in a file, which is removed on closing. */
export function copySnapshot(memory: DatabaseSync): DatabaseSnapshot {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    const path = join(folder, 'conduct.db')
    memory.prepare('vacuum into ?').run(path)
    const { close, ...snapshot } = openSnapshot(path)
    return { ...snapshot, close: () => close().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}
