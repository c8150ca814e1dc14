import { Command, CommanderError, Help } from 'commander'
import { permissions } from '../contract/secret.ts'
import { UsageError } from '../terminal/exit.ts'
import { type CommandEntry, commands, groups } from './commands/commands.ts'
import { endWithOutput, fail } from './fail.ts'

/** Runs `conduct <words>` and sets the exit code. Loads only the file of the requested command. */
export async function runProgram(words: string[]): Promise<void> {
  const args = arranged(words)
  const own = ownOf(args)
  endWithOutput(own.includes('--json'))
  if (own.includes('--no-color')) process.env.NO_COLOR = '1'
  try {
    refuseSecrets(own)
    const program = await programFor(args[0])
    await program.parseAsync(leads(program, args) ? args : args.filter((word) => !asksForHelp(word)), { from: 'user' })
  } catch (error) {
    // Commander has already printed its message.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
    else fail(error, own.includes('--json'))
  }
  if (words.length === 0) process.stderr.write('\nconduct --help lists the commands.\n')
}

/** The words before `--`. The words after it belong to another command. */
const ownOf = (words: string[]) => (words.includes('--') ? words.slice(0, words.indexOf('--')) : words)

/**
 * Rewrites `help run create` to `run create --help` and no words to `status`, and moves leading options behind the
 * command.
 */
function arranged(words: string[]): string[] {
  if (words.length === 0) return ['status']
  if (words[0] === 'help') return [...words.filter((word) => word !== 'help'), '--help']
  const own = ownOf(words)
  const leading = own.findIndex((word, index) => !word.startsWith('-') && !takesValue(own[index - 1]))
  if (leading <= 0) return words
  return [...own.slice(leading), ...own.slice(0, leading), ...words.slice(own.length)]
}

const asksForHelp = (word: string) => word === '--help' || word === '-h'

/** Whether the words name a command. If not, that is the error to report, even if they ask for help. */
function leads(program: Command, words: string[]): boolean {
  let command = program
  for (const word of words) {
    if (word.startsWith('-') || command.commands.length === 0) return true
    const child = command.commands.find((one) => one.name() === word)
    if (!child) return false
    command = child
  }
  return true
}

const takesValue = (word: string | undefined) => word === '--profile' || word === '--project'

/** How a key of Conduct begins. */
const keyBegin = new RegExp(`sk_(?:${permissions.join('|')})_[0-9A-Za-z]{4}`)

function refuseSecrets(words: string[]) {
  const secret = words.map((word) => keyBegin.exec(word)?.[0]).find(Boolean)
  if (secret === undefined) return
  throw new UsageError(
    `the arguments contain a key (${secret}…), and every user of this machine can read arguments: ` +
      'use CONDUCT_API_KEY, or --key-stdin, --key-file or the prompt of conduct profile add. If the key was real, revoke it.',
  )
}

/** The whole program. Commands other than the wanted one have only a name and a summary. */
export async function programFor(wanted: string | undefined): Promise<Command> {
  const program = new Command('conduct')
    .description('The ledger of what coding agents did.')
    .usage('[command] [options]')
    .enablePositionalOptions()
    .helpCommand(false)
    .option('-V, --version', 'print the version')
    .addHelpText('after', named)
  for (const [name, entry] of Object.entries(commands)) {
    const command = name === wanted ? await entry.load() : new Command(name)
    if (command.description() === '') command.description(sentence(entry.summary))
    const { summary, group = 'more' } = entry
    program.addCommand(command.summary(summary).helpGroup(`${groups[group]}:`), { hidden: group === 'more' })
  }
  settle(program)
  return program
}

/** A summary as a sentence. */
export const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** The commands that the first help lists by name only. */
function named(): string {
  const isMore = ([, { group = 'more' }]: [string, CommandEntry]) => group === 'more'
  const more = Object.entries(commands).filter(isMore)
  const names = more.map(([name]) => name).join(', ')
  return `${more.length > 0 ? `\n${groups.more}: ${names}\n` : ''}\nFor help on a command: conduct help <command>`
}

/** What the user probably meant, by the command and commander's error. */
const hints: Record<string, string> = {
  'run commander.unknownCommand': 'To record a command: conduct exec -- npm test',
  'exec commander.unknownOption': 'Put -- before the command to record: conduct exec -- npm test',
}

/** Settings that all commands share. */
function settle(command: Command) {
  command
    .showSuggestionAfterError()
    .helpCommand(false)
    .configureHelp({ subcommandTerm })
    .exitOverride((error) => {
      const hint = hints[`${command.name()} ${error.code}`]
      if (hint !== undefined) process.stderr.write(`${hint}\n`)
      throw error
    })
    .showHelpAfterError(`(For help: conduct help${pathOf(command)})`)
  for (const child of command.commands) settle(child)
}

/** A command and its arguments in a list. The list does not say that a command has options. */
const subcommandTerm = (command: Command) => new Help().subcommandTerm(command).replace(' [options]', '')

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : ''
}
