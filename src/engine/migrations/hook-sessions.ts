import { hash } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Dialect, Tx } from '../db.ts'
import type { Step } from './migration.ts'

/** Sessions whose hooks are sent to the server: the hash of a token instead of the token, and when to end a silent one. */
export const hookSessions = ({ text }: Dialect): Step[] => [
  `alter table hook_sessions add column due_at ${text}`,
  `alter table hook_sessions add column changed_at ${text} not null default ''`,
  'alter table hook_sessions rename column lease_token to lease_hash',
  hashTokens,
  'create index hook_sessions_due on hook_sessions (due_at) where due_at is not null',
  'create index hook_sessions_without_run on hook_sessions (changed_at) where run_row is null',
]

async function hashTokens(tx: Tx): Promise<void> {
  const rows = await tx.query<{ id: number; token: string }>(
    sql`select id, lease_hash as token from hook_sessions where lease_hash is not null`,
  )
  for (const { id, token } of rows) {
    await tx.query(sql`update hook_sessions set lease_hash = ${hash('sha256', token)} where id = ${id}`)
  }
}
