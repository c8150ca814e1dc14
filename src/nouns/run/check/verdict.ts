import { setImmediate as turn } from 'node:timers/promises'
import sql, { type Sql } from 'sql-template-tag'
import { type Ctx, personIn } from '../../../frame/ctx.ts'
import { listOf } from '../../../frame/pieces.ts'
import { actorsOf } from '../../../log/actor.ts'
import { erasedOther, erasedPerson, mayBeOneOf, personHash } from '../person.ts'
import type { Evidence } from '../verdict/evidence.ts'
import { type Judged, type Judgement, judge, type Verdict, type WorkState } from '../verdict/verdict.ts'
import { bringForward } from './earlier.ts'
import type { Check, CheckResult } from './fields.ts'

/** The fields of a run that its verdict depends on. */
export interface JudgedRun {
  id: number
  created_by: number
  creator_person: string | null
  author: string | null
  author_person: string | null
  required: string | null
  work_version: number
  git: string | null
  judged: number
  /** The stored verdict, if the caller knows it. */
  verdict?: Verdict
}

const runColumns = sql`r.id, r.created_by, r.creator_person, r.author, r.author_person, r.required, r.work_version, r.git, r.judged`

interface JudgedRow {
  id: number
  check_id: string
  run_id: number
  name: string
  result: CheckResult
  result_by: number
  result_person: string | null
  recorder: Check['recorder']
  work_version: number
  start_tree: string | null
  git_tree: string | null
  commit_tree: string | null
  git_commit: string | null
  git_dirty: number | null
  command: string | null
  pipeline: string | null
}

const columns = sql`c.id, c.check_id, c.run_id, c.name, c.result, c.result_by, c.result_person, c.recorder, c.work_version,
  c.start_tree, c.git_tree, c.commit_tree, c.git_commit, c.git_dirty, c.command, c.pipeline`

/** A check of a run, and its row. */
interface JudgedCheck extends Judged {
  id: number
  checkId: string
}

interface Writer {
  run_id: number
  actor_id: number
  person: string | null
}

/** The local user, whose person the ledger may not know. */
const localId = 0

/**
 * How the result of a check is known. A key that created the run or wrote to it is not independent of it, nor is any other
 * key of a person who did, or of the author.
 */
function evidenceOf(row: JudgedRow, run: JudgedRun, writers: readonly Writer[]): Evidence {
  if (row.recorder !== null) return 'executed'
  const { result_by: by, result_person: person } = row
  if (by === run.created_by || writers.some(({ actor_id }) => actor_id === by)) return 'self'
  if (by === localId && person === null) return 'self'
  return mayBeOneOf(person, personsOf(run, writers)) ? 'self' : 'independent'
}

/** The persons of whom a check must be independent. */
export const personsOf = (
  run: Pick<JudgedRun, 'author_person' | 'creator_person'>,
  writers: readonly { person: string | null }[],
) => [run.author_person, run.creator_person, ...writers.map(({ person }) => person)]

/** The judgement of some runs on all their checks, by the row ids of the runs. */
async function judgeAll(ctx: Ctx, runs: readonly JudgedRun[]): Promise<Map<number, Judgement<JudgedCheck>>> {
  const ids = listOf(runs.map(({ id }) => id))
  const [rows, writers] = await Promise.all([
    ctx.db.query<JudgedRow>(
      sql`select ${columns} from checks c where c.run_id in (${ids}) order by c.created_at, c.id`,
    ),
    ctx.db.query<Writer>(sql`select run_id, actor_id, person from run_writers where run_id in (${ids})`),
  ])
  const actors = await actorsOf(
    ctx,
    rows.map(({ result_by }) => result_by),
  )
  const [checksOf, writersOf] = [Map.groupBy(rows, byRun), Map.groupBy(writers, byRun)]
  return new Map(
    runs.map((run) => {
      const own = (checksOf.get(run.id) ?? []).map((row) => ({
        ...judgedOf(row, evidenceOf(row, run, writersOf.get(run.id) ?? [])),
        byName: actors.get(row.result_by)?.name ?? 'the local user',
      }))
      const work = { state: JSON.parse(run.git ?? '{}') as WorkState, version: run.work_version }
      return [run.id, judge(own, work, JSON.parse(run.required ?? 'null'))]
    }),
  )
}

const byRun = ({ run_id }: { run_id: number }) => run_id

const judgedOf = (row: JudgedRow, evidence: Evidence): Omit<JudgedCheck, 'byName'> => ({
  id: row.id,
  checkId: row.check_id,
  name: row.name,
  result: row.result,
  evidence,
  by: row.result_by,
  isPerson: row.result_person !== null,
  command: row.command,
  startTree: row.start_tree,
  tree: row.git_tree,
  commitTree: row.commit_tree,
  commit: row.git_commit,
  dirty: row.git_dirty === null ? null : row.git_dirty === 1,
  pipeline: row.pipeline === null ? null : JSON.parse(row.pipeline),
  workVersion: row.work_version,
})

/** The name of the newest check of a run that fails and counts; null if there is none. */
export async function failingCheck(ctx: Ctx, run: JudgedRun): Promise<string | null> {
  const standings = (await judgeAll(ctx, [run])).get(run.id)?.standings ?? []
  return standings.findLast(({ check, isCleared }) => check.result === 'fail' && !isCleared)?.check.name ?? null
}

export interface VerdictColumns {
  verdict: Verdict
  evidence: Evidence | null
  /** Null without checks. */
  why: string | null
  judged: number
  author_person: string | null
}

/** The verdict on a run as it now is, as seen by this transaction. The caller has locked the run. */
export const findVerdict = async (ctx: Ctx, run: JudgedRun): Promise<VerdictColumns> =>
  (await findVerdicts(ctx, [run])).get(run.id) as VerdictColumns

/** The verdicts on some runs, by their row ids. */
export async function findVerdicts(ctx: Ctx, runs: readonly JudgedRun[]): Promise<Map<number, VerdictColumns>> {
  const earlier = runs.filter(({ judged }) => judged === 0)
  if (earlier.length > 0) await bringForward(ctx, earlier)
  const known = runs.map((run) => ({ ...run, author_person: run.author_person ?? personHash(run.author) }))
  const judgements = await judgeAll(ctx, known)
  return new Map(known.map((run) => [run.id, foundOf(run, judgements.get(run.id) as Judgement<JudgedCheck>)]))
}

function foundOf(run: JudgedRun, { verdict, evidence, why, standings }: Judgement<JudgedCheck>): VerdictColumns {
  // An upgrade has changed the verdict, and nothing has since.
  const judged = run.judged > 1 && run.verdict === verdict ? run.judged : 1
  return { verdict, evidence, why: standings.length === 0 ? null : why, judged, author_person: run.author_person }
}

/** How a check stands in the verdict of its run. */
type CheckStanding = Pick<Check, 'counts' | 'current' | 'evidence' | 'replacedBy'>

/** How some checks stand, by id. `pause` lets others run in between; in a transaction, nothing may. */
export async function standingsOf(
  ctx: Ctx,
  ids: readonly number[],
  pause: () => Promise<unknown> = turn,
): Promise<Map<number, CheckStanding>> {
  if (ids.length === 0) return new Map()
  const given: Sql = sql`select g.run_id from checks g where g.id in (${listOf(ids)})`
  const runs = await ctx.db.query<JudgedRun>(sql`select ${runColumns} from runs r where r.id in (${given})`)
  if (runs.length === 0) return new Map()
  const asked = new Set(ids)
  const found = new Map<number, CheckStanding>()
  for (const [index, piece] of (await piecesByChecks(ctx, runs)).entries()) {
    // A page may be of a hundred runs, each with thousands of checks.
    if (index > 0) await pause()
    for (const { standings } of (await judgeAll(ctx, piece)).values()) {
      for (const { check, current, replacedBy } of standings) {
        if (!asked.has(check.id)) continue
        const { id, evidence } = check
        found.set(id, { counts: !replacedBy, replacedBy: replacedBy?.checkId ?? null, current, evidence })
      }
    }
  }
  return found
}

/** How many checks to judge at once, unless one run has more. */
const judgedAtOnce = 1_000

/** Divides runs into pieces that have about so many checks. */
async function piecesByChecks(ctx: Ctx, runs: readonly JudgedRun[]): Promise<JudgedRun[][]> {
  const rows = await ctx.db.query<{ run_id: number; count: number }>(sql`
    select run_id, count(*) as count from checks where run_id in (${listOf(runs.map(({ id }) => id))}) group by run_id`)
  const counts = new Map(rows.map(({ run_id, count }) => [run_id, Number(count)]))
  const pieces: JudgedRun[][] = []
  let left = 0
  for (const run of runs) {
    const count = counts.get(run.id) ?? 0
    if (count > left) {
      pieces.push([])
      left = judgedAtOnce
    }
    pieces.at(-1)?.push(run)
    left -= count
  }
  return pieces
}

/**
 * Records that the caller wrote part of a run, so their checks are not independent of it, nor are those of the person whom
 * their key names by now. A key that has named two persons may be anybody's. Returns whether this is new.
 */
export async function noteWriter(
  ctx: Ctx,
  run: Pick<JudgedRun, 'id' | 'created_by' | 'creator_person'>,
): Promise<boolean> {
  const person = personHash(personIn(ctx))
  // An erased creator may still hold the key. Nothing that they write makes somebody else's check theirs.
  const isKnown = person === null || person === run.creator_person || run.creator_person === erasedPerson
  if ((ctx.actor.id === run.created_by && isKnown) || ctx.actor.kind === 'system') return false
  const added = await ctx.db.query(sql`
    insert into run_writers (run_id, actor_id, person) values (${run.id}, ${ctx.actor.id}, ${person})
    on conflict (run_id, actor_id) do update
      set person = case when run_writers.person is null then excluded.person else ${erasedPerson} end
      where excluded.person is not null
        and (run_writers.person is null or run_writers.person not in (excluded.person, ${erasedPerson}))
    returning run_id`)
  if (added.length === 0) return false
  // Somebody who was erased may be this person.
  if (person !== null) {
    await ctx.db.query(sql`update checks set result_person = ${erasedPerson}
      where run_id = ${run.id} and result_person = ${erasedOther}`)
  }
  return true
}
