import { type Command, Option } from 'commander'
import { UsageError } from './exit.ts'

/** The options of every command that uses the ledger. */
export interface Common {
  profile?: string
  /** The project to act in. */
  project?: string
  json?: boolean
  quiet?: boolean
  utc?: boolean
}

/** How to print the result. */
export type Manner = Pick<Common, 'json' | 'quiet' | 'utc'>

/** The heading of these options in each help. */
export const commonHeading = 'Common options:'

/** Adds the common options to a command that prints a result, with `--project` unless it has its own. */
export function addCommon(command: Command, hasProject = false): Command {
  addPlace(command, hasProject)
  addOption(command, '--json', 'print the response of the API, unchanged')
  addOption(command, '--quiet', 'print only ids, contents and secrets')
  addOption(command, '--utc', 'print exact times')
  return addOption(command, '--no-color', 'print no colours, like NO_COLOR')
}

/** Adds the common options that say where the ledger is, to a command that prints something else. */
export function addPlace(command: Command, hasProject = false): Command {
  addOption(command, '--profile <name>', 'use this profile; local is the database of this machine')
  return hasProject ? command : addOption(command, '--project <slug>', 'the project to act in')
}

const addOption = (command: Command, flags: string, meaning: string) =>
  command.addOption(new Option(flags, meaning).helpGroup(commonHeading))

interface Examples {
  lines: string[]
  /**
   * `sh` for examples that can be run as they are; `console` for those that run until stopped, or wait for a person.
   */
  language: 'sh' | 'console'
}

/** Adds examples to the help of a command, one command line each. */
export function addExamples(command: Command, lines: string[], language: Examples['language'] = 'sh'): Command {
  examples.set(command, { lines, language })
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

const examples = new WeakMap<Command, Examples>()

/** The examples of a command. */
export const examplesOf = (command: Command) => examples.get(command)

/** Throws a UsageError if both flags are given but exclude each other. */
export function refuseBoth(options: object, ...pair: [string, string]) {
  const given = options as Record<string, unknown>
  if (pair.some((name) => !given[name])) return
  const [one, other] = pair.map((name) => `--${kebab(name)}`)
  throw new UsageError(`${one} and ${other} exclude each other: pass only one of them.`)
}

/** Turns `gitCommit` into `git-commit`. */
export const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
