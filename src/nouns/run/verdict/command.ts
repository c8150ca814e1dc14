import {
  additions,
  aliases,
  type CommandSpelling,
  folders,
  type Launcher,
  launchers,
  loading,
  modules,
  programs,
  type Runner,
  runners,
  variables,
} from './command-list.ts'
import { tools } from './command-tools.ts'
import { shellWords } from './shell-words.ts'

/**
 * Whether two commands are the same: they differ only in launchers, aliases, variables and options that the lists of
 * command-list.ts and command-tools.ts name. Any other word makes another command. Takes linear time.
 */
export const sameCommand = (one: string, other: string): boolean =>
  one === other || normalForm(one) === normalForm(other)

/** A text that is equal for the same commands, and for no others. */
export function normalForm(command: string): string {
  const words = shellWords(command)
  // More than one command: equal only to itself.
  if (!words || words.length === 0) return `\0${command.trim()}`
  const { kept, rest } = launched(words)
  return JSON.stringify([...kept, ...commandOf(rest)])
}

/** The options of a command that add to what is checked. If a rule has them, its command needs them, too. */
export const additionsOf = (command: string): string[] =>
  (shellWords(command) ?? []).filter((word) => additions.has(word.replace(/=.*/s, '')))

/** The command behind its launchers, and the variables that are not on the list. */
function launched(words: string[]): { kept: string[]; rest: string[] } {
  const kept: string[] = []
  let at = takeVariables(words, 0, kept)
  for (;;) {
    const end = launcherEnd(words, at, kept)
    if (end === undefined || end >= words.length) break
    at = end
  }
  return { kept: kept.sort(byName), rest: words.slice(at) }
}

/** Of two values of one variable, the later one counts: their order stays. */
const byName = (one: string, other: string) => {
  const [first, second] = [nameIn(one), nameIn(other)]
  return first < second ? -1 : first > second ? 1 : 0
}

const nameIn = (assignment: string) => assignment.slice(0, assignment.indexOf('='))

/** Where the variables that are set for a command end. */
function takeVariables(words: string[], from: number, kept: string[]): number {
  let at = from
  for (; at < words.length; at++) {
    const word = words[at] as string
    const [, name] = /^\0?([A-Za-z_]\w*)=/.exec(word) ?? []
    if (name === undefined) break
    if (word.startsWith('\0') || !variables.has(name)) kept.push(word)
  }
  return at
}

/** Launchers by their first word, with the words after it. A line may have hundreds of them. */
const launchersOf = Map.groupBy(
  launchers.map((launcher) => {
    const [first = '', ...others] = launcher.begins.split(' ')
    return { launcher, first, others }
  }),
  ({ first }) => first,
)

/** Where the command begins that the launcher at `from` starts; undefined if there is none. */
function launcherEnd(words: string[], from: number, kept: string[]): number | undefined {
  const some = launchersOf.get(words[from]?.replace(folders, '') ?? '') ?? []
  for (const { launcher, others } of some) {
    if (!others.every((word, index) => words[from + 1 + index] === word)) continue
    return takenEnd(launcher, words, from + 1 + others.length, kept)
  }
  return undefined
}

function takenEnd({ takes, ...options }: Launcher, words: string[], from: number, kept: string[]): number | undefined {
  let at = from
  for (let next = optionEnd(options, words, at); next > at; next = optionEnd(options, words, at)) at = next
  switch (takes) {
    case 'variables':
      return words[at]?.startsWith('-') ? undefined : takeVariables(words, at, kept)
    case 'duration':
      return /^\d+(?:\.\d+)?[smhd]?$/.test(words[at] ?? '') ? at + 1 : undefined
    case 'module':
      return words[at] === '-m' && modules.has(words[at + 1] ?? '') ? at + 1 : undefined
    default:
      // An option that is not on the list is part of the command.
      return words[at]?.startsWith('-') ? undefined : at
  }
}

/** The words that make the command what it is, with its normal names. */
function commandOf([name = '', ...args]: string[]): string[] {
  const inside = name.replace(folders, '')
  const program = Object.hasOwn(programs, inside) ? (programs[inside] as string) : inside
  const runner = Object.hasOwn(runners, program) ? runners[program] : undefined
  return (runner && scriptOf(program, runner, args)) ?? toolOf([program, ...args])
}

function toolOf(written: string[]): string[] {
  const words = withAlias(written)
  const [first = '', second = ''] = words
  for (const [key, begin] of [
    [`${first} ${second}`, 2],
    [first, 1],
  ] as const) {
    const tool = Object.hasOwn(tools, key) ? tools[key] : undefined
    if (!tool) continue
    const rest = withoutOptions(tool, words.slice(begin))
    const isDefault = rest.length === 1 && rest[0] === tool.default
    return [...words.slice(0, begin), ...(isDefault ? [] : rest)]
  }
  return words
}

function withAlias(words: string[]): string[] {
  const key = words.slice(0, 2).join(' ')
  return Object.hasOwn(aliases, key) ? [...(aliases[key] as string).split(' '), ...words.slice(2)] : words
}

/** The script that a runner runs, as `npm run NAME`; undefined for other commands. */
function scriptOf(program: string, runner: Runner, args: string[]): string[] | undefined {
  const before: string[] = []
  let at = argumentsEnd(runner, args, 0, before)
  let name = args[at]
  if (name === undefined || name.startsWith('-') || name.startsWith('\0')) return undefined
  const isRun = withAlias([program, name])[1] === 'run'
  if (isRun) {
    at = argumentsEnd(runner, args, at + 1, before)
    name = args[at]
    if (name === undefined || name.startsWith('-')) return undefined
  } else if (listed(runner.tests).has(name)) name = 'test'
  else if (runner.own === undefined || listed(runner.own).has(name)) return undefined
  const after = args.slice(at + 1)
  // npm reads its options wherever they stand before `--`, the others only before the name.
  return runner.hasDashes
    ? [program, 'run', name, ...before, ...dashed(runner, after)]
    : [program, ...before, 'run', name, ...withoutOptions(runner.script, after)]
}

/** Arguments of a runner that keeps those before `--` to itself. */
function dashed(runner: Runner, args: string[]): string[] {
  const dashes = args.indexOf('--')
  const own = dashes < 0 ? args : args.slice(0, dashes)
  const passed = dashes < 0 ? [] : withoutOptions(runner.script, args.slice(dashes + 1))
  return [...withoutOptions(runner, own), ...(passed.length > 0 ? ['--', ...passed] : [])]
}

/** Where the options of a runner end; those that make another command are added to `kept`. */
function argumentsEnd(runner: Runner, args: string[], from: number, kept: string[]): number {
  let at = from
  for (;;) {
    const word = args[at] ?? ''
    const others = listed(runner.others)
    const length = others.has(word) ? 2 : word.includes('=') && others.has(nameIn(word)) ? 1 : 0
    const end = Math.max(optionEnd(runner, args, at), at + length)
    if (end === at || end > args.length) return at
    kept.push(...(length > 0 ? args.slice(at, end) : []))
    at = end
  }
}

/** The words without the options of the list. */
function withoutOptions(options: CommandSpelling, words: string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < words.length; ) {
    const word = words[at] as string
    if (word === '--' || word === '-args') {
      const rest = words.slice(at + 1)
      const passed = options.rest ? withoutOptions(options.rest, rest) : rest
      return passed.length === 0 && options.rest ? kept : [...kept, word, ...passed]
    }
    const end = optionEnd(options, words, at)
    if (end === at) kept.push(word)
    at = Math.max(end, at + 1)
  }
  return kept
}

/** Where the option at that place ends, with its value; the place itself if it is not on the list. */
function optionEnd(options: CommandSpelling, words: string[], at: number): number {
  const word = words[at] ?? ''
  const next = words[at + 1]
  if (!word.startsWith('-')) return at
  const [flags, values] = [listed(options.flags), listed(options.values)]
  const [numbers, booleans] = [listed(options.numbers), listed(options.booleans)]
  if (next !== undefined && options.pairs?.includes(`${word} ${next}`)) return at + 2
  if (numbers.has(word)) return /^\d+$/.test(next ?? '') ? at + 2 : at + 1
  if (booleans.has(word)) return next === 'true' || next === 'false' ? at + 2 : at + 1
  if (flags.has(word)) return at + 1
  if (values.has(word)) return next === undefined || next.startsWith('-') || !isValue(word, next) ? at : at + 2
  const equals = word.search(options.hasLongNames ? /[=:]/ : /=/)
  if (equals > 0) {
    const name = word.slice(0, equals)
    if (!isValue(name, word.slice(equals + 1))) return at
    return values.has(name) || values.has(`${name}=`) || numbers.has(name) || booleans.has(name) ? at + 1 : at
  }
  return isShort(word, options) ? at + 1 : at
}

/** Whether an option may have that value and remain an option of the list. */
const isValue = (option: string, value: string) =>
  !value.startsWith('\0') && (!loading.has(option) || /^(?:[\w,-]|::)+$/.test(value))

/** Whether a word is a cluster of letters, or a letter with its value: `-xvs`, `-n4`, `-rA`. */
function isShort(word: string, options: CommandSpelling): boolean {
  const [flags, values] = [listed(options.flags), listed(options.values)]
  const letter = word.slice(0, 2)
  const takesValue = values.has(letter) || listed(options.numbers).has(letter)
  if (takesValue && /^-\w\d/.test(word)) return true
  if (options.hasLongNames || !/^-[A-Za-z]{2,}$/.test(word)) return false
  return values.has(letter) || [...word.slice(1)].every((one) => flags.has(`-${one}`))
}

const lists = new Map<string, Set<string>>()

/** The words of an entry of the lists, split once. */
function listed(entry = ''): Set<string> {
  const known = lists.get(entry)
  if (known) return known
  const words = new Set(entry.split(/\s+/).filter((word) => word !== ''))
  lists.set(entry, words)
  return words
}
