import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import sql, { raw } from 'sql-template-tag'
import { pathsFinding } from '../../src/contract/file-path.ts'
import type { Db } from '../../src/engine/db.ts'
import { systemCtx } from '../../src/frame/ctx.ts'
import { isErasedName } from '../../src/log/event.ts'
import { findVerdict, type JudgedRun } from '../../src/nouns/run/check/verdict.ts'
import { usageOf } from '../../src/nouns/run/fields.ts'
import { commitsOf, hrefKeysOf } from '../../src/nouns/run/found-by.ts'
import { readModels, rowsOf, scanTurns } from '../../src/nouns/run/model/keep.ts'
import { columns, type RunRow } from '../../src/nouns/run/row.ts'
import { sentenceOfNothing } from '../../src/nouns/run/verdict/sentence.ts'
import { type Event, type Noun, type Row, type Tables, told } from './replayed.ts'

const live = 'select id from projects where deleted_at is null'
const owners = `select document_id as id from runs union all select document_id from checks
  union all select prompt_id from turns union all select answer_id from turns
  union all select document_id from turn_diffs union all select whole_document_id from turn_diffs
  union all select document_id from (select distinct spec_id, document_id from spec_versions) as v`

/** The totals of specs as they are stored, or as a scan gives them. */
const totals = (table: string, sums: string[]) =>
  `select project_id, spec_id, status, verdict, ${sums
    .map((sum, n) => `cast(${sum} as double precision) as s${n}`)
    .join(
      ', ',
    )} from ${table} where spec_id is not null and project_id in (${live}) group by project_id, spec_id, status, verdict`
const tokens = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens']
const storedTotals = totals(
  'spec_totals',
  ['runs', 'attempts', ...tokens, 'cost_usd', 'costed'].map((name) => `sum(${name})`),
)
const scannedTotals = totals('runs', [
  ...['count(*)', 'count(retry_of)'],
  ...[...tokens, 'cost_usd'].map((name) => `coalesce(sum(${name}), 0)`),
  'count(cost_usd)',
])
const storedLinks = `select feature_id, cast(sum(runs) as double precision) as runs, sum(cost_usd) as cost,
  cast(sum(costed) as double precision) as costed from feature_totals
  where feature_id in (select id from features where project_id in (${live})) group by feature_id`
const scannedLinks = `select l.feature_id, cast(count(*) as double precision) as runs, coalesce(sum(r.cost_usd), 0) as cost,
  cast(count(r.cost_usd) as double precision) as costed from run_features l join runs r on r.id = l.run_id
  where r.project_id in (${live}) group by l.feature_id`
const isNothing = (sums: string) => `where not (${sums})`

/** Statements that return rows only if something is wrong. */
const faults: Record<string, string> = {
  'a document without a row': `select id from documents where project_id in (${live})
    and id not in (select id from (${owners}) as o where id is not null)`,
  'a document of two rows': `select id from (${owners}) as o where id is not null group by id having count(*) > 1`,
  'a row without its document': `select id from (${owners}) as o where id is not null and id not in (select id from documents)`,
  'a document of another size': `select d.id, d.bytes from documents d left join document_parts p on p.document_id = d.id
    group by d.id, d.bytes having coalesce(sum(case when p.dropped > 0 then p.dropped else octet_length(p.text) end), 0) <> d.bytes`,
  'a spec without its version': `select s.spec_id from specs s where s.project_id in (${live}) and not exists (select 1 from spec_versions v
    where v.spec_id = s.id and v.version = s.version and coalesce(v.document_id, 0) = coalesce(s.document_id, 0))`,
  'a spec with a gap in its versions': `select spec_id from spec_versions group by spec_id having count(*) <> max(version) - min(version) + 1`,
  'a run with a gap in its turns': 'select run_id from turns group by run_id having count(*) <> max(n)',
  'an attempt with a wrong number':
    'select r.run_id from runs r join runs o on o.id = r.retry_of where r.attempt <> o.attempt + 1',
  'a lease of a run that has ended': `select run_id from runs where lease_expires_at is not null and status <> 'in_progress'`,
  'an activity of a run that has ended': `select run_id from runs where activity is not null and status <> 'in_progress'`,
  'totals of a deleted feature':
    'select feature_id from feature_totals where feature_id not in (select id from features)',
  'a key of a deleted project': `select id from keys where revoked_at is null and project_id not in (${live})`,
  'a webhook of a deleted project': `select id from webhooks where project_id not in (${live})`,
  'a claimed Idempotency-Key without a response': 'select name from idempotency_keys where answer is null',
  'a spec without grams': `select id from specs where project_id in (${live}) and id not in (select rowid from spec_grams)`,
  'grams without a spec': 'select rowid from spec_grams where rowid not in (select id from specs)',
  'a feature without grams': `select id from features where project_id in (${live}) and id not in (select rowid from feature_grams)`,
  'grams without a feature': 'select rowid from feature_grams where rowid not in (select id from features)',
  'a counter behind the features': `select f.project_id from features f where f.number >= (select c.next from counters c
    where c.project_id = f.project_id and c.noun = 'feature') and f.project_id in (${live})`,
  'a gap in the log': 'select count(*) as count, max(seq) as last from events having count(*) <> max(seq)',
  'a run on the list of those that need attention that needs none, or for another reason': `select a.run_id from attention a
    join runs r on r.id = a.run_id where case when r.status = 'failed' then 'failed' when r.verdict = 'failing' and r.judged < 2
      then 'failing' else '' end <> case when a.reason = 'vanished' then 'failed' else a.reason end`,
  'attention for another task than that of the run': `select a.run_id from attention a join runs r on r.id = a.run_id
    where a.project_id <> r.project_id or coalesce(a.spec_id, '') <> coalesce(r.spec_id, '')
      or coalesce(a.branch, '') <> coalesce(r.branch, '') or coalesce(a.author_person, '') <> coalesce(r.author_person, '')`,
  'a decision that contradicts itself': `select run_id from attention where state <> case when resolved_at is not null
    then 'resolved' when put_off_until is not null then 'put-off' else 'open' end
    or (resolved_at is null) <> (resolved_by is null) or (assignee is null) <> (assignee_person is null)`,
  'a session of a deleted run': 'select id from hook_sessions where run_row not in (select id from runs)',
  'totals of specs that a scan does not give': `select * from (${storedTotals}) as t
    ${isNothing('s0 = 0 and s1 = 0 and s2 = 0 and s3 = 0 and s4 = 0 and s5 = 0 and s6 = 0 and s7 = 0')} except ${scannedTotals}`,
  'totals of specs that are missing': `${scannedTotals} except ${storedTotals}`,
  'totals of features that a scan does not give': `select * from (${storedLinks}) as t
    ${isNothing('runs = 0 and cost = 0 and costed = 0')} except ${scannedLinks}`,
  'totals of features that are missing': `${scannedLinks} except ${storedLinks}`,
}

/** Asserts that everything that Conduct derives and refers to fits together. */
export async function requireWhole(db: Db): Promise<void> {
  for (const [what, statement] of Object.entries(faults))
    assert.deepEqual(await db.query(sql`${raw(statement)}`), [], what)
  await requireFinders(db)
  await requireModels(db)
  await requireVerdicts(db)
}

interface FoundRun {
  id: number
  run_id: string
  git: string | null
  links: string
  labels: string
}

const runsOf = (db: Db) =>
  db.query<FoundRun>(sql`select id, run_id, git, links, labels from runs
    where project_id in (${raw(live)}) order by id`)

async function requireFinders(db: Db): Promise<void> {
  const valuesIn = async (table: string, value: string) => {
    const rows = await db.query<{ run: number; value: string }>(
      sql`select run_id as run, ${raw(value)} as value from ${raw(table)}`,
    )
    return Map.groupBy(rows, ({ run }) => run)
  }
  const labels = await valuesIn('run_labels', `name || '=' || value`)
  const commits = await valuesIn('run_commits', 'commit_id')
  const links = await valuesIn('run_links', 'href_key')
  const paths = await valuesIn('run_paths', 'path')
  const files = await valuesIn('run_files', 'path')
  for (const { id, run_id, ...run } of await runsOf(db)) {
    const stored = [labels, commits, links, paths].map((table) =>
      (table.get(id) ?? []).map(({ value }) => value).sort(),
    )
    const expected = [
      Object.entries(JSON.parse(run.labels)).map(([name, value]) => `${name}=${value}`),
      commitsOf({ git: JSON.parse(run.git ?? 'null') }),
      hrefKeysOf({ links: JSON.parse(run.links) }),
      [...new Set((files.get(id) ?? []).flatMap(({ value }) => (isErasedName(value) ? [] : pathsFinding(value))))],
    ]
    assert.deepEqual(
      stored,
      expected.map((values) => values.sort()),
      `what finds ${run_id}`,
    )
  }
}

/** Asserts that each run has the models of its usage and of all of its turns, each with its share. */
export async function requireModels(db: Db): Promise<void> {
  const runs = await db.query<RunRow>(sql`select ${columns} from runs where project_id in (${raw(live)}) order by id`)
  for (const run of runs) {
    const told = (await scanTurns(db, [run.id])).get(run.id) ?? new Map()
    const expected = rowsOf(run.id, usageOf(run), told)
    const byName = (rows: typeof expected) => rows.toSorted((a, b) => (a.model < b.model ? -1 : 1))
    assert.deepEqual(byName(await readModels(db, [run.id])), byName(expected), `the models of ${run.run_id}`)
  }
}

/** Asserts that each stored verdict is the one that the run and its checks give, and that each check stands as it says. */
async function requireVerdicts(db: Db): Promise<void> {
  const runs = await db.query<
    JudgedRun & { run_id: string; verdict: string; evidence: string | null; why: string | null }
  >(
    sql`select id, run_id, created_by, creator_person, author, author_person, required, work_version, git, judged, verdict,
      evidence, why from runs where project_id in (${raw(live)}) order by id`,
  )
  await db.tx(async (tx) => {
    for (const { run_id, verdict, evidence, why, ...run } of runs) {
      assert.notEqual(run.judged, 0, `${run_id} is judged by today's rule`)
      const found = await findVerdict(systemCtx(tx, new Date().toISOString()), run)
      const expected = { verdict: found.verdict, evidence: found.evidence, why: why === '[erased]' ? why : found.why }
      assert.deepEqual({ verdict, evidence, why }, expected, `the verdict on ${run_id}`)
    }
  })
}

/**
 * Asserts that the rows from the log are those of the tables. Of a row that was written during an erasure, the log may
 * have lost a text that the table still has, but not the other way round.
 */
export function requireReplayed(replayed: Tables, tables: Tables): void {
  for (const [noun, rows] of Object.entries(replayed)) {
    for (const [subject, row] of Object.entries(rows)) {
      for (const [field, value] of Object.entries(row)) {
        const now = tables[noun as Noun][subject]?.[field]
        if (isHidden(value) || (field.startsWith('diff') && isWithin(value, now))) row[field] = now
      }
    }
  }
  assert.deepEqual(replayed, tables)
}

/** Whether a list is a part of another: a diff whose path is erased is in neither that the log and the tables give. */
function isWithin(value: unknown, others: unknown): boolean {
  const known = new Set((others as unknown[] | undefined)?.map((one) => JSON.stringify(one)))
  return (value as unknown[]).every((one) => known.has(JSON.stringify(one)))
}

/** Whether a text of a value is erased. */
const isHidden = (value: unknown) => JSON.stringify(value ?? null).includes('[erased]')

/** Deliveries move webhooks without an event. */
const untold = ['after']

/** Asserts that each change in the log begins where the one before it ended. */
export function requireChain(log: Event[]): void {
  const rows = new Map<string, Row | 'deleted'>()
  const open = new Set<number>()
  for (const { seq, type, subject, subjectId, changes } of log) {
    if (type === 'erasure.created') continue
    // A turn in progress is no row yet.
    if (type === 'turn.opened') open.add(subjectId)
    if (type === 'turn.opened' || (type === 'turn.deleted' && open.delete(subjectId))) continue
    if (type === 'turn.created') open.delete(subjectId)
    const [noun, what] = type.split('.') as [Noun, string]
    const at = `event ${seq}, ${type} of ${subject}`
    const before = rows.get(`${noun} ${subjectId}`)
    assert.ok(
      before !== 'deleted' && (before === undefined) === (what === 'created'),
      `${at} does not fit what was there`,
    )
    const row = before ?? (noun === 'run' ? { why: sentenceOfNothing((changes.required?.[1] ?? []) as string[]) } : {})
    for (const [field, change] of Object.entries(changes)) {
      if (field === 'features') moveFeatures(row, change, at)
      else if (field === 'diffs') row.diffs = [...((row.diffs as unknown[]) ?? []), ...(change[1] as unknown[])]
      else if (!untold.includes(field)) {
        const [from, to] = change.map((value) => comparable(noun, field, value))
        const stood = row[field] ?? comparable(noun, field, null)
        assert.ok(
          isHidden(from) || isHidden(stood) || isDeepStrictEqual(from, stood),
          `${at}: ${field} was ${JSON.stringify(stood)}, not ${JSON.stringify(from)}`,
        )
        row[field] = to
      }
    }
    // A run that was mended may need attention again.
    if (what === 'cleared') rows.delete(`${noun} ${subjectId}`)
    else rows.set(`${noun} ${subjectId}`, what === 'deleted' ? 'deleted' : row)
  }
}

function moveFeatures(row: Row, [gone, added]: [unknown, unknown], at: string): void {
  const linked = new Set(row.features as number[] | undefined)
  for (const number of (gone ?? []) as number[])
    assert.ok(linked.delete(number), `${at}: feature ${number} was not linked`)
  for (const number of (added ?? []) as number[]) {
    assert.ok(!linked.has(number), `${at}: feature ${number} was linked`)
    linked.add(number)
  }
  row.features = [...linked]
}

/** A value of the log as the next event about it has it. The log has sizes of contents, and no renewals of leases. */
function comparable(noun: Noun, field: string, value: unknown): unknown {
  if (field === 'leaseExpiresAt') return value !== null
  if (value instanceof Object && 'bytes' in value) return value.bytes
  return value ?? told[noun][field] ?? null
}
