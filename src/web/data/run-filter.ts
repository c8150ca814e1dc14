import type { Input } from '../../client/client.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { statusLooks, verdictLooks } from '../ui/status.tsx'
import { isCommit } from './runs/forge.ts'

/** The filters of a list of runs, as in the address of the page. */
export type RunFilter = Omit<Input<'listRuns'>, 'limit' | 'cursor'>

const isStatus = (value: string): value is Run['status'] => Object.hasOwn(statusLooks, value)
const isVerdict = (value: string): value is Run['verdict'] => Object.hasOwn(verdictLooks, value)

const isNumber = (value: string) => /^[1-9]\d{0,9}$/.test(value)
const isLabel = (value: string) => /^[^:]+:/.test(value)

/** The filters in an address. Days begin at the viewer's midnight. */
export function runFilterOf(query: URLSearchParams): RunFilter {
  const text = (name: string) => query.get(name) || undefined
  const number = (name: string) => (isNumber(query.get(name) ?? '') ? Number(query.get(name)) : undefined)
  const some = <T>(values: T[]) => (values.length > 0 ? values : undefined)
  return {
    project: some(query.getAll('project')),
    status: some(query.getAll('status').filter(isStatus)),
    verdict: some(query.getAll('verdict').filter(isVerdict)),
    agent: text('agent'),
    author: text('author'),
    branch: text('branch'),
    commit: isCommit(text('commit')) ? text('commit') : undefined,
    session: text('session'),
    specId: text('specId'),
    specVersion: number('specVersion'),
    label: isLabel(text('label') ?? '') ? text('label') : undefined,
    featureId: number('featureId'),
    createdAfter: midnight(text('createdAfter')),
    createdBefore: midnight(text('createdBefore')),
    order: query.get('order') === 'asc' ? 'asc' : undefined,
  }
}

/** Explains each filter of an address that cannot match any run. */
export function mistakesIn(query: URLSearchParams): string[] {
  const wrong = (name: string, isRight: (value: string) => boolean, right: string) =>
    query
      .getAll(name)
      .filter((value) => value !== '' && !isRight(value))
      .map((value) => `${name} '${value}' was ignored: it must be ${right}.`)
  const isDay = (value: string) => midnight(value) !== undefined
  return [
    ...wrong('status', isStatus, `one of ${Object.keys(statusLooks).join(', ')}`),
    ...wrong('verdict', isVerdict, `one of ${Object.keys(verdictLooks).join(', ')}`),
    ...['specVersion', 'featureId'].flatMap((name) => wrong(name, isNumber, 'a whole number from 1 on')),
    ...wrong('label', isLabel, 'name:value'),
    ...wrong('commit', isCommit, '7 to 64 of 0-9 a-f'),
    ...['createdAfter', 'createdBefore'].flatMap((name) => wrong(name, isDay, 'a day like 2026-03-02')),
  ]
}

/** The viewer's day at a moment, as filters name it: `2026-03-02`. */
export function dayOf(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

function midnight(day: string | undefined): string | undefined {
  const date = new Date(`${day}T00:00`)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
