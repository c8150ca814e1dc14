import { dirname } from 'node:path'
import { fits } from '../contract/text.ts'
import { launchers, programs, runners } from '../nouns/run/verdict/command-list.ts'
import type { JsonFields } from '../recorder/agents/fields.ts'
import { stricter } from '../recorder/facts.ts'
import type { CheckRule, RecordRules, SessionRules } from '../recorder/trees.ts'
import type { Snapshot } from '../recorder/work.ts'
import { pathIn } from '../system/paths.ts'
import { jsonIn, objectOf } from './foreign.ts'
import { topOf } from './git/repository.ts'
import { projectFileOf, projectText } from './project.ts'

/** The most checks in `conduct.json`, commands per check, bytes per name, and characters per command. */
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

/** The rules of a session that begins in that folder; none if they are unreadable, undefined if no conduct.json applies. */
export function rulesAt(cwd: string, tree: Snapshot | undefined): SessionRules | undefined {
  const home = homeOf(cwd, tree)
  if (home === undefined) return undefined
  const rules = readable(() => sessionRules(cwd, home)) ?? { home, rules: [], required: [], isUnreadable: true }
  // What runs in the folder of the conduct.json of another repository tests that one.
  const isOfOther = tree !== undefined && home !== tree.root && topOf(home) !== topOf(cwd)
  return isOfOther ? { ...rules, rules: [] } : rules
}

/** The folder whose conduct.json applies: the current one or, in a linked worktree without one, the top. */
function homeOf(cwd: string, tree: Snapshot | undefined): string | undefined {
  const file = projectFileOf(cwd)
  const folder = file && dirname(file)
  return folder !== undefined && pathIn(folder, cwd) !== undefined ? folder : tree?.root
}

/** The rules of conduct.json; undefined if it is unreadable, which `conduct doctor` reports. */
export function readable<T>(rules: () => T): T | undefined {
  try {
    return rules()
  } catch {
    return undefined
  }
}

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

/** What the rules record of a session, both where it began and in the working tree that it has entered. */
export const sessionRecordRules = ({ cwd, tree }: { cwd: string; tree?: string | null | undefined }): RecordRules =>
  stricter(recordRules(cwd), tree ? recordRules(tree) : undefined)

/** The names in `conduct.json` that say nothing to Conduct. */
export function unknownEntries(cwd: string): string[] {
  const path = projectFileOf(cwd)
  const file = path && readable(() => objectOf(jsonIn(projectText(path)), 'the file'))
  if (!file || !('project' in file)) return []
  return Object.keys(file).filter((name) => !['project', 'checks', 'required', 'record', '$schema'].includes(name))
}

function ruleIn<T>(cwd: string, field: string, read: (value: unknown) => T): T {
  const path = projectFileOf(cwd)
  if (path === undefined) return read(undefined)
  const text = projectText(path)
  let file: JsonFields = { project: undefined }
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
    if (!isName(name)) throw new Error(`"checks" must have names of 1 to ${most.length} bytes, not "${name}"`)
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
  if (Array.isArray(value) && value.length <= most.checks && value.every(isName)) return value
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

/** Whether the ledger takes a text as the name of a check. */
const isName = (value: unknown): value is string =>
  isWords(value) && fits(value, most.length) && value.isWellFormed() && !value.includes('\0')

/**
 * Whether a line may run a rule's command. True for each line in which `readLine` finds a check, but cheap enough for a
 * hook: it loads neither the parser nor the lists of options.
 */
export function mayCheck(line: string, rules: CheckRule[]): boolean {
  const text = unquoted(line)
  return rules.some(({ commands }) => commands.some((command) => namesOf(command).some((name) => text.includes(name))))
}

/** Words of which each line that runs the same command has one. */
function namesOf(command: string): string[] {
  const words = unquoted(command)
    .split(/\s+/)
    .filter((word) => word !== '' && !/^(?:-|\w+=|\d)/.test(word))
  const isSimple = !/["'\\$`|&;<>()]|\s-[ks]\b|--signal|--kill-after/.test(command)
  const [first = '', ...others] = isSimple ? words.filter((word) => !starts.has(word)) : words
  const startsProgram = Object.hasOwn(runners, first) && ['exec', 'x'].includes(words[words.indexOf(first) + 1] ?? '')
  return [first, ...(isSimple && !startsProgram ? [] : others)].flatMap(otherNames)
}

/** The words of launchers. A runner's name is that of the program in `npm test`. */
const starts = new Set(
  launchers.flatMap(({ begins }) => begins.split(' ')).filter((word) => !Object.hasOwn(runners, word)),
)

function otherNames(word: string): string[] {
  const name = programs[word] ?? word.slice(word.lastIndexOf('/') + 1)
  return [name, ...Object.keys(programs).filter((other) => programs[other] === name)]
}

/** The text as the shell joins it: quotes may stand within a word. */
const unquoted = (text: string) => text.replace(/\\\n|['"\\]/g, '')
