import { z } from 'zod'
import { ConductError, type Issue } from './error.ts'

/** The most problems that one error names. */
const mostNamed = 20
/** The most characters of an input that an error quotes. */
const mostShown = 60

/** Shortens an input so that an error can quote it. */
export const cut = (text: string) => (text.length > mostShown ? `${text.slice(0, mostShown)}…` : text)

/** The options with which to parse what `explain` words. */
export const explained = {
  reportInput: true,
  error({ code, inst }: z.core.$ZodRawIssue) {
    const { shape } = code === 'unrecognized_keys' && inst instanceof z.ZodObject ? inst : {}
    return shape && Object.keys(shape).join(', ')
  },
}

/** Words an issue of zod so that it names the value and says what would be right. */
export function explain(issue: z.core.$ZodIssue, fields: ReadonlySet<string>): Issue[] {
  const path = issue.path.map((step) => cut(String(step))).join('.')
  if (issue.code === 'unrecognized_keys') {
    if (path === '') return unknown('field', issue.keys, fields)
    const named = unknown('field', issue.keys, new Set(issue.message ? [issue.message] : []))
    return named.map((one) => ({ ...one, path: `${path}.${one.path}` }))
  }
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, message }))
  return [{ path, message: issue.input === undefined ? missing(issue) : wrong(issue) }]
}

/** One issue for each unknown name. The first one lists the known names. */
export function unknown(kind: string, names: readonly string[], known: ReadonlySet<string>): Issue[] {
  const hint = known.size > 0 ? `the known ones are ${[...known].join(', ')}` : 'there are none here'
  return names.map((name, index) => ({ path: cut(name), message: `unknown ${kind}${index === 0 ? `; ${hint}` : ''}` }))
}

/** A VALIDATION_ERROR for several fields. It names the first 20 problems and counts the rest. */
export function invalidInput(found: Issue[]): ConductError {
  const issues = knownOnce(found.slice(0, mostNamed))
  const rest = found.length - issues.length
  if (rest > 0) issues.push({ path: '', message: `and ${rest.toLocaleString('en')} more` })
  const words = issues.map(({ path, message }) => (path ? `${path}: ${message}` : message))
  return new ConductError('VALIDATION_ERROR', `${words.join('; ')}.`, { issues })
}

/** The same issues. A list of known names stands at the first unknown one. */
function knownOnce(issues: Issue[]): Issue[] {
  const named = new Set<string>()
  return issues.map(({ path, message }) => {
    const isRepeated = message.startsWith('unknown ') && named.has(message)
    named.add(message)
    return { path, message: isRepeated ? message.replace(/;.*/s, '') : message }
  })
}

/** Words a problem of a field that is missing. */
function missing(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `is required and must be ${typeOf(issue.expected)}`
  return issue.code === 'invalid_value' ? `is required and ${choiceOf(issue.values)}` : issue.message
}

/** Words a problem of a field with a wrong value. */
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
      // "must be …" reads on with the value; other rules ("must have …", "is …") stand alone.
      return issue.message.startsWith('must be ') ? `${issue.message}, not ${shown(input)}` : issue.message
  }
}

const types: Record<string, string> = { int: 'a whole number', record: 'an object' }
const typeOf = (name: string) => types[name] ?? `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`

const choiceOf = (values: readonly unknown[]) => `must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`

const units: Record<string, string> = { array: 'item', string: 'character' }

/** Words a limit of a number, or of the length of an array or text. */
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
