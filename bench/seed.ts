import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import sql, { raw, type Sql } from 'sql-template-tag'
import type { Db } from '../src/engine/db.ts'
import { personHash } from '../src/nouns/run/person.ts'
import { openStore, type Store } from '../src/operations/open.ts'
import { makeVersion4 } from './version-4.ts'

/** What differs between the engines in this file. */
interface Words {
  /** The ISO 8601 text of Unix seconds. */
  time(seconds: string): string
  hex(text: string): string
  /** The indexed form of words separated by spaces, as `src/find` writes it. */
  words(text: string): string
  before: string[]
  after: string[]
}

const sqlite: Words = {
  time: (seconds) => `strftime('%Y-%m-%dT%H:%M:%fZ', ${seconds}, 'unixepoch')`,
  hex: (text) => `lower(hex(${text}))`,
  words: (text) => text,
  before: ['pragma synchronous = off', 'pragma foreign_keys = off', 'begin'],
  after: ['commit', 'pragma wal_checkpoint(truncate)'],
}

const postgres: Words = {
  time: (seconds) => `to_char(to_timestamp(${seconds}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
  hex: (text) => `encode(convert_to(${text}, 'UTF8'), 'hex')`,
  words: (text) => `array_to_tsvector(string_to_array(${text}, ' '))`,
  before: ['set synchronous_commit = off', 'set session_replication_role = replica'],
  after: ['vacuum analyze', 'checkpoint'],
}

/** Fills an empty database with `runs` runs and everything around them, in that many projects. */
export async function seedMany(url: string, runs: number, projects = 1): Promise<void> {
  await seedVersion4(url, runs, projects)
  const store = await openStore(url)
  // Its verdicts stay as they are: a job that derives a million of them again would run beside what is measured.
  await atLength(store.db, sql`update runs set judged = 1`)
  await seedFiles(store, runs)
  await fillAttention(store.db)
  await store.close()
}

/** The files that runs have written, with their folder, which version 4 did not have. */
async function seedFiles({ db }: Store, runs: number): Promise<void> {
  const written = [
    { path: hot.path, where: 'id % 10 < 9' },
    { path: hot.somePath, where: 'id % 33 = 0' },
    { path: hot.rarePath, where: `id in (${[0.2, 0.5, 0.8].map((share) => Math.round(runs * share)).join(', ')})` },
  ]
  for (const { path, where } of written) {
    await atLength(
      db,
      sql`insert into run_files (run_id, path) select id, ${path} from runs where ${raw(where)} order by id`,
    )
  }
  const found = [...written, { path: 'src/', where: written.map((one) => one.where).join(' or ') }]
  for (const { path, where } of found) {
    await atLength(
      db,
      sql`insert into run_paths (run_id, path, project_id, created_at)
        select id, ${path}, project_id, created_at from runs where ${raw(where)} order by id`,
    )
  }
  if (!db.dialect.commitsInOrder) await atLength(db, sql`vacuum analyze run_paths`)
}

/** Runs a statement that may take as long as it takes. */
const atLength = (db: Db, statement: Sql) =>
  db.changeSchema(
    (own) => own.query(statement),
    () => {},
  )

/** Puts every run on the list of those that need attention: an upgrade puts only those of the last days there. */
async function fillAttention(db: Db): Promise<void> {
  await atLength(
    db,
    sql`insert into attention (run_id, project_id, reason, since_at, spec_id, branch, author_person, updated_at)
      select id, project_id, case when id % 2 = 0 then 'failing' else 'failed' end, created_at, spec_id,
        case when id % 3 = 0 then 'main' else 'branch-' || id end, ${hot.person}, created_at from runs`,
  )
  if (!db.dialect.commitsInOrder) await atLength(db, sql`analyze attention`)
}

/**
 * The same in version 4 of the schema, with its own SQL, because the API would take an hour. Migrations do the rest, so
 * this file stays the same when the schema changes.
 */
export async function seedVersion4(url: string, runs: number, projects = 1): Promise<void> {
  await makeVersion4(url)
  if (url.startsWith('sqlite:')) {
    const db = new DatabaseSync(url.slice('sqlite:'.length))
    for (const statement of statementsOf(sqlite, runs, projects)) db.exec(statement)
    db.close()
    return
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statementsOf(postgres, runs, projects)) await client.query(statement)
  } finally {
    await client.end()
  }
}

const statementsOf = (words: Words, runs: number, projects: number) => [
  ...words.before,
  ...inserts(words, runs, projects),
  ...words.after,
]

/** Its runs never fail: with only the index of agents or of statuses, a search for its failures reads on and on. */
export const steadyAgent = 'gemini'
/** Values that grow with the ledger. No run of the spec is in progress. */
export const hot = {
  spec: 'HOT-3',
  agent: 'claude-code',
  label: 'team:web',
  feature: 5,
  file: 'src/part-3.ts',
  /** Files of runs: 90 % have written the first, 3 % the second, and three runs the last. */
  path: 'src/auth.ts',
  somePath: 'src/mail.ts',
  rarePath: 'src/rare.ts',
  rareWord: 'flamingo',
  /** Stored instead of the mail address of the author of all runs. */
  person: personHash('ada@example.com'),
}
/** How many documents contain the rare word, in a ledger of any size. */
const rareIn = 50
const hexOf = (text: string) => Buffer.from(text).toString('hex')

const secondsApart = 30
const firstSecond = 1_740_000_000

/** How many features, and specs, there are beside so many runs. */
export const featuresOf = (runs: number) => Math.max(200, Math.round(runs / 20))

function inserts({ time, hex, words }: Words, runs: number, projects: number): string[] {
  const features = featuresOf(runs)
  const specs = Math.max(20, Math.round(runs / 50))
  const numbers = (count: number) =>
    `(with recursive n(n) as (select cast(1 as bigint) union all select n + 1 from n where n < ${count}) select n from n) as n`
  const project = `1 + n % ${projects}`
  const at = time(`${firstSecond} + n * ${secondsApart}`)
  const runId = `case when n < 10 then 'RUN-00' when n < 100 then 'RUN-0' else 'RUN-' end || n`
  const agent = `case when n % 10 < 6 then '${hot.agent}' when n % 10 < 8 then 'codex' else '${steadyAgent}' end`
  const status = `case when n % 10 > 7 then 'completed' when n * 7919 % 100 < 80 then 'completed'
    when n * 7919 % 100 < 90 then 'failed' when n * 7919 % 100 < 95 or n % 5 < 2 then 'pending' else 'in_progress' end`
  const team = `case n % 8 when 0 then 'web' when 1 then 'shop' when 2 then 'search' when 3 then 'billing' else 'platform' end`
  const verdict = `case n % 10 when 0 then 'failing' when 1 then 'warned' when 2 then 'stale' when 3 then 'unchecked' else 'verified' end`
  const result = `case n % 10 when 0 then 'fail' when 1 then 'warn' else 'pass' end`
  const isRare = `n % ${runs / rareIn} = 0`
  const tokens = `'p1 krun h' || ${hex(`lower(${runId})`)} || ' w' || ${hex(`lower(${runId})`)} || ' w${hexOf('tests')} w${hexOf('pass')}' ||
    case when ${isRare} then ' w${hexOf(hot.rareWord)}' else '' end`
  const eventType = `case when ${isRare} then 'check.created' when n % 3 = 0 then 'run.updated' else 'run.created' end`
  const changes = `'{"status":[null,"completed"],"agent":[null,"${hot.agent}"],"labels":[null,{"team":"web"}]}'`
  return [
    `insert into projects (slug, name, created_at, updated_at) select 'project-' || n, 'Project ' || n, ${at}, ${at}
      from ${numbers(projects)} where n > 1`,
    `insert into documents (project_id, bytes, sha256)
      select ${project}, 1024, substr('${'0'.repeat(64)}' || n, length('' || n) + 1, 64) from ${numbers(runs)}`,
    `insert into document_parts (document_id, start, text) select n, 0, '# Run ' || n || '${'\n- [x] the tests pass'.repeat(10)}' ||
        case when ${isRare} then ' ${hot.rareWord}' else '' end from ${numbers(runs)}`,
    `insert into runs (project_id, run_id, title, spec_id, status, document_id, agent, labels, location, git, links, model,
        input_tokens, output_tokens, cost_usd, started_at, ended_at, created_at, updated_at, created_by, updated_by, verdict)
      select ${project}, ${runId}, 'Run ' || n, case when n % 5 < 2 then 'HOT-' || (n % 7) else 'SPEC-' || (n * 7919 % ${specs}) end, ${status},
        n, ${agent}, '{"team":"' || ${team} || '"}', '{"host":"build-7","cwd":"/srv/shop"}',
        '{"repository":"shop","branch":"passkeys","commit":"4f2a9c1d7e8b6a5f3c2d1e0f9a8b7c6d5e4f3a2b"}', '[]', 'large-1',
        48210, 6120, 0.41, ${at}, ${at}, ${at}, ${at}, 1, 1, ${verdict} from ${numbers(runs)}`,
    `insert into run_labels (run_id, name, value, project_id, created_at) select n, 'team', ${team}, ${project}, ${at} from ${numbers(runs)}`,
    `insert into features (project_id, number, name, file, created_at, updated_at, created_by, updated_by)
      select ${project}, n, 'part ' || n, 'src/part-' || (n % 5) || '.ts', ${at}, ${at}, 1, 1 from ${numbers(features)}`,
    `insert into run_features (run_id, feature_id, created_at) select n, 1 + n % 10, ${at} from ${numbers(runs)}`,
    `insert into run_features (run_id, feature_id, created_at) select n, 11 + n % ${features - 10}, ${at} from ${numbers(runs)}`,
    `insert into events (seq, project_id, type, subject, subject_id, actor, at, changes)
      select n + (select coalesce(max(seq), 0) from events), ${project}, ${eventType}, ${runId}, n, '{"kind":"key","keyId":1,"name":"first admin"}', ${at}, ${changes} from ${numbers(runs)}`,
    `insert into specs (project_id, spec_id, title, status, checklist_total, checklist_done, created_at, updated_at, created_by, updated_by)
      select ${project}, case n when 1 then '${hot.spec}' else 'SPEC-' || n end, 'Part ' || n, case n % 5 when 0 then 'draft' else 'completed' end, 0, 0, ${at}, ${at}, 1, 1 from ${numbers(features)}`,
    `insert into checks (project_id, check_id, run_id, name, result, work_version, created_at, updated_at, created_by, updated_by)
      select 1 + (n % ${runs}) % ${projects}, 'CHECK-' || n, case n % ${runs} when 0 then ${runs} else n % ${runs} end, 'tests', ${result}, 1, ${at}, ${at}, 1, 1 from ${numbers(runs / 2)}`,
    `insert into search_entries (type, subject_id) select 'run', n from ${numbers(runs)}`,
    `insert into search_words (rowid, words) select n, ${words(tokens)} from ${numbers(runs)}`,
    `insert into search_recent (rowid, words) select n, ${words(tokens)} from ${numbers(runs)} where n > ${runs - 4096}`,
    `update search_state set last_seq = (select coalesce(max(seq), 0) from events)`,
    `insert into counters (project_id, noun, next) select n, 'run', ${runs + 1} from ${numbers(projects)}`,
    `insert into counters (project_id, noun, next) select n, 'feature', ${features + 1} from ${numbers(projects)}`,
  ]
}
