import { type Fields, fieldsOf } from '../../agents/fields.ts'
import type { RecordRules } from '../../recorder/memo.ts'
import { jsonIn } from './foreign.ts'
import { projectFileOf, projectText } from './project.ts'

/** A session's command that matches one of the patterns becomes a check of that name. `*` matches any characters. */
export interface CheckRule {
  name: string
  patterns: string[]
}

/** The most checks in `conduct.json`, patterns per check, and characters per name or pattern. */
const most = { checks: 50, patterns: 20, length: 200 }

/**
 * The `"checks"` of the nearest `conduct.json`; empty if it has none or there is no such file. Throws an Error that
 * names the file and the wrong entry.
 */
export const checkRules = (cwd: string): CheckRule[] => ruleIn(cwd, 'checks', checksIn)

/** Whether the nearest `conduct.json` lists its checks, even as an empty list. Throws as `checkRules` does. */
export const declaresChecks = (cwd: string): boolean =>
  ruleIn(cwd, 'checks', (value) => {
    checksIn(value)
    return value !== undefined
  })

/**
 * The `"record"` of the nearest `conduct.json`. Everything is recorded unless it says false. Throws as `checkRules`
 * does.
 */
export const recordRules = (cwd: string): RecordRules => ruleIn(cwd, 'record', recordIn)

function ruleIn<T>(cwd: string, field: string, read: (value: unknown) => T): T {
  const path = projectFileOf(cwd)
  if (path === undefined) return read(undefined)
  const text = projectText(path)
  try {
    return read(objectOf(jsonIn(text), 'the file')[field])
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`)
  }
}

function checksIn(value: unknown = {}): CheckRule[] {
  const rules = Object.entries(objectOf(value, '"checks"'))
  if (rules.length > most.checks)
    throw new Error(`"checks" must name at most ${most.checks} checks, not ${rules.length}`)
  return rules.map(([name, value]) => {
    const patterns: unknown[] = Array.isArray(value) ? value : [value]
    if (!isWords(name)) throw new Error(`"checks" must have names of 1 to ${most.length} characters, not "${name}"`)
    if (patterns.length === 0 || patterns.length > most.patterns || !patterns.every(isWords)) {
      throw new Error(
        `"checks": "${name}" must be a command like "npm test*", or a list of up to ${most.patterns} of them, not ${JSON.stringify(value)}`,
      )
    }
    return { name, patterns }
  })
}

function recordIn(value: unknown = {}): RecordRules {
  const rules: RecordRules = { answers: true, prompts: true }
  for (const [name, says] of Object.entries(objectOf(value, '"record"'))) {
    if (name !== 'answers' && name !== 'prompts') {
      throw new Error(`"record" must have "answers" or "prompts", not "${name}"`)
    }
    if (typeof says !== 'boolean')
      throw new Error(`"record": "${name}" must be true or false, not ${JSON.stringify(says)}`)
    rules[name] = says
  }
  return rules
}

const isWords = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && value.length <= most.length

function objectOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} must be an object`)
  return fieldsOf(value)
}
