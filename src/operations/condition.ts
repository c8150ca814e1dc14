import type { Replication } from '../engine/db.ts'
import { type Facts, readFacts } from './facts.ts'
import type { Store } from './open.ts'

/** How the database of a ledger is, for its operator. */
export interface Condition {
  facts: Facts
  /** Undefined for SQLite. */
  replication: Replication | undefined
  /** Milliseconds by which the clock of the database is ahead of that of this machine. */
  aheadMs: number
  /** Why the time may be wrong. */
  doubt: string | undefined
}

export async function readCondition({ db, now, doubt }: Store): Promise<Condition> {
  const aheadMs = db.now() - Date.now()
  const [facts, replication] = await Promise.all([readFacts(db, now()), db.replication()])
  return { facts, replication, aheadMs, doubt: doubt() }
}
