import type { z } from 'zod'
import { ConductError, type Issue } from './error.ts'

/** How many problems one error names. */
const mostNamed = 20
/** How many characters of a text from outside an error repeats. */
const mostShown = 60

/** A text from outside, short enough to stand in an error. */
export const cut = (text: string) => (text.length > mostShown ? `${text.slice(0, mostShown)}…` : text)

/** What zod found wrong, in words that name the value and what would be right. */
export function explain(issue: z.core.$ZodIssue, fields: ReadonlySet<string>): Issue[] {
  const path = issue.path.map((step) => cut(String(step))).join('.')
  if (issue.code === 'unrecognized_keys') {
    if (path === '') return unknown('field', issue.keys, fields)
    return issue.keys.map((key) => ({ path: `${path}.${cut(key)}`, message: 'unknown field' }))
  }
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, message }))
  return [{ path, message: issue.input === undefined ? missing(issue) : wrong(issue) }]
}

/** An issue for each unknown name; the first says which names are known. */
export function unknown(kind: string, names: readonly string[], known: ReadonlySet<string>): Issue[] {
  const hint = known.size > 0 ? `the known ones are ${[...known].join(', ')}` : 'there are none here'
  return names.map((name, index) => ({ path: cut(name), message: `unknown ${kind}${index === 0 ? `; ${hint}` : ''}` }))
}

/** The VALIDATION_ERROR of several fields. It names the first 20 problems and counts the others. */
export function invalidInput(found: Issue[]): ConductError {
  const issues = found.slice(0, mostNamed)
  const rest = found.length - issues.length
  if (rest > 0) issues.push({ path: '', message: `and ${rest.toLocaleString('en')} more` })
  const words = issues.map(({ path, message }) => (path ? `${path}: ${message}` : message))
  return new ConductError('VALIDATION_ERROR', `${words.join('; ')}.`, { issues })
}

/** What a field must be that was not given. */
function missing(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `is required and must be ${typeOf(issue.expected)}`
  return issue.code === 'invalid_value' ? `is required and ${choiceOf(issue.values)}` : issue.message
}

/** What a field must be, and is not. */
function wrong(issue: z.core.$ZodIssue): string {
  const { input } = issue
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeOf(issue.expected)}, not ${shown(input)}`
    case 'invalid_value':
      return `${choiceOf(issue.values)}, not ${shown(input)}`
    case 'too_small':
      return boundOf('at least', Number(issue.minimum), issue.origin, input)
    case 'too_big':
      return boundOf('at most', Number(issue.maximum), issue.origin, input)
    default:
      // What a value must be stands beside what it is; what it must have, or is, speaks for itself.
      return issue.message.startsWith('must be ') ? `${issue.message}, not ${shown(input)}` : issue.message
  }
}

const types: Record<string, string> = { int: 'a whole number', record: 'an object' }
const typeOf = (name: string) => types[name] ?? `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`

const choiceOf = (values: readonly unknown[]) => `must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`

const units: Record<string, string> = { array: 'item', string: 'character' }

/** A limit of a number, or of how much there is of a list or text. */
function boundOf(limit: string, most: number, origin: string, input: unknown): string {
  const unit = units[origin]
  if (!unit) return `must be ${limit} ${most}, not ${shown(input)}`
  const { length } = input as string | unknown[]
  const counted = `${most.toLocaleString('en')} ${unit}${most === 1 ? '' : 's'}`
  return `must have ${limit} ${counted}, not ${length.toLocaleString('en')}`
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${cut(value)}'`
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
