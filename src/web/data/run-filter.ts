import type { Input } from '../../client/client.ts'
import { justBefore, spanMsOf } from '../../contract/ago.ts'
import { pathForm, pathFrom } from '../../contract/file-path.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { type FilterField, filterFields, filterNames } from '../runs/filter-fields.ts'
import { statusLooks, verdictLooks } from '../ui/status.tsx'
import { serverNow } from './query/timing.ts'
import { isCommit } from './runs/forge.ts'

/** The filters of a list of runs, as in the address of the page. */
export type RunFilter = Omit<Input<'listRuns'>, 'limit' | 'cursor'>

const isStatus = (value: string): value is Run['status'] => Object.hasOwn(statusLooks, value)
const isVerdict = (value: string): value is Run['verdict'] => Object.hasOwn(verdictLooks, value)

const isNumber = (value: string) => /^[1-9]\d{0,9}$/.test(value)
const isLabel = (value: string) => /^[^:]+:/.test(value)

interface Form {
  isRight: (value: string) => boolean
  /** The words for a right value. */
  right: string
  /** The value as the API takes it in the filter of that name. */
  read: (value: string, name: string) => unknown
}

/** How an address names a value of a filter. */
const forms: Record<FilterField['kind'], Form> = {
  text: { isRight: () => true, right: 'text', read: (value) => value },
  number: { isRight: isNumber, right: 'a whole number from 1 on', read: Number },
  label: { isRight: isLabel, right: 'name:value', read: (value) => value },
  commit: { isRight: isCommit, right: '7 to 64 of 0-9 a-f', read: (value) => value },
  path: {
    isRight: (value) => pathFrom(value) !== undefined,
    right: pathForm,
    read: pathFrom,
  },
  day: {
    isRight: (value) => momentOf(value) !== undefined,
    right: 'a day like 2026-03-02, or a span like 7d',
    read: boundOf,
  },
}

/** The filters in an address. Those that cannot match any run are left out. */
export function runFilterOf(query: URLSearchParams): RunFilter {
  const some = <T>(values: T[]) => (values.length > 0 ? values : undefined)
  const given = filterFields.flatMap(({ name, kind, isRepeated }) => {
    const form = forms[kind]
    const values = query.getAll(name).filter((value) => value !== '' && form.isRight(value))
    const read = values.map((value) => form.read(value, name))
    return read.length > 0 ? [[name, isRepeated ? read : read[0]] as const] : []
  })
  return {
    project: some(query.getAll('project')),
    status: some(query.getAll('status').filter(isStatus)),
    verdict: some(query.getAll('verdict').filter(isVerdict)),
    ...(Object.fromEntries(given) as RunFilter),
    order: query.get('order') === 'asc' ? 'asc' : undefined,
  }
}

/** The parameters of an address of the list, besides its filters. */
const others = ['project', 'mine', 'order', 'view']

/** Explains each part of an address that does not filter the list: of wrong values, and of filters that it does not have. */
export function mistakesIn(query: URLSearchParams): string[] {
  const unknown = [...query].filter(([name]) => !filterNames.includes(name) && !others.includes(name))
  const wrong = (name: string, { isRight, right }: Pick<Form, 'isRight' | 'right'>) =>
    query
      .getAll(name)
      .filter((value) => value !== '' && !isRight(value))
      .map((value) => `${name} '${value}' was ignored: it must be ${right}.`)
  return [
    ...unknown.map(([name, value]) => `${name} '${value}' was ignored: this page has no such filter.`),
    ...wrong('status', { isRight: isStatus, right: `one of ${Object.keys(statusLooks).join(', ')}` }),
    ...wrong('verdict', { isRight: isVerdict, right: `one of ${Object.keys(verdictLooks).join(', ')}` }),
    ...filterFields.flatMap(({ name, kind }) => wrong(name, forms[kind])),
    ...filterFields.flatMap(({ name, kind, isRepeated }) => {
      const right = query.getAll(name).filter((value) => value !== '' && forms[kind].isRight(value))
      return isRepeated ? [] : right.slice(1).map((value) => `${name} '${value}' was ignored: only one can be given.`)
    }),
  ]
}

/** The viewer's day at a moment, as filters name it: `2026-03-02`. */
export function dayOf(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** Days and spans include their first moment, which filters exclude. Other moments are as the API has them. */
function boundOf(text: string, name: string): string | undefined {
  const isPeriod = dayForm.test(text) || spanMsOf(text) !== undefined
  const moment = momentOf(text)
  return isPeriod && moment && name.endsWith('After') ? justBefore(new Date(moment)).toISOString() : moment
}

const dayForm = /^\d{4}-\d\d-\d\d$/

/** The moment that a filter names: a day begins at the viewer's midnight, a span ends now. */
function momentOf(text: string): string | undefined {
  const spanMs = spanMsOf(text)
  if (spanMs !== undefined) return beginning(spanMs, text.endsWith('h'))
  const date = new Date(dayForm.test(text) ? `${text}T00:00` : text)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

/** When a span that ends now began, to the hour or the viewer's day, so that a list stays the same for a while. */
function beginning(spanMs: number, isByHour: boolean): string {
  const date = new Date(serverNow() - spanMs)
  if (isByHour) date.setMinutes(0, 0, 0)
  else date.setHours(0, 0, 0, 0)
  return date.toISOString()
}
