import { z } from 'zod'
import { contentType, exitCode, text } from '../../../contract/field.ts'
import { emptyOf, erasedField, givenOf, historyFields, numberField, shownOf, stored } from '../../../contract/stored.ts'
import { evidences } from '../verdict/evidence.ts'
import { dirty, objectId, tree } from '../work-fields.ts'

export const checkResult = z.enum(['pass', 'fail', 'warn'])
export type CheckResult = z.infer<typeof checkResult>

export const checkName = text(200, 1)

export const evidence = z
  .enum(evidences)
  .describe(
    'self: the author of the run says so. executed: a recorder of the run saw the command end. independent: recorded under a key that neither created the run nor wrote to it, and whose person did not either',
  )

export const recorder = z.enum(['hook', 'exec']).describe('The recorder of the run that saw the command end')

export const pipeline = z
  .strictObject({
    id: text(200, 1).describe('One run of the pipeline'),
    job: text(200, 1),
    attempt: z.int().min(1).max(1e12).optional().describe('A later attempt has a greater number; default: 1'),
  })
  .describe('Where it ran. One job of a pipeline never clears the failure of another')

const nullableText = z.string().nullable()
const nullableInt = z.int().nullable()

/** The fields of a check, in the order of a response. Rows, state, log, erasure and reference follow from this list. */
export const checkFields = {
  id: numberField,
  project: stored('word', z.string(), 'The slug of the project', { column: 'slug' }),
  checkId: stored('word', z.string(), 'The id of the check in its project'),
  runId: stored('word', z.string(), 'The id of the run in its project', { column: 'run' }),
  name: stored('text', z.string(), 'Its name', { given: checkName }),
  result: stored('word', checkResult, 'What the check found', { given: checkResult }),
  command: stored('text', nullableText, 'The command line', {
    given: text(4000, 1).nullable().describe('The command that ran'),
    isSearched: true,
  }),
  exitCode: stored('integer', nullableInt, 'The exit code of the command', { given: exitCode.nullable() }),
  durationMs: stored('integer', nullableInt, 'How long it took, in milliseconds', {
    given: z.int().min(0).max(1e12).nullable(),
  }),
  contentType: stored('word', contentType, 'How to interpret the content', {
    given: contentType,
    empty: 'text/markdown',
    isNullIfEmpty: true,
  }),
  evidence: stored('derived', evidence, 'How the result is known'),
  recorder: stored('word', recorder.nullable(), 'The recorder of the run that saw the command end', {
    given: recorder,
  }),
  commit: stored('text', nullableText, 'The id of a commit', {
    column: 'git_commit',
    given: text(64, 1).nullable().describe('The commit when the command ended'),
  }),
  startTree: stored('word', nullableText, 'The tree when the command began', {
    given: objectId
      .nullable()
      .describe(
        'The tree when the command began. Without `tree`, files changed while it ran; a different `tree` means that it left files that are not work',
      ),
  }),
  tree: stored('word', nullableText, "The id of the working folder's git tree", {
    column: 'git_tree',
    given: tree.nullable(),
  }),
  commitTree: stored('word', nullableText, 'The tree of the commit, in the form of `tree`', {
    given: objectId.nullable().describe('The tree of the commit'),
  }),
  dirty: stored('flag', z.boolean().nullable(), 'Whether tracked files differ from the commit', {
    column: 'git_dirty',
    given: dirty.nullable(),
  }),
  pipeline: stored('json', pipeline.nullable(), 'The run of a pipeline, and the job, in which it ran', {
    given: pipeline.nullable(),
  }),
  agent: stored('text', nullableText, 'The name of the agent', { given: text(200, 1).nullable() }),
  linkedTo: stored(
    'word',
    nullableText,
    'The first of the checks that one call recorded for several runs; null for that one, and for a check alone',
  ),
  ...historyFields,
  counts: stored('derived', z.boolean(), 'Whether no other check has taken its place'),
  replacedBy: stored('derived', nullableText, 'The check that took its place'),
  current: stored('derived', z.boolean(), 'Whether it applies to the current work of the run'),
  erasedAt: erasedField,
}

export const rowFields = {
  ...checkFields,
  documentId: stored('integer', nullableInt, 'Its content'),
  workVersion: stored('integer', z.int(), 'The version of the work that it is about', { isUnread: true }),
  resultBy: stored('integer', z.int(), 'The number of the actor whose result it is', { isUnread: true }),
  resultPerson: stored('word', nullableText, 'A hash of the mail of that person, or a mark that it is erased', {
    isUnread: true,
  }),
}

export const emptyCheck = emptyOf(checkFields)

const { name: _, result: __, recorder: ___, contentType: kind, ...others } = givenOf(checkFields)

/** The fields that a caller may set, at creation and later. */
export const checkInput = {
  content: text(Number.POSITIVE_INFINITY).optional().describe('What was found'),
  contentType: kind,
  ...others,
}

const inputSchema = z.object(checkInput)
export type CheckInput = z.infer<typeof inputSchema>

/** A check as lists show it. */
export const check = z.object(shownOf(checkFields)).meta({ id: 'Check' })
export type Check = z.infer<typeof check>

export const fullCheck = z.object({ ...check.shape, content: z.string() }).meta({ id: 'FullCheck' })
