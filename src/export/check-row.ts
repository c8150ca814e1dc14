import { ConductError } from '../contract/error.ts'
import { permissions } from '../contract/secret.ts'
import { UniqueViolation } from '../engine/db.ts'
import { reasons, states } from '../nouns/run/attention/rule.ts'
import { checkResult } from '../nouns/run/check/fields.ts'
import { statuses, verdicts } from '../nouns/run/state.ts'
import { webhookFormat } from '../nouns/webhook/fields.ts'
import type { ExportLine, ExportRow, Value } from './lines.ts'

/** Ids leave room for as many after them, and are exact in JSON. */
const mostId = 2 ** 52
/** Numbers that need not be whole. */
const reals = new Set(['cost_usd'])
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

type Kind = 'object' | 'array'

/** Columns with JSON, by table. */
const json: Record<string, Record<string, Kind>> = {
  projects: { retention: 'object' },
  runs: {
    ...{ labels: 'object', links: 'array', location: 'object', git: 'object', changes: 'object', failure: 'object' },
    ...{ activity: 'object', required: 'array' },
  },
  turns: { facts: 'object' },
  turn_diffs: { facts: 'object', whole_facts: 'object' },
  checks: { pipeline: 'object' },
  webhooks: { types: 'array' },
}

/** Columns with one of a few values, by table. */
const oneOf: Record<string, Record<string, readonly Value[]>> = {
  runs: { status: statuses, verdict: verdicts },
  checks: { result: checkResult.options },
  attention: { reason: reasons, state: states },
  actors: { kind: ['key', 'local', 'system'] },
  webhooks: { format: webhookFormat.options },
  events: { is_append: [0, 1], imported: [0, 1] },
}

/** Throws BAD_REQUEST, with the line and the column, for a row that no call can make. */
export function requirePossible(table: string, row: ExportRow, line: number): void {
  for (const [column, value] of Object.entries(row)) {
    const rule = value === null ? undefined : brokenRule(table, column, value)
    if (rule) {
      const shown = JSON.stringify(value).slice(0, 100)
      throw new ConductError('BAD_REQUEST', `Line ${line}: ${column} of ${table} must be ${rule}, not ${shown}.`)
    }
  }
}

function brokenRule(table: string, column: string, value: Value): string | undefined {
  if (typeof value === 'number' && !isPossible(column, value)) return `a whole number up to ${mostId}`
  if (/_(?:at|until)$/.test(column) && !isTime(value)) return 'a time such as 2026-01-31T09:30:00.000Z'
  const kind = json[table]?.[column]
  if (kind && !isJson(value, kind)) return `a JSON ${kind}`
  const values = oneOf[table]?.[column]
  if (values && !values.includes(value)) return `one of ${values.join(', ')}`
  if (table === 'keys' && column === 'permissions' && !areKnown(value)) return `some of ${permissions.join(', ')}`
  return undefined
}

const isPossible = (column: string, value: number) =>
  reals.has(column) ? Number.isFinite(value) : Number.isInteger(value) && Math.abs(value) <= mostId

const isTime = (value: Value) => typeof value === 'string' && timeForm.test(value) && !Number.isNaN(Date.parse(value))

function isJson(value: Value, kind: Kind): boolean {
  try {
    const parsed: unknown = JSON.parse(String(value))
    return typeof parsed === 'object' && parsed !== null && Array.isArray(parsed) === (kind === 'array')
  } catch {
    return false
  }
}

const areKnown = (value: Value) =>
  String(value)
    .split(' ')
    .every((one) => (permissions as readonly string[]).includes(one))

/** Whether the engine refused a row for what it says: a second row with its key, a missing one that it refers to, a type. */
export function isRowFault(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  if (error instanceof UniqueViolation) return true
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  // PostgreSQL's classes of data exceptions and violated constraints, and SQLite's.
  if (typeof code === 'string' && /^(?:2[23]...|42703|42804)$/.test(code)) return true
  return [19, 20].includes(Number(errcode) & 0xff) || /has no column named/.test(error.message)
}

/** How far the clock of the exporting server may be ahead, in milliseconds. */
const aheadMs = 5 * 60_000

/** What happened, rather than what is planned. */
const isPast = (column: string) => (column === 'at' || column.endsWith('_at')) && !/expires_at$|^next_/.test(column)

/** Throws BAD_REQUEST for a line with a time more than five minutes after `now` (Unix milliseconds). */
export function requirePastTimes(lines: readonly ExportLine[], now: number): void {
  const latest = new Date(now + aheadMs).toISOString()
  for (const { number, content } of lines) {
    if (!('table' in content)) continue
    for (const [column, value] of Object.entries(content.row)) {
      if (typeof value !== 'string' || value <= latest || !isPast(column)) continue
      throw new ConductError(
        'BAD_REQUEST',
        `Line ${number}: '${column}' in '${content.table}' is ${value}, and it is ${new Date(now).toISOString()}: correct the clock, or add --accept-future to import times from a ledger whose clock was wrong.`,
      )
    }
  }
}
