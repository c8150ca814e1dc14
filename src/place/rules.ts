import { type Fields, fieldsOf } from '../recorder/agents/fields.ts'
import type { CheckRule, RecordRules, SessionRules } from '../recorder/memo.ts'
import { jsonIn } from './foreign.ts'
import { projectFileOf, projectText } from './project.ts'

/** The most checks in `conduct.json`, commands per check, and characters per name or command. */
const most = { checks: 50, commands: 20, length: 200 }

/**
 * The `"checks"` of the nearest `conduct.json`; empty if it has none or there is no such file. Throws an Error that
 * names the file and the wrong entry.
 */
export const checkRules = (cwd: string): CheckRule[] => ruleIn(cwd, 'checks', checksIn)

/**
 * The names of the checks that a verdict needs: the `"required"` of the nearest `conduct.json`, else `tests` if there is
 * a rule for it. Throws as `checkRules` does.
 */
export function requiredChecks(cwd: string): string[] {
  const required = ruleIn(cwd, 'required', requiredIn)
  return required ?? checkRules(cwd).flatMap(({ name }) => (name === 'tests' ? [name] : []))
}

/** The rules for the commands of a session that begins in that folder, where `home` is the folder of its conduct.json. */
export const sessionRules = (cwd: string, home: string): SessionRules => ({
  home,
  rules: checkRules(cwd),
  required: requiredChecks(cwd),
})

/** The commands of the rules with a `*`, which is ignored, as they are written. */
export const starredCommands = (cwd: string): string[] =>
  ruleIn(cwd, 'checks', (value = {}) =>
    Object.values(objectOf(value, '"checks"'))
      .flat()
      .filter((command): command is string => isWords(command) && withoutStar(command) !== command),
  )

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
  let file: Fields = { project: undefined }
  try {
    file = objectOf(jsonIn(text), 'the file')
    return read(file[field])
  } catch (error) {
    // A file of another program may have the same name, and says nothing about checks.
    if (!('project' in file)) return read(undefined)
    throw new Error(`${path}: ${(error as Error).message}`)
  }
}

function checksIn(value: unknown = {}): CheckRule[] {
  const rules = Object.entries(objectOf(value, '"checks"'))
  if (rules.length > most.checks)
    throw new Error(`"checks" must name at most ${most.checks} checks, not ${rules.length}`)
  return rules.map(([name, value]) => {
    const commands: unknown[] = Array.isArray(value) ? value : [value]
    if (!isWords(name)) throw new Error(`"checks" must have names of 1 to ${most.length} characters, not "${name}"`)
    if (commands.length === 0 || commands.length > most.commands || !commands.every(isWords)) {
      throw new Error(
        `"checks": "${name}" must be a command like "npm test", or a list of up to ${most.commands} of them, not ${JSON.stringify(value)}`,
      )
    }
    return { name, commands: commands.map(withoutStar) }
  })
}

function requiredIn(value: unknown): string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.length <= most.checks && value.every(isWords)) return value
  throw new Error(
    `"required" must be a list of up to ${most.checks} names of checks, like ["tests"], not ${JSON.stringify(value)}`,
  )
}

/** Earlier versions took `*` at the end of a command for any further words. */
const withoutStar = (command: string) => command.replace(/(?<=[^*\s])(?:\s+\*+|(?<=\w)\*+)$/, '')

function recordIn(value: unknown = {}): RecordRules {
  const rules: RecordRules = { answers: true, prompts: true, changes: true }
  for (const [name, says] of Object.entries(objectOf(value, '"record"'))) {
    if (name !== 'answers' && name !== 'prompts' && name !== 'changes') {
      throw new Error(`"record" must have "answers", "prompts" or "changes", not "${name}"`)
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
