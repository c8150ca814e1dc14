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

/** Gives a command the common options; `--project` unless it has one of its own. */
export function addCommon(command: Command, hasProject = false): Command {
  const add = (flags: string, meaning: string) => command.addOption(new Option(flags, meaning).helpGroup(commonHeading))
  add('--profile <name>', 'the server of that profile; local for the database of this machine')
  if (!hasProject) add('--project <slug>', 'the project to act in')
  add('--json', 'the answer of the API as it is')
  add('--quiet', 'nothing but ids, contents and secrets')
  add('--utc', 'exact times')
  add('--no-color', 'no colours; so does NO_COLOR')
  return command
}

/** Adds examples to the help of a command, each of them a command line. */
export function addExamples(command: Command, lines: string[]): Command {
  examples.set(command, lines)
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

const examples = new WeakMap<Command, string[]>()

/** The examples that a command was given. */
export const examplesOf = (command: Command) => examples.get(command) ?? []

/** Throws a UsageError where both of two flags are given that do not go together. */
export function refuseBoth(options: object, ...pair: [string, string]) {
  const given = options as Record<string, unknown>
  if (pair.some((name) => !given[name])) return
  const [one, other] = pair.map((name) => `--${kebab(name)}`)
  throw new UsageError(`${one} and ${other} do not go together: give one of the two.`)
}
