import sql from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'
import { type Clock, type ClockOptions, createClock } from '../frame/clock.ts'
import { type LogTimes, startOf } from '../frame/clock-start.ts'
import { numberEvents } from './number.ts'

/** How many events show whether a clock was wrong. */
const looked = 1_000

/** The clock of a ledger, which continues from its log ([ADR 22](../../docs/adr/0022-the-clock-may-be-wrong.md)). */
export async function openClock(db: Tx, options: ClockOptions = {}): Promise<Clock> {
  const { wall = db.now } = options
  return createClock({ ...options, wall, ...startOf(await readTimes(db), wall()) })
}

async function readTimes(db: Tx): Promise<LogTimes> {
  await numberEvents(db)
  const [newest, first] = await Promise.all([
    db.query<{ at: string }>(sql`select at from events order by seq desc limit ${looked}`),
    db.query<{ at: string }>(sql`select at from events order by seq limit 1`),
  ])
  const [oldest] = first
  return { newest: newest.map(({ at }) => Date.parse(at)), first: oldest && Date.parse(oldest.at) }
}
