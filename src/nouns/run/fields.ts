import { z } from 'zod'
import {
  type ActorName,
  author,
  contentType,
  exitCode,
  humanId,
  pageMeta,
  rowId,
  text,
  time,
  timeInput,
} from '../../contract/field.ts'
import {
  emptyOf,
  erasedField,
  givenOf,
  historyFields,
  numberField,
  parsed,
  type RowOf,
  shownOf,
  stored,
} from '../../contract/stored.ts'
import { titleBytes } from '../../text/title.ts'
import { checkName, evidence } from './check/fields.ts'
import { labels, links, where } from './part-fields.ts'
import { statuses, verdicts } from './state.ts'
import { turn } from './turn-fields.ts'
import { sentenceOfNothing } from './verdict/sentence.ts'
import { activity, changes, failure, git, usage } from './work-fields.ts'

export const runStatus = z.enum(statuses)
export type RunStatus = z.infer<typeof runStatus>

export const verdict = z.enum(verdicts)

/** A number for each of `keys`. */
export const counts = <Key extends string>(keys: readonly Key[]) =>
  z.object(Object.fromEntries(keys.map((key) => [key, z.int()])) as Record<Key, z.ZodInt>)

/** The names of the checks that a verdict needs. A recorder sets them when it creates the run. */
export const required = z
  .array(checkName)
  .max(50)
  .describe('The names of the checks that must pass. Without any, every name that has a check must')

const nullableText = z.string().nullable()
const nullableInt = z.int().nullable()
const nullableTime = time.nullable()

/** The fields of a run, in the order of a response. Rows, state, log, erasure and reference follow from this list. */
export const runFields = {
  id: numberField,
  project: stored('derived', z.string(), 'The slug of the project'),
  runId: stored('word', z.string(), 'The id of the run in its project'),
  title: stored('text', nullableText, 'The title', {
    given: text(titleBytes, 1).nullable().describe('Default: the first heading or line of the first content'),
  }),
  specId: stored('word', nullableText, 'The id of the spec in its project', {
    given: humanId.nullable().describe('The spec that the run works on; it need not be registered'),
    isSearched: true,
  }),
  specVersion: stored(
    'integer',
    nullableInt,
    'The version that the spec had when the run began, else the first one that came while it went on; of a run that has not begun, the newest. It is found when the run is linked to the spec and when it begins: null if the ledger had none then',
    { isFact: true },
  ),
  status: stored('word', runStatus, 'The status', { given: runStatus, empty: 'pending' }),
  agent: stored('text', nullableText, 'The name of the agent that does the work', {
    given: text(200, 1).nullable().describe('The agent that does the work: "claude-code", "ci"'),
    isSearched: true,
  }),
  agentVersion: stored('text', nullableText, 'The version of the agent', {
    given: text(100, 1).nullable().describe('The version of the agent: "2.1.332"'),
  }),
  author: stored('text', nullableText, 'The person for whom the work is done', {
    given: author.nullable(),
    isSearched: true,
  }),
  command: stored('text', nullableText, 'The command line', {
    given: text(4000, 1).nullable().describe('The command that the run records'),
    isSearched: true,
  }),
  exitCode: stored('integer', nullableInt, 'The exit code of the command', { given: exitCode.nullable() }),
  contentType: stored('word', contentType, 'How to interpret the content', {
    given: contentType,
    empty: 'text/markdown',
    isNullIfEmpty: true,
  }),
  labels: stored('json', z.record(z.string(), z.string()), 'Labels by name', { given: labels, empty: {} }),
  where: stored('json', where.nullable(), 'Where the work was done', { column: 'location', given: where.nullable() }),
  git: stored('json', git.nullable(), 'The state of the repository', { given: git.nullable() }),
  changes: stored('figures', changes.nullable(), 'What changed', { given: changes.nullable() }),
  links: stored('json', links, 'Pull request, CI job, transcript and the like', { given: links, empty: [] }),
  usage: stored('derived', usage.nullable(), 'Tokens and cost', { given: usage.nullable() }),
  failure: stored('json', failure.nullable(), 'Why it failed', {
    given: failure.nullable().describe('Why it failed; only with status failed'),
  }),
  retryOf: stored('word', nullableText, 'The runId of the run that this one retries', {
    column: 'retry_of_run',
    isFact: true,
  }),
  attempt: stored('integer', z.int(), 'The number of the attempt at the task, from 1', { isFact: true, usual: 1 }),
  verdict: stored('word', verdict, 'The verdict of the checks', { isFact: true, usual: 'unchecked' }),
  evidence: stored('word', evidence.nullable(), 'How the result is known: self, executed or independent', {
    isFact: true,
  }),
  why: stored('text', nullableText, 'The verdict in a sentence', {
    isFact: true,
  }),
  required: stored('json', required.nullable(), 'The names of the checks that must pass', { isFact: true }),
  rejudged: stored(
    'derived',
    z.literal(true).optional(),
    'An upgrade derived the verdict by a new rule, and it has not changed since',
  ),
  activity: stored('json', activity.nullable(), 'What it is doing, while in progress'),
  leaseExpiresAt: stored('time', nullableTime, 'When the lease expires; null: no lease', { isFact: true }),
  lastSeenAt: stored('time', nullableTime, 'When the holder of the lease last sent something'),
  startedAt: stored('time', nullableTime, 'When it began', {
    given: timeInput.describe('Only for a run that has started. Default: now; at most 5 minutes ahead'),
  }),
  endedAt: stored('time', nullableTime, 'When it ended', {
    given: timeInput.describe('Not before startedAt; only with a status that ends the run'),
  }),
  ...historyFields,
  erasedAt: erasedField,
}

/** The columns of a run that no response shows as they are. */
export const innerFields = {
  projectId: stored('integer', z.int(), 'Its project'),
  documentId: stored('integer', nullableInt, 'Its content'),
  session: stored('text', nullableText, 'where.session, which lists search by'),
  branch: stored('text', nullableText, 'git.branch, which lists search by', { isSearched: true }),
  commitTree: stored('word', nullableText, 'git.commitTree, which checks by commit search by', { isUnread: true }),
  uncommittedTree: stored('word', nullableText, 'git.tree of work that is not all committed, for the same search', {
    isUnread: true,
  }),
  model: stored('text', nullableText, 'usage.model'),
  inputTokens: stored('integer', nullableInt, 'usage.inputTokens, for sums'),
  outputTokens: stored('integer', nullableInt, 'usage.outputTokens, for sums'),
  cacheReadTokens: stored('integer', nullableInt, 'usage.cacheReadTokens, for sums'),
  cacheWriteTokens: stored('integer', nullableInt, 'usage.cacheWriteTokens, for sums'),
  costUsd: stored('real', z.number().nullable(), 'usage.costUsd, for sums'),
  costSource: stored('word', z.enum(['reported', 'estimated']).nullable(), 'usage.costSource'),
  judged: stored('integer', z.int(), 'By which rule its verdict was derived'),
  authorPerson: stored('word', nullableText, 'A hash of the mail of its author, or a mark that it is erased'),
  creatorPerson: stored('word', nullableText, 'A hash of the mail of who created it, or a mark that it is erased'),
  recorderToken: stored('word', nullableText, 'The token of the lease with which it was created'),
  workVersion: stored('integer', z.int(), 'The version of the work, which checks without a tree are about'),
  leaseToken: stored('word', nullableText, 'The token of its lease'),
  leaseSeconds: stored('integer', nullableInt, 'How long its lease lasts'),
  expiredAt: stored('time', nullableTime, 'When a retention dropped its texts, unless it got others since', {
    isUnread: true,
  }),
}

export const rowFields = { ...runFields, ...innerFields }

export const emptyRun = emptyOf(runFields)

const { title, specId, ...others } = givenOf(runFields)

/** The fields that a caller may set, at creation and later. */
export const runInput = {
  title,
  specId,
  content: text(Number.POSITIVE_INFINITY).optional().describe('Markdown, or as contentType says'),
  ...others,
}

const inputSchema = z.object(runInput)
export type RunInput = z.infer<typeof inputSchema>

/** A run as lists show it. */
export const run = z.object(shownOf(runFields)).meta({ id: 'Run' })
export type Run = z.infer<typeof run>

type RunRow = RowOf<typeof rowFields>

/** The value of `judged` for a run whose verdict an upgrade changed last. */
export const rejudgedByUpgrade = 2

/** The run of a row. Field by field, because lists build a page of these for every request: a loop takes three times as long. */
export function runOf(row: RunRow, project: string, actors: ReadonlyMap<number, ActorName>): Run {
  return {
    id: row.id,
    project,
    runId: row.run_id,
    title: row.title,
    specId: row.spec_id,
    specVersion: row.spec_version,
    status: row.status,
    agent: row.agent,
    agentVersion: row.agent_version,
    author: row.author,
    command: row.command,
    exitCode: row.exit_code,
    contentType: row.content_type ?? 'text/markdown',
    labels: parsed(row.labels),
    where: parsed(row.location),
    git: parsed(row.git),
    changes: parsed(row.changes),
    links: parsed(row.links),
    usage: usageOf(row),
    failure: parsed(row.failure),
    retryOf: row.retry_of_run,
    attempt: row.attempt,
    verdict: row.verdict,
    evidence: row.evidence,
    why: whyOf(row),
    required: parsed(row.required),
    activity: parsed(row.activity),
    leaseExpiresAt: row.lease_expires_at,
    lastSeenAt: row.last_seen_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    createdBy: actors.get(row.created_by) as ActorName,
    updatedBy: actors.get(row.updated_by) as ActorName,
    version: row.version,
    ...(row.judged === rejudgedByUpgrade && { rejudged: true as const }),
    ...(row.erased_at !== null && { erasedAt: row.erased_at }),
  }
}

/** The verdict in a sentence. Without checks it is not stored. */
export const whyOf = ({ why, verdict, required }: Pick<RunRow, 'why' | 'verdict' | 'required'>): string | null =>
  why ?? (verdict === 'unchecked' ? sentenceOfNothing(parsed(required) ?? []) : null)

/** Usage has its own columns, for sums. Null means that the field was not given. */
export function usageOf(row: RunRow): Run['usage'] {
  const { model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd, cost_source } = row
  const usage = {
    ...(model !== null && { model }),
    ...(input_tokens !== null && { inputTokens: input_tokens }),
    ...(output_tokens !== null && { outputTokens: output_tokens }),
    ...(cache_read_tokens !== null && { cacheReadTokens: cache_read_tokens }),
    ...(cache_write_tokens !== null && { cacheWriteTokens: cache_write_tokens }),
    ...(cost_usd !== null && { costUsd: cost_usd }),
    ...(cost_source !== null && { costSource: cost_source }),
  }
  return Object.keys(usage).length === 0 ? null : usage
}

const linkedFeature = z.object({ id: rowId, name: z.string() }).meta({ id: 'LinkedFeature' })
const runTurns = z
  .object({
    count: z.int().describe('How many turns are closed'),
    last: turn.optional().describe('The last closed turn'),
    open: turn.optional().describe('The turn in progress, or one whose end was lost'),
  })
  .meta({ id: 'RunTurns' })

/** How many of its features one run shows. */
export const shownFeatures = 100

/** A run as getRun returns it. */
export const fullRun = z
  .object({
    ...run.shape,
    content: z.string(),
    features: z.array(linkedFeature).describe(`Its ${shownFeatures} oldest features`),
    featuresOmitted: z
      .int()
      .optional()
      .describe('How many more features it has, which listFeatures with runId returns; missing if none'),
    turns: runTurns,
  })
  .meta({ id: 'FullRun' })

/** The newest run of something, in a list of such things. */
export const lastRun = run.pick({ runId: true, status: true, verdict: true, createdAt: true }).meta({ id: 'LastRun' })
export type LastRun = z.infer<typeof lastRun>

export const runAnswer = z.object({ run })
export const runPage = z.object({ runs: z.array(run), meta: pageMeta })
