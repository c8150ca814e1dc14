import { isCancel, text } from '@clack/prompts'
import { mostRows } from '../../contract/field.ts'
import { headerFields } from '../../contract/paths.ts'
import type { Key } from '../../nouns/key/fields.ts'
import type { Delivery } from '../../nouns/webhook/fields.ts'
import { csvPlanOf } from '../../operations/csv.ts'
import { shownPlace } from '../../place/connect.ts'
import { UsageError } from '../../terminal/exit.ts'
import { readText } from '../../terminal/file.ts'
import { asked } from '../../terminal/interactive.ts'
import { type Common, kebab, refuseBoth } from '../../terminal/option.ts'
import { jsonOf } from '../../text/clean.ts'
import { tables } from '../show/columns.ts'
import { csvPrinter, listPrinter, printJson, printRecord } from '../show/print.ts'
import { callsOf, placeFor, type SendCall, withClient } from './call.ts'
import { featureOf, numberFeatures, requireWholeRetention, wholeRetention, withoutSecrets } from './complete.ts'
import { inputOf } from './flag.ts'
import type { Plan } from './plan.ts'
import { followEvents, printRequest } from './print.ts'

type Input = Record<string, unknown>

export interface OperationOptions extends Common {
  all?: boolean
  csv?: boolean
  allProjects?: boolean
  follow?: boolean
  dryRun?: boolean
  idempotencyKey?: string
  service?: boolean
  clear?: string[]
}

/** The input that arguments and flags give to the operation. Reads the file if there is one. */
async function inputFrom(plan: Plan, given: unknown[], options: OperationOptions): Promise<Input> {
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
    if (input[field] !== undefined) throw new UsageError(`${field} is both set and cleared: do only one.`)
    input[field] = null
  }
  const isChange = plan.name.startsWith('update')
  if (isChange && Object.keys(input).every((field) => plan.operands[0]?.field === field || field in headerFields)) {
    throw new UsageError(
      `Nothing to change: give at least one flag. To list them: conduct help ${plan.words.join(' ')}`,
    )
  }
  return input
}

function featuresOf(words: string[]) {
  const features = words.map(featureOf)
  const names = features.filter((feature) => typeof feature === 'string')
  const numbers = features.filter((feature) => typeof feature === 'number')
  return {
    ...(numbers.length > 0 && { featureIds: numbers }),
    ...(names.length > 0 && { features: names.map((name) => ({ name })) }),
  }
}

/** Throws a UsageError unless it is said whose a new key is: two keys of one person are not independent. */
function requireHolder({ person }: Input, { service = false }: OperationOptions) {
  if ((person !== undefined) !== service) return
  throw new UsageError(
    service
      ? '--person and --service exclude each other: give one of them.'
      : "Whose key is it? Give --person 'Ada Example <ada@example.com>', or --service for one such as CI.",
  )
}

/** Runs a command: calls its operation and prints the result. */
export async function act(plan: Plan, given: unknown[], options: OperationOptions) {
  refuseBoth(options, 'all', 'cursor')
  refuseBoth(options, 'all', 'follow')
  for (const other of ['json', 'quiet', 'follow']) refuseBoth(options, 'csv', other)
  refuseBoth(options, 'allProjects', 'project')
  const input = await withoutSecrets(plan, await inputFrom(plan, given, options))
  if (plan.name === 'createKey') requireHolder(input, options)
  if (options.allProjects && plan.isWrite) input.project = null
  if (plan.name === 'search' && !options.json && !options.csv && !options.quiet) input.group ??= 'run'
  const place = placeFor(plan, input, options)
  if (options.dryRun) {
    if (plan.features.some((field) => typeof input[field] === 'string'))
      throw new UsageError('--dry-run sends nothing, so it cannot look up the feature: pass its number.')
    if (plan.name === 'updateProject') requireWholeRetention(input)
    return printRequest(plan, input, place, options)
  }
  await withClient(place, async (client) => {
    await numberFeatures(plan.features, client, input)
    if (plan.name === 'updateProject') await wholeRetention(client, input)
    if (plan.name === 'deleteProject') input.confirm ??= await askName(String(input.slug))
    if (options.follow) return followEvents(client, input, options)
    const call = callsOf(plan, client, `Waiting for ${shownPlace(place)}`, options)
    await printAll(plan, call, input, options)
  })
}

async function printAll(plan: Plan, call: SendCall, input: Input, options: OperationOptions) {
  const print = printerOf(plan, options)
  const isForPeople = !options.json && !options.quiet
  let next: Input | undefined = options.all ? { limit: mostRows, ...input } : input
  while (next) {
    const answer = await call(next)
    print(answer)
    requireDelivered(answer)
    if (isForPeople && !options.project) tellScope(answer)
    const after = nextOf(answer, next)
    const isWhole = options.all || (isText(answer) && !options.json)
    if (!isWhole && isForPeople) tellRest(answer, after, next)
    if (!(isWhole && after) && isForPeople) tellOmitted(answer)
    next = after && isWhole ? { ...next, ...after } : undefined
  }
}

/** Throws if a test message did not arrive. The server reports that as a result, not as an error. */
function requireDelivered({ delivery }: Input) {
  const { error } = (delivery ?? {}) as Partial<Delivery>
  if (error) throw new Error(`The test was not delivered: ${error}`)
}

/** Says that a new key is of one project, which the caller may have got from the folder without naming it. */
function tellScope({ key, secret }: Input) {
  const { project } = (key ?? {}) as Partial<Key>
  if (secret === undefined || !project) return
  process.stderr.write(`The key is for the project '${project}'. For one of the whole server: --all-projects\n`)
}

interface Meta {
  hasMore?: boolean
  nextCursor?: string
  lastSeq?: number
  total?: number
  omitted?: number
}

const metaOf = ({ meta }: Input) => (meta ?? {}) as Meta

/** Whether an answer is a piece of a text. */
const isText = ({ text, next }: Input) => typeof text === 'string' && typeof next === 'number'

/** The part of the input that selects the next page or piece; undefined if there is none. */
function nextOf(answer: Input, { order }: Input): Input | undefined {
  if (isText(answer)) return answer.text === '' ? undefined : { after: answer.next }
  const { hasMore, nextCursor, lastSeq } = metaOf(answer)
  if (!hasMore) return undefined
  if (nextCursor !== undefined) return { cursor: nextCursor }
  return lastSeq === undefined ? undefined : { [order === 'desc' ? 'before' : 'after']: lastSeq }
}

/** Says how to see the rest of a list, if there is more of it. */
function tellRest(answer: Input, after: Input | undefined, { limit }: Input) {
  const { hasMore, total } = metaOf(answer)
  const count = Object.values(answer).find(Array.isArray)?.length ?? 0
  if (after) {
    const [[field, value] = []] = Object.entries(after)
    const shown = total === undefined ? '' : `Shown: ${count} of ${total}. `
    process.stderr.write(`${shown}There is more: use --all for everything, or --${field} ${value} for the next page.\n`)
    return
  }
  if (!hasMore && (total ?? 0) <= count) return
  const shown = total === undefined ? `${count}; there are more` : `${count} of ${total}`
  const rest = limit === mostRows ? '' : ` To see more: --limit ${mostRows}`
  process.stderr.write(`Shown: ${shown}.${rest}\n`)
}

/** Says how many files a run or turn changed that its list does not have. */
function tellOmitted(answer: Input) {
  const { omitted = 0 } = metaOf(answer)
  const many = `${omitted.toLocaleString('en')} more file${omitted === 1 ? '' : 's'}`
  if (omitted > 0) process.stderr.write(`${many} changed, which no turn lists.\n`)
}

function printerOf({ name, route }: Plan, options: OperationOptions): (answer: Input) => void {
  const csv = options.csv ? csvPlanOf(name) : undefined
  if (csv) return csvPrinter(csv)
  if (options.json) return options.all ? printLines : (answer) => printJson(answer)
  const isTable = Object.keys(route.output.shape).some((name) => name in tables)
  const none = name === 'updateAttention' ? 'None of these runs needs attention.' : undefined
  return isTable ? listPrinter(options, none) : (answer) => printRecord(answer, options)
}

/** Prints one line of JSON for each item of a page. Groups have their count beside them. */
function printLines(page: Input) {
  for (const item of Object.values(page).filter(Array.isArray).flat()) process.stdout.write(`${jsonOf(item)}\n`)
}

/** Asks the person at the terminal for the name of a project that is to be deleted. Throws a UsageError where nobody can be asked. */
async function askName(slug: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new UsageError(`To delete project '${slug}' with everything in it, give its name: --confirm <name>`)
  }
  const message = `This deletes all runs, specs, checks and features of project '${slug}' for good. Type its name`
  const name = await asked((signal) => text({ message, output: process.stderr, signal }))
  if (isCancel(name)) throw new UsageError('Nothing was deleted.')
  return name ?? ''
}
