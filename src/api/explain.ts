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
  return [{ path, message: `${rule(issue)}${issue.input === undefined ? '' : `, not ${shown(issue.input)}`}` }]
}

/** An issue for each unknown name; the first says which names are known. */
export function unknown(kind: string, names: readonly string[], known: ReadonlySet<string>): Issue[] {
  const hint = `; known here: ${[...known].join(', ') || 'none'}`
  return names.map((name, index) => ({ path: cut(name), message: `unknown ${kind}${index === 0 ? hint : ''}` }))
}

/** The VALIDATION_ERROR of several fields. It names the first 20 problems and counts the others. */
export function invalidInput(found: Issue[]): ConductError {
  const issues = found.slice(0, mostNamed)
  const rest = found.length - issues.length
  if (rest > 0) issues.push({ path: '', message: `and ${rest.toLocaleString('en')} more` })
  const words = issues.map(({ path, message }) => (path ? `${path}: ${message}` : message))
  return new ConductError('VALIDATION_ERROR', `${words.join('; ')}.`, { issues })
}

function rule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? `is required (${issue.expected})` : `must be ${article(issue.expected)}`
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`
    case 'too_small':
      return `must be at least ${issue.minimum}${counted(issue.origin)}`
    case 'too_big':
      return `must be at most ${issue.maximum}${counted(issue.origin)}`
    default:
      return issue.message
  }
}

const article = (type: string) => (type === 'int' ? 'a whole number' : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`)
const counted = (origin: string) => (origin === 'array' ? ' items' : '')

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${cut(value)}'`
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
