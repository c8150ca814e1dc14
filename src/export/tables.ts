import sql, { type Sql } from 'sql-template-tag'
import { newSigningSecret, shownUrl } from '../nouns/webhook/rules.ts'
import type { ExportRow } from './lines.ts'

/** How a table is exported. */
export interface ExportTable {
  name: string
  /** The schema version that has it first, if that is later than 14, which has all others. */
  since?: number
  /** The columns that order its rows. A table with the key `id` generates ids. */
  key: readonly string[]
  /** The rows to export; all if absent. */
  where?: Sql
  /** The rows per read, if they are large. */
  atOnce?: number
  /** Columns of a running server, which are not exported. */
  live?: readonly string[]
  /** Columns that are exported only with the keys. */
  secret?: readonly string[]
  /** Whether its rows are exported only with the keys. */
  isSecret?: true
  /** Changes a row that is exported without the keys. */
  withoutKeys?: (row: Record<string, unknown>) => Record<string, unknown>
  /** The values of secret columns that were not exported. */
  filled?: () => ExportRow
}

/** In this order, each row comes after the rows it refers to. */
export const tables: readonly ExportTable[] = [
  { name: 'projects', key: ['id'] },
  { name: 'actors', key: ['id'] },
  // A key without its hash opens nothing. Its name is in its actor.
  { name: 'keys', key: ['id'], isSecret: true },
  { name: 'counters', key: ['project_id', 'noun'] },
  { name: 'documents', key: ['id'] },
  { name: 'document_parts', key: ['document_id', 'start'], atOnce: 32 },
  { name: 'features', key: ['id'] },
  { name: 'specs', key: ['id'] },
  { name: 'spec_versions', key: ['id'] },
  // Nobody holds the lease of a run in another ledger. It expires there.
  { name: 'runs', key: ['id'], live: ['lease_token', 'recorder_token'] },
  { name: 'run_labels', key: ['run_id', 'name'] },
  { name: 'run_features', key: ['run_id', 'feature_id'] },
  { name: 'run_writers', key: ['run_id', 'actor_id'] },
  { name: 'run_commits', key: ['run_id', 'commit_id'] },
  { name: 'run_links', key: ['run_id', 'href_key'] },
  { name: 'run_files', key: ['run_id', 'path'] },
  { name: 'turns', key: ['id'], atOnce: 20 },
  { name: 'turn_diffs', since: 20, key: ['id'] },
  { name: 'checks', key: ['id'] },
  { name: 'attention', since: 24, key: ['run_id'], live: ['hidden'] },
  {
    name: 'webhooks',
    key: ['id'],
    live: ['server', 'lease_expires_at', 'batch_end'],
    secret: ['secret', 'previous_secret', 'previous_secret_expires_at'],
    // Two ledgers with the same webhook would send each message twice.
    withoutKeys: (row) => ({
      ...row,
      url: shownUrl(String(row.url)),
      enabled: 0,
      disabled_reason: row.disabled_reason ?? 'request',
    }),
    filled: () => ({ secret: newSigningSecret() }),
  },
  { name: 'erasures', key: ['id'] },
  { name: 'events', key: ['seq'], atOnce: 100 },
  {
    name: 'seal_keys',
    key: ['id'],
    secret: ['private_key'],
    // The ledger creates its own key before it signs.
    filled: () => ({ private_key: { base64: '' } }),
  },
  { name: 'seal_tiles', key: ['level', 'n'], atOnce: 100 },
  { name: 'seal_salts', key: ['seq'] },
  { name: 'seal_checkpoints', key: ['size'] },
  { name: 'followers', key: ['name'], where: sql`name = 'seal'` },
]

/** The tables that are not exported, with the reason. */
export const staying: Record<string, 'derived' | 'of the server' | 'for a while' | 'in progress'> = {
  ...{
    spec_totals: 'derived',
    feature_totals: 'derived',
    search_entries: 'derived',
    spec_grams: 'derived',
    feature_grams: 'derived',
  },
  ...{ search_words: 'derived', search_recent: 'derived', run_paths: 'derived', run_models: 'derived' },
  ...{ schema_versions: 'of the server', job_leaders: 'of the server', health: 'of the server' },
  ...{ clock_leaps: 'of the server' },
  ...{ backfills: 'of the server', imports: 'of the server', webhook_deliveries: 'of the server' },
  // On PostgreSQL they are exported as events.
  ...{ pending_events: 'of the server' },
  ...{ sessions: 'for a while', login_codes: 'for a while', hook_sessions: 'for a while' },
  ...{ idempotency_keys: 'for a while' },
  // Its turn is exported once it is closed.
  ...{ open_turns: 'in progress' },
}

/** Whether ledgers of that schema version have the table. */
export const isIn =
  (schema: number) =>
  ({ since = 0 }: Pick<ExportTable, 'since'>) =>
    since <= schema

export const handsOutIds = ({ key }: ExportTable) => key.join() === 'id'

/** The name in an export for the last ids that tables have used: an id is never reused. */
export const lastIds = 'last_ids'
