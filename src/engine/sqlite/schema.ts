import type { DatabaseSync } from 'node:sqlite'
import sql from 'sql-template-tag'
import type { Tx } from '../db.ts'
import { type Base, runWork } from '../transaction.ts'
import { begin } from './begin.ts'
import { statements } from './statements.ts'

/** How long a migration waits for that of another process. */
const upgradeMs = 3600_000

/** A handle on a connection that has no other user, and waits as long as the migrations of other processes may take. */
export function ownTx(db: DatabaseSync, base: Base, onWait: () => void): Tx {
  const write = statements(db)
  const own: Tx = {
    ...base,
    get apart() {
      return own
    },
    query: (statement) => own.tx((tx) => tx.query(statement)),
    moment: (reads) => reads(own),
    async tx(work) {
      const until = performance.now() + upgradeMs
      await begin(write, () => until, onWait)
      try {
        const value = await runWork(base, write, work)
        write(sql`commit`)
        return value
      } catch (error) {
        if (db.isTransaction) db.exec('rollback')
        throw error
      }
    },
  }
  return own
}
