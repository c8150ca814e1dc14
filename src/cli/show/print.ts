import { styleText } from 'node:util'
import type { Output } from '../../client/client.ts'
import { spanOf } from '../../contract/span.ts'
import { markdownOf } from '../../nouns/run/turn.ts'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import { type CsvPlan, csvOf } from '../../operations/csv.ts'
import { relative } from '../../terminal/amount.ts'
import type { Manner } from '../../terminal/option.ts'
import { fitted, laidOut, widthOf } from '../../terminal/table.ts'
import { clean, jsonOf, line } from '../../text/clean.ts'
import { actorName, type ShownActor, type ShownItem } from './cells.ts'
import { type ShownTable, type TableColumn, tables } from './columns.ts'

type Body = Record<string, unknown>

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const colours: Record<string, 'green' | 'red' | 'yellow'> = {
  completed: 'green',
  verified: 'green',
  pass: 'green',
  failed: 'red',
  failing: 'red',
  fail: 'red',
  in_progress: 'yellow',
  stale: 'yellow',
  warned: 'yellow',
  warn: 'yellow',
}

const paint = (text: string) => {
  const colour = colours[text]
  return colour ? styleText(colour, text, { stream: process.stdout }) : text
}

const isRecord = (value: unknown): value is ShownItem =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isEmpty = (value: unknown) =>
  value === null ||
  value === undefined ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0)

/** A field of a result by name. A duration says its units in place of its name: `duration 3m 20s`. */
function fieldOf(name: string, value: unknown, utc = false): [name: string, text: string] {
  const isDuration = name.endsWith('Ms') && typeof value === 'number'
  return isDuration ? [line(name.slice(0, -2)), spanOf(value)] : [line(name), shown(value, utc)]
}

/** A value of a result on one line. */
export function shown(value: unknown, utc = false): string {
  if (isEmpty(value)) return ''
  if (typeof value === 'string' && moment.test(value)) return utc ? value : relative(value, Date.now())
  if (Array.isArray(value))
    return value.map((one) => shown(isRecord(one) ? Object.values(one).join(' ') : one)).join(', ')
  if (!isRecord(value)) return line(String(value))
  const given = Object.entries(value).filter(([, part]) => !isEmpty(part))
  return given.map(([name, part]) => fieldOf(name, part, utc).join(' ')).join(', ')
}

/** `name: value` lines with aligned values. Empty values are left out. */
export function pairs(given: [name: string, value: string][]): string {
  const filled = given.filter(([, value]) => value !== '')
  const width = Math.max(...filled.map(([name]) => name.length)) + 1
  return filled.map(([name, value]) => `${`${name}:`.padEnd(width)} ${value}`).join('\n')
}

const out = (text: string) => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)

/** Prints the result as JSON. */
export const printJson = (answer: unknown) => out(jsonOf(answer, 2))

/** The list in a result: its table and rows. The rows of a list of plain values have one field. */
function listIn(answer: Body): { table: ShownTable; rows: ShownItem[] } | undefined {
  const [name, rows] = Object.entries(answer).find(([name, value]) => Array.isArray(value) && name in tables) ?? []
  const table = tables[name ?? '']
  return table && { table, rows: (rows as unknown[]).map((row) => (isRecord(row) ? row : { value: row })) }
}

/** Prints the results of one list page by page, with the columns of the first page, or `none`. Widths only grow. */
export function listPrinter(manner: Manner, none = 'Nothing found.'): (answer: Body) => void {
  let columns: TableColumn[] = []
  let widths: number[] = []
  return (answer) => {
    const { table, rows } = listIn(answer) ?? {}
    if (!table || !rows?.length) {
      if (!manner.quiet && columns.length === 0 && !hasMoreOf(answer)) process.stderr.write(`${none}\n`)
      return
    }
    if (manner.quiet) return void out(rows.map((row) => clean(String(row[table.id]))).join('\n'))
    const isFirst = columns.length === 0
    if (isFirst) columns = columnsFor(table, rows)
    const shownRows = table.total ? [...rows, table.total(answer)] : rows
    const cells = shownRows.map((row) => columns.map((column) => cellOf(column, row, manner)))
    const lines = isFirst ? [columns.map(({ head }) => head), ...cells] : cells
    widths = columns.map((_, at) => Math.max(widths[at] ?? 1, ...lines.map((cells) => widthOf(cells[at] ?? ''))))
    const id = columns.findIndex(({ of }) => of === table.id)
    out(onScreen(columns, lines, widths, id))
    if (table.below) out(`\n${pairs([[table.below, shown(answer[table.below])]])}`)
  }
}

/** Whether more follows: a page of a search may be empty, and a later one not. */
const hasMoreOf = ({ meta }: Body) => isRecord(meta) && meta.hasMore === true

/** The lines in columns of those widths, cut to the width of the terminal. */
function onScreen(columns: TableColumn[], lines: string[][], widths: number[], id: number): string {
  const wide = new Set(columns.flatMap(({ isWide }, at) => (isWide ? [at] : [])))
  const room = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY
  const painted = lines.map((cells) => cells.map(paint))
  return laidOut(painted, fitted(widths, wide, room, id))
}

/** The columns worth showing: those with a value, and the project if there are several. */
function columnsFor({ columns }: ShownTable, rows: ShownItem[]): TableColumn[] {
  const filled = columns.filter((column, at) => at < 2 || rows.some((row) => cellOf(column, row, {}) !== ''))
  const projects = new Set(rows.map(({ project }) => project))
  const isShown = filled.some(({ of }) => of === 'project')
  return projects.size > 1 && !isShown ? [{ head: 'PROJECT', of: 'project' }, ...filled] : filled
}

const cellOf = ({ of }: TableColumn, row: ShownItem, { utc }: Manner) =>
  typeof of === 'function' ? line(of(row)) : shown(row[of], utc)

/** Prints a result that is not a list: a record with its content, content alone, or what was done. */
export function printRecord(answer: Body, manner: Manner) {
  const { message, secret, ...rest } = answer
  const text = answer.text ?? answer.note ?? answer.proof
  if (typeof text === 'string') return process.stdout.write(process.stdout.isTTY ? clean(text) : text)
  if (manner.quiet) return printEssence(answer)
  if (typeof message === 'string') out(clean(message))
  const lines: [string, string][] = []
  let content = ''
  for (const [name, value] of Object.entries(rest)) {
    if (typeof message === 'string' && name !== 'created') continue
    if (name === 'key' && !isRecord(value)) lines.push([name, 'none: the user of this machine'])
    else if (!isRecord(value)) lines.push(fieldOf(name, value, manner.utc))
    else if (name === 'lease') lines.push(['leaseToken', shown(value.token)])
    else {
      const story = storyOf(name, value)
      content = clean(story.content)
      lines.push(...linesOf(story.fields, '', manner))
    }
  }
  if (typeof secret === 'string') lines.push(['secret', secret])
  // A result may repeat what a part of it says, as whoami does the permissions of the key.
  const once = new Map(lines.map(([name, value]) => [`${name} ${value}`, [name, value] as [string, string]]))
  if (lines.length > 0) out(pairs([...once.values()]))
  if (content !== '') out(`\n${content}`)
}

/** Fields with their own format. */
const forms: Record<string, (value: unknown) => string> = {
  labels: (labels) =>
    line(
      Object.entries(labels as ShownItem)
        .map((pair) => pair.join('='))
        .join(', '),
    ),
  createdBy: (actor) => line(actorName(actor as ShownActor)),
  updatedBy: (actor) => line(actorName(actor as ShownActor)),
  // Leave out the default.
  contentType: (type) => (type === 'text/markdown' ? '' : String(type)),
  turns: (turns) => turnsText(turns as RunTurns),
  status: (status) => paint(shown(status)),
}

type RunTurns = Output<'getRun'>['run']['turns']

/** The number of closed turns, and which one is open. */
const turnsText = ({ count, open }: RunTurns) =>
  [count > 0 && String(count), open && `turn ${open.n} is open`].filter(Boolean).join(', ')

function linesOf(fields: ShownItem, prefix: string, manner: Manner): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]): [string, string][] => {
    const form = value === null ? undefined : forms[name]
    if (form) return [[`${prefix}${name}`, form(value)]]
    const isDeep = isRecord(value) && Object.values(value).some(isRecord)
    if (isDeep) return linesOf(value, `${prefix}${name}.`, manner)
    const [label, text] = fieldOf(name, value, manner.utc)
    return [[`${prefix}${label}`, text]]
  })
}

/** Prints what a script needs: the secret that is shown only once, else the id. */
function printEssence({ secret, ...answer }: Body) {
  if (typeof secret === 'string') return out(secret)
  for (const [name, value] of Object.entries(answer)) {
    const id = tables[`${name}s`]?.id
    if (id !== undefined && isRecord(value)) return out(String(value[id]))
  }
}

/** A record for people: its fields, and the text below them. */
interface Story {
  fields: ShownItem
  content: string
}

/** A turn shows the prompt, the answer and the work; other records show their content, and a run also its open turn. */
function storyOf(name: string, record: ShownItem): Story {
  if (name !== 'turn') {
    const { content, ...fields } = record
    const { open } = (name === 'run' ? (record.turns ?? {}) : {}) as Partial<RunTurns>
    const whole = typeof content === 'string' ? content : ''
    const between = open && /[^\n]$/.test(whole) ? '\n\n' : ''
    return { fields, content: `${whole}${between}${open ? markdownOf(open) : ''}` }
  }
  const turn = record as unknown as Turn
  const { project, runId, n, startedAt, endedAt, model, usage, git, createdBy } = turn
  return { fields: { project, runId, n, startedAt, endedAt, model, usage, git, createdBy }, content: markdownOf(turn) }
}

/** Prints answers of one list page after page as CSV, with one header. */
export function csvPrinter(plan: CsvPlan): (answer: Record<string, unknown>) => void {
  let isFirst = true
  return (answer) => {
    const text = csvOf(plan, answer, isFirst)
    isFirst = false
    process.stdout.write(process.stdout.isTTY ? clean(text) : text)
  }
}
