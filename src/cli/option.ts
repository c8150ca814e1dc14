import { type Command, Option } from 'commander'
import { UsageError } from './exit.ts'
import { kebab } from './operation/flag.ts'

/** The options that every command which asks the ledger has. */
export interface Common {
  profile?: string
  /** The project to act in. */
  project?: string
  json?: boolean
  quiet?: boolean
  utc?: boolean
}

/** How the answer is shown. */
export type Manner = Pick<Common, 'json' | 'quiet' | 'utc'>

/** Under this heading they stand in each help. */
export const commonHeading = 'Common options:'

/** Gives a command that prints an answer the common options; `--project` unless it has one of its own. */
export function addCommon(command: Command, hasProject = false): Command {
  addPlace(command, hasProject)
  addOption(command, '--json', 'print the answer of the API, unchanged')
  addOption(command, '--quiet', 'print only ids, contents and secrets')
  addOption(command, '--utc', 'exact times')
  return addOption(command, '--no-color', 'print no colours, as with NO_COLOR')
}

/** Those of the common options that say where the ledger is, for a command whose output is not an answer. */
export function addPlace(command: Command, hasProject = false): Command {
  addOption(command, '--profile <name>', 'the server of that profile; local is the database of this machine')
  return hasProject ? command : addOption(command, '--project <slug>', 'the project to act in')
}

const addOption = (command: Command, flags: string, meaning: string) =>
  command.addOption(new Option(flags, meaning).helpGroup(commonHeading))

export interface Examples {
  lines: string[]
  /** `sh`: each can be run as it stands; `console`: it runs until it is ended, or waits for somebody. */
  language: 'sh' | 'console'
}

/** Adds examples to the help of a command, each of them a command line. */
export function addExamples(command: Command, lines: string[], language: Examples['language'] = 'sh'): Command {
  examples.set(command, { lines, language })
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

const examples = new WeakMap<Command, Examples>()

/** The examples that a command was given. */
export const examplesOf = (command: Command) => examples.get(command)

/** Throws a UsageError where both of two flags are given that do not go together. */
export function refuseBoth(options: object, ...pair: [string, string]) {
  const given = options as Record<string, unknown>
  if (pair.some((name) => !given[name])) return
  const [one, other] = pair.map((name) => `--${kebab(name)}`)
  throw new UsageError(`${one} and ${other} exclude each other: give only one of them.`)
}
