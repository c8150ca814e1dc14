import sql, { type Sql } from 'sql-template-tag'
import type { Row } from '../../ledger/export.ts'
import { newSigningSecret } from '../../ledger/webhook.ts'

/** How a table travels. */
export interface Table {
  name: string
  /** The columns by which its rows are ordered; a table whose key is `id` hands out ids. */
  key: readonly string[]
  /** The rows that travel; all where absent. */
  where?: Sql
  /** Rows of one read, where they are large. */
  atOnce?: number
  /** Columns that belong to a running server. They do not travel. */
  live?: readonly string[]
  /** Columns that travel only with the keys. */
  secret?: readonly string[]
  /** Whether its rows travel only with the keys. */
  isSecret?: true
  /** What a row becomes when it travels without the keys. */
  withoutKeys?: (row: Record<string, unknown>) => Record<string, unknown>
  /** What takes the place of the secret columns when they did not travel. */
  filled?: () => Row
}

/** In this order, each row comes after those that it refers to. */
export const tables: readonly Table[] = [
  { name: 'projects', key: ['id'] },
  { name: 'actors', key: ['id'] },
  // A key without its hash opens nothing. Its name is that of its actor.
  { name: 'keys', key: ['id'], isSecret: true },
  { name: 'counters', key: ['project_id', 'noun'] },
  { name: 'documents', key: ['id'] },
  { name: 'document_parts', key: ['document_id', 'start'], atOnce: 32 },
  { name: 'features', key: ['id'] },
  { name: 'specs', key: ['id'] },
  { name: 'spec_versions', key: ['id'] },
  // Nobody holds the lease of a run in another ledger. It ends there when its time is over.
  { name: 'runs', key: ['id'], live: ['lease_token'] },
  { name: 'run_labels', key: ['run_id', 'name'] },
  { name: 'run_features', key: ['run_id', 'feature_id'] },
  { name: 'run_writers', key: ['run_id', 'actor_id'] },
  { name: 'run_commits', key: ['run_id', 'commit_id'] },
  { name: 'run_links', key: ['run_id', 'href_key'] },
  { name: 'run_files', key: ['run_id', 'path'] },
  { name: 'turns', key: ['id'] },
  { name: 'checks', key: ['id'] },
  {
    name: 'webhooks',
    key: ['id'],
    live: ['server', 'lease_expires_at', 'batch_end'],
    secret: ['secret', 'previous_secret', 'previous_secret_expires_at'],
    // Two ledgers with one webhook would send each message twice.
    withoutKeys: (row) => ({ ...row, enabled: 0, disabled_reason: row.disabled_reason ?? 'request' }),
    filled: () => ({ secret: newSigningSecret() }),
  },
  { name: 'erasures', key: ['id'] },
  { name: 'events', key: ['seq'] },
  {
    name: 'seal_keys',
    key: ['id'],
    secret: ['private_key'],
    // The ledger makes a key of its own before it signs.
    filled: () => ({ private_key: { base64: '' } }),
  },
  { name: 'seal_tiles', key: ['level', 'n'], atOnce: 100 },
  { name: 'seal_salts', key: ['seq'] },
  { name: 'seal_checkpoints', key: ['size'] },
  { name: 'followers', key: ['name'], where: sql`name = 'seal'` },
]

/** The tables that do not travel, with the reason. */
export const staying: Record<string, 'derived' | 'of the server' | 'for a while'> = {
  ...{ spec_totals: 'derived', search_entries: 'derived', spec_grams: 'derived', feature_grams: 'derived' },
  ...{ search_words: 'derived', search_recent: 'derived' },
  ...{ schema_versions: 'of the server', job_leaders: 'of the server', health: 'of the server' },
  ...{ imports: 'of the server', webhook_deliveries: 'of the server' },
  // On PostgreSQL they travel as events.
  ...{ pending_events: 'of the server' },
  ...{ sessions: 'for a while', login_codes: 'for a while', hook_sessions: 'for a while' },
  ...{ idempotency_keys: 'for a while' },
}

export const handsOutIds = ({ key }: Table) => key.join() === 'id'

/** The name under which the last ids that tables handed out stand in an export: an id is never used again. */
export const lastIds = 'last_ids'
