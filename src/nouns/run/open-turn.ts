import sql, { empty, join } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { only } from '../../engine/db.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { digestOf } from '../../frame/document.ts'
import { listOf } from '../../frame/pieces.ts'
import { appeared, vanished } from '../../log/event.ts'
import { record, recordAll } from '../../log/record.ts'
import { noteTexts } from './late-texts.ts'
import type { RunRow } from './row.ts'
import { turnTitle } from './turn.ts'
import type { OpenTurn, Turn, TurnFields } from './turn-fields.ts'
import { eventOf, filledOf, findOpenTurn, nextTurn, type OpenRow } from './turn-row.ts'

/** The fields with which a turn is opened. */
type Opening = Pick<TurnFields, 'prompt' | 'startedAt' | 'model'>

/**
 * Opens the next turn of a run. One that is open with the same prompt and start is not opened again. The caller has locked
 * the run. Throws CONFLICT if another turn is open or `n` is not the next.
 */
export async function insertOpenTurn(
  ctx: Ctx,
  run: RunRow,
  n: number | undefined,
  { prompt = '', startedAt, model }: Opening,
): Promise<Turn> {
  const { n: number, created_at } = await nextTurn(ctx, run, n)
  const known = await findOpenTurn(ctx, run)
  if (known) {
    if (isOpenedAs(known, { prompt, startedAt })) return known
    throw new ConductError('CONFLICT', `Run '${run.run_id}' has another open turn ${number}: close it first.`)
  }
  const id = await reserveId(ctx, run, number)
  const values = [
    ...[run.id, id, number, turnTitle(prompt || undefined), prompt || null, JSON.stringify(filledOf({ model }))],
    ...[startedAt ?? null, ctx.now, ctx.actor.id, created_at],
  ]
  await ctx.db.query(sql`
    insert into open_turns (run_id, id, n, title, prompt, facts, started_at, seen_at, created_by, created_at)
    values (${join(values)})`)
  if (run.status !== 'in_progress') await noteTexts(ctx.db, [run.id])
  const changes = appeared({ startedAt, model, prompt: digestOf(prompt) })
  await record(ctx, eventOf(ctx, 'opened', run.run_id, { id, n: number }, changes))
  return (await findOpenTurn(ctx, run)) as Turn
}

/** Whether a stored turn began like this. One with erased texts can no longer be compared. */
export const isOpenedAs = (known: Turn, { prompt, startedAt }: Opening): boolean =>
  known.erasedAt !== undefined || (known.prompt === (prompt || undefined) && known.startedAt === startedAt)

/** The id that a turn keeps once it is closed. A deleted row leaves its id unused. */
async function reserveId(ctx: Ctx, run: RunRow, n: number): Promise<number> {
  const rows = await ctx.db.query<{ id: number }>(sql`
    insert into turns (project_id, run_id, n, facts, created_by, created_at)
    values (${ctx.project.id}, ${run.id}, ${n}, '{}', ${ctx.actor.id}, ${ctx.now}) returning id`)
  const { id } = only(rows)
  await ctx.db.query(sql`delete from turns where id = ${id}`)
  return id
}

/** Replaces the report of the open turn. A turn that is not open, because it was closed meanwhile, stays as it is. */
export async function showOpenTurn(ctx: Ctx, run: RunRow, { n, ...facts }: OpenTurn): Promise<void> {
  await ctx.db.query(sql`
    update open_turns set facts = ${JSON.stringify(filledOf(facts))}, seen_at = ${ctx.now}
    where run_id = ${run.id} ${n === undefined ? empty : sql`and n = ${n}`}`)
  if (run.status !== 'in_progress') await noteTexts(ctx.db, [run.id])
}

/** Closes the open turn of a run. Returns its id, and when it was opened; undefined if that turn is not open. */
export async function takeOpenTurn(ctx: Ctx, run: Pick<RunRow, 'id'>, n: number) {
  const rows = await ctx.db.query<Pick<OpenRow, 'id' | 'created_at'>>(
    sql`delete from open_turns where run_id = ${run.id} and n = ${n} returning id, created_at`,
  )
  return rows[0]
}

/** Deletes the open turns of runs, with an event for each. The caller has locked the runs. */
export async function deleteOpenTurns(ctx: Ctx, runs: Pick<RunRow, 'id' | 'run_id'>[]): Promise<void> {
  const runIds = new Map(runs.map(({ id, run_id }) => [id, run_id]))
  const gone = await ctx.db.query<
    Pick<OpenRow, 'id' | 'n' | 'prompt' | 'started_at' | 'erased_at'> & { run: number }
  >(sql`
    delete from open_turns where run_id in (${listOf([...runIds.keys()])})
    returning run_id as run, id, n, prompt, started_at, erased_at`)
  const events = gone.map(({ run, prompt, started_at: startedAt, erased_at, ...turn }) => {
    // The digest of an erased prompt is only in the event that opened the turn.
    const changes = vanished({ startedAt, prompt: erased_at === null ? digestOf(prompt ?? '') : null })
    return eventOf(ctx, 'deleted', runIds.get(run) as string, turn, changes)
  })
  await recordAll(ctx, events)
}
