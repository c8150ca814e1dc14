import type { z } from 'zod'
import { ConductError, type Issue } from './error.ts'

/** What zod found wrong, in words that name the value and what would be right. */
export function explain(issue: z.core.$ZodIssue, fields: ReadonlySet<string>): Issue[] {
  const path = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    const known = path === '' ? `; known here: ${[...fields].join(', ') || 'none'}` : ''
    return issue.keys.map((key) => ({ path: path ? `${path}.${key}` : key, message: `unknown field${known}` }))
  }
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, message }))
  return [{ path, message: `${rule(issue)}${issue.input === undefined ? '' : `, not ${shown(issue.input)}`}` }]
}

/** The VALIDATION_ERROR of several fields. */
export function invalidInput(issues: Issue[]): ConductError {
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
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
