import sql, { empty, join, type Sql } from 'sql-template-tag'
import { ConductError, invalid } from '../../contract/error.ts'
import type { InputOf } from '../../contract/route.ts'
import { type Ctx, inTx, type Operation } from '../../frame/ctx.ts'
import { deleteDocuments, digestOf, findDigests, insertDocument } from '../../frame/document.ts'
import { countWithin, readPage } from '../../frame/page.ts'
import { listOf, piecesOf } from '../../frame/pieces.ts'
import { appeared, vanished } from '../../log/event.ts'
import { record, recordAll } from '../../log/record.ts'
import { titleOf } from '../../text/title.ts'
import { activityAfter } from './activity.ts'
import { appendChapter } from './content.ts'
import { deleteDiffTexts } from './diff/add.ts'
import { keepFiles } from './file.ts'
import { insertOpenTurn, isOpenedAs, takeOpenTurn } from './open-turn.ts'
import { activityIn, type RunRow, requireRun } from './row.ts'
import { saveRun } from './save.ts'
import { type RunState, requirePast } from './state.ts'
import { leaseAfter, openRun } from './take-lease.ts'
import { addGit, addUncredited, addUsage, markdownOf, turnTitle } from './turn.ts'
import { openingFields, type Turn, type TurnFields } from './turn-fields.ts'
import {
  eventOf,
  filledOf,
  findOpenTurn,
  findTurn,
  type NextTurn,
  nextTurn,
  type TurnRow,
  turnsWith,
} from './turn-row.ts'
import { outdatesChecks } from './turn-writes.ts'
import type { RunWorkRoutes } from './work-routes.ts'

/**
 * Adds a turn to a run and updates the run, in one transaction. A turn that already exists under its `n` with the same
 * fields is not added again. With `open`, only opens the turn; adding it then closes it. Throws CONFLICT if another turn has
 * that `n`, or it is not the next one; LEASE_HELD; LEASE_LOST; FORBIDDEN for an agent key on another's run;
 * VALIDATION_ERROR for an end before the start, for a time in the future, and for what an opened turn cannot have;
 * NOT_FOUND.
 */
export const appendTurn: Operation<RunWorkRoutes['appendTurn']> = async (ctx, { open, ...input }) => {
  if (open) return openTurn(ctx, input)
  const { runId, n, leaseToken, ...fields } = input
  if (fields.startedAt && fields.endedAt && fields.endedAt < fields.startedAt) {
    throw invalid('endedAt', `must not be before startedAt (${fields.startedAt}), but is ${fields.endedAt}`)
  }
  requirePast(fields, ctx.now)
  return inTx(ctx, async (ctx) => {
    const opened = await openRun(ctx, runId, leaseToken)
    const { row, base } = opened
    const known = n === undefined ? undefined : await findTurn(ctx, row, n)
    // A turn with erased texts can no longer be compared.
    if (known && known.erasedAt === undefined && !isSame(known, fields)) throw takenBy(known)
    const { columns: lease } = leaseAfter(ctx, opened, base, undefined, leaseToken)
    if (known) {
      await saveRun(ctx, { ...opened, after: base, lease })
      return { turn: known }
    }
    const next = await nextTurn(ctx, row, n)
    const begun = await takeOpenTurn(ctx, row, next.n)
    const turn = await insertTurn(ctx, row, next, fields, begun?.id)
    const begunAt = begun?.created_at ?? turn.startedAt
    const isTouched = await outdatesChecks(ctx, row, { isRecorder: opened.isRecorder, turn, begunAt })
    await saveRun(ctx, {
      ...opened,
      lease,
      isAppend: true,
      turn,
      isTouched,
      ...(await meaningOf(ctx, row, base, turn)),
    })
    return { turn }
  })
}

/** Opens a turn, and the run is working on it. One that is closed by now stays as it is. */
function openTurn(
  ctx: Ctx,
  { runId, n, leaseToken, ...fields }: Omit<InputOf<RunWorkRoutes['appendTurn']>, 'open'>,
): Promise<{ turn: Turn }> {
  const [late] = Object.keys(filledOf(fields)).filter((field) => !openingFields.some((one) => one === field))
  if (late !== undefined) throw invalid(late, `cannot be given with open, which takes only ${openingFields.join(', ')}`)
  requirePast(fields, ctx.now)
  return inTx(ctx, async (ctx) => {
    const opened = await openRun(ctx, runId, leaseToken)
    const { row, base } = opened
    const closed = n === undefined ? undefined : await findTurn(ctx, row, n)
    if (closed && !isOpenedAs(closed, fields)) throw takenBy(closed)
    const turn = closed ?? (await insertOpenTurn(ctx, row, n, fields))
    const { columns: lease } = leaseAfter(ctx, opened, base, undefined, leaseToken)
    const activity = closed
      ? undefined
      : activityAfter(activityIn(row), { state: 'working', since: fields.startedAt }, ctx.now)
    await saveRun(ctx, { ...opened, after: base, lease, activity, isWrite: !closed })
    return { turn }
  })
}

const takenBy = ({ runId, n }: Turn) =>
  new ConductError('CONFLICT', `Run '${runId}' has another turn ${n}: read it, and send yours as the next.`)

/** Whether a stored turn has exactly these fields. */
function isSame(known: Turn, fields: TurnFields): boolean {
  const { id: _id, project: _project, runId: _runId, n: _n, createdBy: _by, createdAt: _at, ...stored } = known
  return JSON.stringify(sorted(stored)) === JSON.stringify(sorted(filledOf(fields)))
}

const sorted = (value: object) => Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))

async function insertTurn(
  ctx: Ctx,
  run: RunRow,
  { n, created_at }: NextTurn,
  fields: TurnFields,
  opened?: number,
): Promise<Turn> {
  const { prompt = '', answer = '', ...facts } = filledOf(fields)
  const digests = { prompt: digestOf(prompt), answer: digestOf(answer) }
  const values = [
    ...(opened === undefined ? [] : [opened]),
    ctx.project.id,
    run.id,
    n,
    turnTitle(prompt || undefined),
    await insertDocument(ctx, prompt, digests.prompt),
    await insertDocument(ctx, answer, digests.answer),
    JSON.stringify(facts),
    ctx.actor.id,
    created_at,
  ]
  const [itsId, own] = opened === undefined ? [empty, empty] : [sql`id,`, ctx.db.dialect.ownIds]
  const [row] = await ctx.db.query<{ id: number }>(sql`
    insert into turns (${itsId} project_id, run_id, n, title, prompt_id, answer_id, facts, created_by, created_at)
    ${own} values (${join(values)}) returning id`)
  const { id } = row as { id: number }
  await record(ctx, eventOf(ctx, 'created', run.run_id, { id, n }, appeared({ ...facts, ...digests })))
  return (await findTurn(ctx, run, n)) as Turn
}

/** How a new turn changes its run: usage, changes, git state and content, and it is idle now. */
async function meaningOf(ctx: Ctx, row: RunRow, base: RunState, turn: Turn) {
  const markdown = markdownOf(turn)
  const listed = turn.files || turn.restored ? await keepFiles(ctx, row, turn, base.changes) : base.changes
  const credited = turn.changes ?? listed
  const after: RunState = {
    ...base,
    title: base.title ?? titleOf(turn.prompt ?? markdown),
    usage: addUsage(base.usage, turn.usage),
    git: addGit(base.git, turn.git),
    changes: addUncredited(credited, base.changes?.uncredited, turn.uncredited),
  }
  const content = await appendChapter(ctx, row.document_id, markdown)
  const activity = activityAfter(activityIn(row), { state: 'idle', since: turn.endedAt }, ctx.now)
  return { after, content, activity }
}

/** The turns of a run, as getRun shows them. `newest` is the number of the last closed turn; null if there is none. */
export async function turnsIn(ctx: Ctx, run: RunRow, newest: number | null, isOpen: boolean) {
  const last = newest === null ? undefined : await findTurn(ctx, run, newest)
  const open = isOpen ? await findOpenTurn(ctx, run) : undefined
  return { count: newest ?? 0, ...(last && { last }), ...(open && { open }) }
}

/** Throws NOT_FOUND if the project has no such run; BAD_REQUEST for a cursor of another order. */
export const listTurns: Operation<RunWorkRoutes['listTurns']> = async (ctx, { runId, ...page }) => {
  const run = await requireRun(ctx, runId)
  const walkOf = (from: Sql) => ({
    ...{ from, where: [sql`turns.run_id = ${run.id}`] },
    ...{ createdAt: 'turns.created_at', id: 'turns.id' },
  })
  const { rows, meta } = await readPage<Weight>(ctx.db, weight, [walkOf(sql`turns`), walkOf(openTurns)], page)
  const turns = new Map<number, Turn>()
  for (const ids of piecesOf(rows.map(({ id }) => id))) {
    for (const [id, turn] of await turnsWith(ctx, runId, listOf(ids))) turns.set(id, turn)
  }
  return { turns: rows.flatMap(({ id }) => turns.get(id) ?? []), meta }
}

type Weight = Pick<TurnRow, 'id' | 'created_at'> & { bytes: number }

/** The place of a turn in a list, and its size without reading it. */
const weight = sql`turns.id, turns.created_at, octet_length(turns.facts) +
  (select cast(coalesce(sum(d.bytes), 0) as integer) from documents d where d.id in (turns.prompt_id, turns.answer_id)) as bytes`

/** Open turns with the columns of others. */
const openTurns = sql`(select id, run_id, created_at, facts || coalesce(prompt, '') as facts,
  cast(null as bigint) as prompt_id, cast(null as bigint) as answer_id from open_turns) as turns`

/** Throws NOT_FOUND if there is no such run or turn. */
export const getTurn: Operation<RunWorkRoutes['getTurn']> = async (ctx, { runId, n }) => {
  const run = await requireRun(ctx, runId)
  const closed = await findTurn(ctx, run, n)
  const turn = closed ?? (await findOpenTurn(ctx, run))
  if (turn?.n === n) return { turn }
  throw new ConductError('NOT_FOUND', `Run '${runId}' has no turn ${n}.`)
}

/** Deletes turns of these runs, with an event for each. The caller has locked the runs. */
export async function deleteTurns(ctx: Ctx, runs: Pick<RunRow, 'id' | 'run_id'>[], ids: number[]): Promise<void> {
  if (ids.length === 0) return
  const runIds = new Map(runs.map(({ id, run_id }) => [id, run_id]))
  const rows = await ctx.db.query<
    Pick<TurnRow, 'id' | 'n' | 'prompt_id' | 'answer_id' | 'facts'> & { run: number }
  >(sql`
    select id, run_id as run, n, prompt_id, answer_id, facts from turns where id in (${listOf(ids)})
    order by run_id, n ${ctx.db.dialect.forUpdate}`)
  const documents = rows.flatMap(({ prompt_id, answer_id }) => [prompt_id, answer_id])
  const digests = await findDigests(ctx, documents)
  await deleteDiffTexts(ctx, ids)
  await ctx.db.query(sql`delete from turns where id in (${listOf(ids)})`)
  await deleteDocuments(ctx, documents)
  const events = rows.map(({ run, prompt_id, answer_id, facts, ...turn }) => {
    const gone = { ...JSON.parse(facts), prompt: digests.get(prompt_id), answer: digests.get(answer_id) }
    return eventOf(ctx, 'deleted', runIds.get(run) as string, turn, vanished(gone))
  })
  await recordAll(ctx, events)
}

/** How many bytes of facts a timeline reads for the little that it shows of them. */
const timelineBytes = 4_000_000

/** The newest turns of a run, newest first, as its timeline shows them: at most `limit`, fewer if they are large. */
export async function turnsOfRun(ctx: Ctx, runRow: number, limit: number) {
  const sizes = await ctx.db.query<{ bytes: number }>(sql`
    select octet_length(facts) as bytes from turns where run_id = ${runRow} order by n desc limit ${limit}`)
  const within = countWithin(sizes, ({ bytes }) => bytes, timelineBytes)
  const rows = await ctx.db.query<{ n: number; title: string | null; facts: string; created_at: string }>(sql`
    select n, title, facts, created_at from turns where run_id = ${runRow} order by n desc limit ${within}`)
  return rows.map(({ n, title, facts, created_at: at }) => {
    const { startedAt, endedAt, model, failure, interrupted } = JSON.parse(facts) as TurnFields
    return { at, turn: { n, title, startedAt, endedAt, model, failure, interrupted } }
  })
}
