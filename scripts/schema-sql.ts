import sql from 'sql-template-tag'
import type { Db } from '../src/engine/db.ts'
import { migrate } from '../src/engine/migrations/migrate.ts'
import { latestVersion } from '../src/engine/migrations/schema.ts'
import { openDb } from '../src/operations/open.ts'

/** What a row of each table is. */
const meanings: Record<string, string> = {
  schema_versions: 'A version of the schema that the ledger has reached; the highest counts.',
  projects: 'A project.',
  actors: 'Who acts: a key; 0 is the local user, -1 Conduct itself, -2 its retention. Rows and events refer to it.',
  keys: 'A key, by the hash of its secret.',
  sessions: 'A login of a browser.',
  login_codes: 'A code with which a browser logs in once.',
  counters: 'The next number of a noun in a project.',
  idempotency_keys: 'A write that may be repeated, and its encrypted response.',
  documents: 'A text: the content of a run, spec or check, the prompt or answer of a turn, or the diff of a file.',
  document_parts: 'A part of a text, at its offset in bytes.',
  runs: 'A run. Lists and objects are JSON.',
  run_labels: 'A label of a run, by which it is found.',
  run_writers: 'An actor who has written a part of a run.',
  run_files: 'A file that a run has changed.',
  run_paths: 'A file that a run has written, or a folder above one, by which the run is found.',
  run_models: 'A model that a run used, by which the run is found, with its share of the usage.',
  run_commits: 'A commit by which a run is found.',
  run_links: 'A link by which a run is found, hashed.',
  turns: 'A turn of a run: a prompt, an answer, and what happened in between.',
  turn_diffs: 'What a turn changed in a file, and what its run has changed in it by then, if that differs.',
  open_turns: 'The turn in progress of a run, as far as it is known. Neither exported nor replayed from the log.',
  checks: 'A check of a run.',
  attention: 'A run that somebody should look at, and what was decided about it.',
  hook_sessions: 'A session of an agent whose hooks report over HTTP.',
  specs: 'A spec, as its newest version says.',
  spec_versions: 'A version of a spec.',
  features: 'A feature.',
  run_features: 'A link between a run and a feature.',
  spec_totals: 'A share of the totals of the runs of a spec.',
  feature_totals: 'A share of the totals of the runs of a feature.',
  events: 'A change, in the one order of the log.',
  erasures: 'An erasure of texts.',
  search_entries: 'A piece of a text in the index of words. Its id is the rowid of the index.',
  search_words: 'The words of each entry.',
  search_words_vocabulary: 'The words of search_words, in order.',
  search_recent: 'The words of recent entries.',
  spec_grams: 'The parts of the title of a spec.',
  feature_grams: 'The parts of the name and description of a feature.',
  seal_keys: 'The key that signs the checkpoints of the log.',
  seal_tiles: '256 hashes of the Merkle tree over the log.',
  seal_salts: 'The salts of the texts of an event.',
  seal_checkpoints: 'A signed size and root of the log.',
  webhooks: 'A webhook with its position in the log.',
  webhook_deliveries: 'An attempt to deliver a message to a webhook.',
  job_leaders: 'The server that does a background job.',
  clock_leaps: 'The leap of the clock that a server doubts.',
  followers: 'How far a reader of the log has read.',
  backfills: 'What runs are found by that is not filled in for all of them: only from this place on.',
  imports: 'The progress of an import; the row exists while the ledger is incomplete.',
  health: 'The last write that tested whether the database accepts writes.',
}

const intro = `-- The tables of a ledger with schema version ${latestVersion}, as SQLite has them.
-- npm run generate prints this file from src/engine/migrations; do not edit it.
--
-- On PostgreSQL, integer is bigint, real is double precision, blob is bytea, and text is compared byte by byte. Ids are
-- identity columns. An index of words is a table (rowid, words tsvector). Events without a number wait in a table
-- pending_events, and the key of document_parts is its primary key.
`

/** The schema of a new ledger as SQL. Throws if a table has no meaning above. */
export async function schemaSql(): Promise<string> {
  const db = await openDb('sqlite::memory:', () => {})
  try {
    await migrate(db)
    return await printed(db)
  } finally {
    await db.close()
  }
}

async function printed(db: Db): Promise<string> {
  const rows = await db.query<{ table: string; text: string }>(sql`
    select tbl_name as "table", sql as text from sqlite_schema
    where sql is not null and name not like 'sqlite_%'
      and tbl_name not in (select name from pragma_table_list where type = 'shadow') order by type desc, rowid`)
  const tables = [...new Set(rows.map(({ table }) => table))]
  const sections = tables.map((table) => {
    const meaning = meanings[table]
    if (!meaning) throw new Error(`Say in scripts/schema-sql.ts what a row of the table ${table} is.`)
    const statements = rows.filter((row) => row.table === table).map(({ text }) => `${layout(text)};`)
    return `-- ${meaning}\n${statements.join('\n')}\n`
  })
  return [intro, ...sections].join('\n')
}

/** A statement in lower case words and single spaces; that of a table with one column a line. */
function layout(statement: string): string {
  const plain = statement
    .replace(/\s+/g, ' ')
    .replace(/^CREATE (VIRTUAL TABLE|UNIQUE INDEX|TABLE|INDEX)/, (words) => words.toLowerCase())
  const [, head, columns = '', end] = /^(create table \S+ \()(.*)(\)[^)]*)$/.exec(plain) ?? []
  return head ? `${head}\n  ${partsOf(columns).join(',\n  ')}\n${end}` : plain
}

/** The parts between commas outside of brackets. */
function partsOf(list: string): string[] {
  const parts = ['']
  let depth = 0
  for (const character of list) {
    if (character === '(') depth++
    if (character === ')') depth--
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts.map((part) => part.trim())
}
