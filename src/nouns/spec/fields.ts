import { z } from 'zod'
import { text, time } from '../../contract/field.ts'
import { emptyOf, erasedField, givenOf, historyFields, numberField, shownOf, stored } from '../../contract/stored.ts'
import { counts } from '../run/fields.ts'
import { statuses, verdicts } from '../run/state.ts'
import { used } from '../run/stats-fields.ts'

export const specStatus = z.enum(['draft', 'pending', 'in_progress', 'completed', 'archived'])

const checklist = z
  .object({ total: z.int().describe('How many items it has'), done: z.int() })
  .meta({ id: 'Checklist' })

/** The fields of a spec, in the order of a response. Rows, state, erasure and reference follow from this list. */
export const specFields = {
  id: numberField,
  project: stored('word', z.string(), 'The slug of the project', { column: 'slug' }),
  specId: stored('word', z.string(), 'The id of the spec in its project'),
  title: stored('text', z.string().nullable(), 'The title', {
    given: text(300, 1).nullable().describe('Default: the first heading or line of the first content'),
  }),
  status: stored('word', specStatus, 'The status', { given: specStatus, empty: 'draft' }),
  agent: stored('text', z.string().nullable(), 'Who wrote it', {
    given: text(200, 1).nullable(),
  }),
  checklist: stored('derived', checklist, 'The items of the checklist in its content'),
  ...historyFields,
  erasedAt: erasedField,
}

export const rowFields = {
  ...specFields,
  documentId: stored('integer', z.int().nullable(), 'Its content'),
  checklistTotal: stored('integer', z.int(), 'How many items its checklist has'),
  checklistDone: stored('integer', z.int(), 'How many of them are done'),
}

export const emptySpec = emptyOf(specFields)

const { title, ...others } = givenOf(specFields)

/** The fields that a caller may set, at creation and later. */
export const specInput = {
  title,
  content: text(Number.POSITIVE_INFINITY)
    .optional()
    .describe('Markdown; its `- [ ]` and `- [x]` items are the checklist'),
  ...others,
}

const inputSchema = z.object(specInput)
export type SpecInput = z.infer<typeof inputSchema>

/** A spec as lists show it. */
export const spec = z.object(shownOf(specFields)).meta({ id: 'Spec' })
export type Spec = z.infer<typeof spec>

/** The totals of a spec's runs. */
const totals = z
  .object({
    runs: z.int(),
    byStatus: counts(statuses),
    byVerdict: counts(verdicts),
    attempts: z.int().describe('Runs that retry another'),
    ...used,
  })
  .meta({ id: 'SpecTotals' })
export type Totals = z.infer<typeof totals>

/** A spec as getSpec returns it. */
export const fullSpec = z.object({ ...spec.shape, content: z.string(), totals }).meta({ id: 'FullSpec' })

/** A version of a spec's text, earlier or current. */
export const specVersion = z
  .object({ version: z.int(), title: z.string().nullable(), createdAt: time })
  .meta({ id: 'SpecVersion' })
export const fullSpecVersion = z.object({ ...specVersion.shape, content: z.string() }).meta({ id: 'FullSpecVersion' })

/**
 * Counts the items and the ticked items of the checklist in a Markdown text, whose lines end at CR and LF only. Items in
 * fences and in HTML comments do not count.
 */
export function checklistOf(content: string): Spec['checklist'] {
  const list = { total: 0, done: 0 }
  /** Ends the fence or the comment that is open. */
  let end: RegExp | undefined
  for (const line of content.split(/\r\n|[\r\n]/)) {
    const isHidden = end !== undefined
    if (end?.test(line)) end = undefined
    else end ??= endOf(line)
    const box = isHidden || end ? undefined : /^[ \t]*(?:[-*+]|\d+[.)]) \[([ xX])\] /.exec(line)?.[1]
    if (box === undefined) continue
    list.total++
    if (box !== ' ') list.done++
  }
  return list
}

/** What ends the fence or the comment that a line begins, which may be in a list; undefined if it begins none. */
function endOf(line: string): RegExp | undefined {
  const text = line.trimStart().replace(/^(?:[-*+]|\d+[.)])[ \t]+/, '')
  const fence = /^(?:`{3,}(?=[^`]*$)|~{3,})/.exec(text)?.[0]
  if (fence) return new RegExp(`^[ \\t]*${fence}${fence[0]}*[ \\t]*$`)
  return text.startsWith('<!--') && !text.includes('-->') ? /-->/ : undefined
}
