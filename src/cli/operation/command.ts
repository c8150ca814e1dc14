import { Command, Option } from 'commander'
import { csvPlanOf } from '../../operations/csv.ts'
import { UsageError } from '../../terminal/exit.ts'
import { addCommon, addExamples, kebab } from '../../terminal/option.ts'
import { act, type OperationOptions } from './act.ts'
import { featureOf } from './complete.ts'
import { type Flag, numberOf } from './flag.ts'
import { exampleOf, type Operand, type Plan, plansOf, shownName } from './plan.ts'

/** The command for a word of the API: `run` with all its operations, or `search` itself. */
export function wordCommand(word: string): Command {
  const plans = plansOf(word)
  const [only] = plans
  if (only?.words.length === 1) return operationCommand(only)
  const command = new Command(word)
  for (const plan of plans) command.addCommand(operationCommand(plan))
  return command
}

function operationCommand(plan: Plan): Command {
  const { name, words, route, operands, flags, clearable, isWrite, isPaged, hasProject } = plan
  const command = new Command(words.at(-1)).description(route.summary)
  for (const operand of operands) command.argument(termOf(operand), meaningOf(operand), readerOf(operand))
  for (const { option } of flags) command.addOption(option)
  const parse = command.parseOptions.bind(command)
  command.parseOptions = (given) => parse(withTruth(given, flags))
  const add = (terms: string, meaning: string) => command.addOption(new Option(terms, meaning))
  if (clearable.length > 0) {
    const fields = clearable.map(kebab)
    const clear = new Option('--clear <field>', 'empty a field; repeatable').choices(fields)
    command.addOption(
      clear.argParser((text: string, before: unknown) => [...((before as string[]) ?? []), one(text, fields)]),
    )
  }
  if (name === 'createKey') add('--service', 'for a service such as CI, not for a person')
  if (isPaged) add('--all', 'all pages; with --json, one item per line')
  if (csvPlanOf(name)) add('--csv', 'as CSV, with every field')
  if (name === 'listEvents') add('--follow', 'print each change as it happens, until Ctrl-C')
  if (hasProject) add('--all-projects', isWrite ? 'for the whole server' : 'in all projects that the key sees')
  if (isWrite && !route.isAnew) {
    add('--idempotency-key <key>', 'a request with the same key happens only once within 24 hours')
  }
  if (isWrite) add('--dry-run', 'print the request instead of sending it')
  addCommon(command, hasProject)
  if (flags.some(({ part }) => part) && words[1] === 'update') command.addHelpText('after', `\n${replaced(plan)}`)
  addExamples(command, [exampleOf(plan, fileName(plan))])
  return command.action(async (...given: unknown[]) => {
    const texts = given.slice(0, operands.length)
    await act(plan, texts, command.opts<OperationOptions>())
  })
}

/** The words of a command line in which a flag that may stand alone does not take the operand after it for its value. */
function withTruth(given: string[], flags: Flag[]): string[] {
  const alone = new Set(flags.flatMap(({ name, schema }) => (schema.type === 'boolean' ? [name] : [])))
  const end = given.indexOf('--')
  return given.map((word, at) => {
    const isFlag = alone.has(word) && (end < 0 || at < end)
    return isFlag && !['true', 'false'].includes(given[at + 1] ?? '') ? `${word}=true` : word
  })
}

/** What a change does to the parts of a field that it does not name. */
const replaced = ({ name }: Plan) =>
  name === 'updateProject'
    ? 'A flag of the retention leaves its other parts as they are. To keep everything again: --clear retention'
    : 'A change replaces the whole field: one --label replaces all labels, --git-commit all fields of git.'

function one(text: string, choices: string[]): string {
  if (choices.includes(text)) return text
  throw new UsageError(`--clear must be one of ${choices.join(', ')}, not '${text}'.`)
}

/** The file name in an example: `run.md`, or a log to append. */
const fileName = ({ name, words }: Plan) => (name === 'appendToRun' ? 'run.log' : `${words[0]}.md`)

/** The operands that can be repeated. */
const areMany: Operand['kind'][] = ['words', 'ids', 'features']

function termOf(operand: Operand): string {
  const name = `${shownName(operand)}${areMany.includes(operand.kind) ? '...' : ''}`
  return operand.required ? `<${name}>` : `[${name}]`
}

function meaningOf({ kind }: Operand): string {
  if (kind === 'file') return 'a file with the text; - for standard input'
  if (kind === 'feature') return 'its number or its name'
  return kind === 'features' ? 'numbers and names' : ''
}

/** Parses the text of an operand. If the operand can be repeated, the parser also gets the previous values. */
function readerOf({ kind }: Operand): (text: string, before: unknown) => unknown {
  if (kind === 'number') return (text) => numberOf(text, 'integer')
  if (kind === 'feature') return featureOf
  if (areMany.includes(kind)) return (text, before) => [...((before as string[] | undefined) ?? []), text]
  return (text) => text
}
