import { Command, Option } from 'commander'
import { headerFields } from '../paths.ts'
import { type Call, callsOf, placeFor, withClient } from './call.ts'
import { shownPlace } from './connect.ts'
import { UsageError } from './exit.ts'
import { readText } from './file.ts'
import { inputOf, kebab, numberOf } from './flag.ts'
import { followEvents } from './follow.ts'
import { addCommon, addExamples, type Common, refuseBoth } from './option.ts'
import { exampleOf, type Operand, type Plan, plansOf, shownName } from './plan.ts'
import { listPrinter, printRecord } from './print.ts'
import { printRequest } from './request.ts'
import { taggedVersion } from './version.ts'

export interface Options extends Common {
  all?: boolean
  allProjects?: boolean
  follow?: boolean
  dryRun?: boolean
  idempotencyKey?: string
  clear?: string[]
}

/** The command of a word of the API: `run` with all that can be done to runs, or `search` itself. */
export function wordCommand(word: string): Command {
  const plans = plansOf(word)
  const [only] = plans
  if (only?.words.length === 1) return operationCommand(only)
  const command = new Command(word)
  for (const plan of plans) command.addCommand(operationCommand(plan))
  return command
}

function operationCommand(plan: Plan): Command {
  const { words, route, operands, flags, clearable, isWrite, isList, hasProject } = plan
  const command = new Command(words.at(-1)).description(route.summary)
  for (const operand of operands) command.argument(termOf(operand), meaningOf(operand), readerOf(operand))
  for (const { option } of flags) command.addOption(option)
  const add = (terms: string, meaning: string) => command.addOption(new Option(terms, meaning))
  if (clearable.length > 0) {
    const fields = clearable.map(kebab)
    const clear = new Option('--clear <field>', 'set a field to nothing; may be repeated').choices(fields)
    command.addOption(
      clear.argParser((text: string, before: unknown) => [...((before as string[]) ?? []), one(text, fields)]),
    )
  }
  if (isList) add('--all', 'every page; with --json a line for each')
  if (route.streams) add('--follow', 'each change as it happens, until Ctrl-C')
  if (hasProject)
    add('--all-projects', isWrite ? 'for the whole server' : 'look through all projects that the key sees')
  if (isWrite) {
    add('--idempotency-key <key>', 'the same request with the same key happens once, for 24 hours')
    add('--dry-run', 'show the request and send nothing')
  }
  addCommon(command, hasProject)
  addExamples(command, [exampleOf(plan, fileName(plan))])
  return command.action(async (...given: unknown[]) => {
    const texts = given.slice(0, operands.length)
    await act(plan, texts, command.opts<Options>())
  })
}

function one(text: string, choices: string[]): string {
  if (choices.includes(text)) return text
  throw new UsageError(`--clear must be one of ${choices.join(', ')}, not '${text}'.`)
}

/** The file of an example: `run.md`, or a log that is appended. */
export const fileName = ({ name, words }: Plan) => (name === 'appendToRun' ? 'run.log' : `${words[0]}.md`)

function termOf(operand: Operand): string {
  const name = `${shownName(operand)}${operand.kind === 'words' || operand.kind === 'features' ? '...' : ''}`
  return operand.required ? `<${name}>` : `[${name}]`
}

function meaningOf({ kind }: Operand): string {
  if (kind === 'file') return 'a file with the text; - for the standard input'
  return kind === 'features' ? 'numbers and names' : ''
}

const readerOf = ({ kind }: Operand) =>
  kind === 'number'
    ? (text: string): unknown => numberOf(text, 'integer')
    : (text: string, before: unknown): unknown =>
        kind === 'words' || kind === 'features' ? [...((before as string[] | undefined) ?? []), text] : text

/** The input of the operation that arguments and flags make; reads the file. */
async function inputFrom(plan: Plan, given: unknown[], options: Options): Promise<Record<string, unknown>> {
  const input = inputOf(plan.flags, { ...options })
  for (const [at, { field, kind }] of plan.operands.entries()) {
    const value = given[at]
    if (value === undefined) continue
    if (kind === 'file') input[field] = await readText(value as string)
    else if (kind === 'words') input[field] = (value as string[]).join(' ')
    else if (kind === 'features') Object.assign(input, featuresOf(value as string[]))
    else input[field] = value
  }
  for (const field of plan.clearable) {
    if (!options.clear?.includes(kebab(field))) continue
    if (input[field] !== undefined) throw new UsageError(`${field} is both set and cleared: choose one of the two.`)
    input[field] = null
  }
  const isChange = plan.name.startsWith('update')
  if (isChange && Object.keys(input).every((field) => plan.operands[0]?.field === field || field in headerFields)) {
    throw new UsageError(
      `Nothing to change: give a flag for what should be. conduct help ${plan.words.join(' ')} lists them.`,
    )
  }
  return input
}

/** A whole number is a feature's number, anything else its name. */
function featuresOf(words: string[]) {
  const isNumber = (word: string) => /^[1-9]\d{0,15}$/.test(word)
  const names = words.filter((word) => !isNumber(word))
  const numbers = words.filter(isNumber).map(Number)
  return {
    ...(numbers.length > 0 && { featureIds: numbers }),
    ...(names.length > 0 && { features: names.map((name) => ({ name })) }),
  }
}

async function act(plan: Plan, given: unknown[], options: Options) {
  refuseBoth(options, 'all', 'cursor')
  refuseBoth(options, 'all', 'follow')
  refuseBoth(options, 'all-projects', 'project')
  const input = await inputFrom(plan, given, options)
  const place = placeFor(plan, input, options)
  if (options.dryRun) return printRequest(plan, input, place, options)
  await withClient(place, async (client) => {
    if (options.follow) return followEvents(client, input, options)
    const call = callsOf(plan, client, `Waiting for ${shownPlace(place)}`, options)
    if (plan.isWrite) await taggedVersion(plan, client, input)
    await printAll(plan, call, input, options)
  })
}

async function printAll({ isList, route }: Plan, call: Call, input: Record<string, unknown>, options: Options) {
  const isTable = isList || 'timeline' in route.output.shape
  const printList = listPrinter(options)
  for (let next: Record<string, unknown> | undefined = input; next; ) {
    const answer = await call(options.all ? { limit: 100, ...next } : next)
    const meta = answer.meta as { hasMore: boolean; nextCursor?: string; lastSeq?: number } | undefined
    if (options.json) printJson(answer, options.all)
    else if (isTable) printList(answer)
    else printRecord(answer, options)
    const more: Record<string, unknown> | undefined = meta?.hasMore
      ? { ...input, ...(meta.nextCursor === undefined ? { after: meta.lastSeq } : { cursor: meta.nextCursor }) }
      : undefined
    if (more && !options.all && !options.json && !options.quiet) {
      const [flag, value] = meta?.nextCursor === undefined ? ['--after', meta?.lastSeq] : ['--cursor', meta.nextCursor]
      process.stderr.write(`There is more: --all, or ${flag} ${value}\n`)
    }
    next = options.all ? more : undefined
  }
}

/** The answer as it is, or a line for each item of its list. */
function printJson({ meta, ...answer }: Record<string, unknown>, isLines: boolean | undefined) {
  if (!isLines) process.stdout.write(`${JSON.stringify(meta === undefined ? answer : { ...answer, meta }, null, 2)}\n`)
  else for (const item of Object.values(answer).flat()) process.stdout.write(`${JSON.stringify(item)}\n`)
}
