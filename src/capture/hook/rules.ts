import { dirname } from 'node:path'
import { launchers, programs, runners } from '../../nouns/run/verdict/command-list.ts'
import { projectFileOf } from '../../place/project.ts'
import { sessionRules } from '../../place/rules.ts'
import type { CheckRule, SessionRules } from '../../recorder/memo.ts'
import type { Snapshot } from '../../recorder/work.ts'
import { pathIn } from '../../system/paths.ts'

/** The rules of a session that begins in that folder; none if they are unreadable, undefined if no conduct.json applies. */
export function rulesAt(cwd: string, tree: Snapshot | undefined): SessionRules | undefined {
  const home = homeOf(cwd, tree)
  if (home === undefined) return undefined
  return readable(() => sessionRules(cwd, home)) ?? { home, rules: [], required: [] }
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
