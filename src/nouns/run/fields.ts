import { z } from 'zod'
import {
  actor,
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
import { titleBytes } from '../../text/title.ts'
import { checkName, evidence } from './check/fields.ts'
import { statuses, verdicts } from './state.ts'
import { turn } from './turn-fields.ts'
import { activity, changes, failure, git, usage } from './work-fields.ts'

export const runStatus = z.enum(statuses)
export type RunStatus = z.infer<typeof runStatus>

export const verdict = z.enum(verdicts)

/** A number for each of `keys`. */
export const counts = <Key extends string>(keys: readonly Key[]) =>
  z.object(Object.fromEntries(keys.map((key) => [key, z.int()])) as Record<Key, z.ZodInt>)

const label = {
  name: /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/,
  rule: 'a label name is 1 to 63 of A-Z a-z 0-9 . _ / - and begins with a letter or digit',
}

export const labelName = z.string().regex(label.name, label.rule)

const mostLabels = 32

// A record checks its entries before their number, and drops the key `__proto__` before it checks the pattern.
const labels = z.preprocess(
  (value, context) => {
    const refuse = (message: string, ...path: string[]) =>
      context.issues.push({ code: 'custom', message, input: value, path })
    if (!(value instanceof Object) || Array.isArray(value)) return value
    if (Object.hasOwn(value, '__proto__')) refuse(label.rule, '__proto__')
    if (Object.keys(value).length <= mostLabels) return value
    refuse(`must have at most ${mostLabels} labels`)
    return {}
  },
  z.record(labelName, text(256)),
)

export const where = z.strictObject({
  host: text(200).optional(),
  cwd: text(1000).optional(),
  session: text(200).optional(),
})

export const link = z.strictObject({ rel: text(64, 1), href: text(2048, 1) })

const links = z.array(link).max(32, 'at most 32 links').describe('Pull request, CI job, transcript and the like')

/** The fields that a caller may set, at creation and later. */
export const runFields = {
  title: text(titleBytes, 1).nullable().optional().describe('Default: the first heading or line of the content'),
  specId: humanId.nullable().optional().describe('The spec that the run works on; it need not be registered'),
  content: text(Number.POSITIVE_INFINITY).optional().describe('Markdown, or as contentType says'),
  contentType: contentType.optional(),
  status: runStatus.optional(),
  startedAt: timeInput.optional().describe('Default: now; at most 5 minutes ahead'),
  endedAt: timeInput.optional().describe('Not before startedAt; only with a status that ends the run'),
  agent: text(200, 1).nullable().optional().describe('The agent that does the work: "claude-code", "ci"'),
  author: author.nullable().optional(),
  command: text(4000, 1).nullable().optional().describe('The command that the run records'),
  exitCode: exitCode.nullable().optional(),
  labels: labels.optional(),
  where: where.nullable().optional(),
  git: git.nullable().optional(),
  changes: changes.nullable().optional(),
  links: links.optional(),
  usage: usage.nullable().optional(),
  failure: failure.nullable().optional().describe('Why it failed; only with status failed'),
}

/** The names of the checks that a verdict needs. A recorder sets them when it creates the run. */
export const required = z
  .array(checkName)
  .max(50)
  .describe('The names of the checks that must pass. Without any, every name that has a check must')

const fieldsSchema = z.object(runFields)
export type RunFields = z.infer<typeof fieldsSchema>

/** A run as lists show it. */
export const run = z
  .object({
    id: rowId,
    project: z.string(),
    runId: z.string(),
    title: z.string().nullable(),
    specId: z.string().nullable(),
    specVersion: z.int().nullable(),
    status: runStatus,
    agent: z.string().nullable(),
    author: z.string().nullable(),
    command: z.string().nullable(),
    exitCode: z.int().nullable(),
    contentType,
    labels: z.record(z.string(), z.string()),
    where: where.nullable(),
    git: git.nullable(),
    changes: changes.nullable(),
    links,
    usage: usage.nullable(),
    failure: failure.nullable(),
    retryOf: z.string().nullable(),
    attempt: z.int(),
    verdict,
    evidence: evidence.nullable(),
    why: z.string().nullable().describe('The verdict in a sentence'),
    required: required.nullable(),
    rejudged: z
      .literal(true)
      .optional()
      .describe('An upgrade derived the verdict by a new rule, and it has not changed since'),
    activity: activity.nullable().describe('What it is doing, while in progress'),
    leaseExpiresAt: time.nullable(),
    lastSeenAt: time.nullable(),
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    createdAt: time,
    updatedAt: time,
    createdBy: actor,
    updatedBy: actor,
    version: z.int(),
    erasedAt: time.optional().describe('When texts of it were erased; missing if none were'),
  })
  .meta({ id: 'Run' })
export type Run = z.infer<typeof run>

const linkedFeature = z.object({ id: rowId, name: z.string() }).meta({ id: 'LinkedFeature' })
const runTurns = z.object({ count: z.int(), last: turn.optional() }).meta({ id: 'RunTurns' })

/** A run as getRun returns it. */
export const fullRun = z
  .object({
    ...run.shape,
    content: z.string(),
    features: z.array(linkedFeature),
    turns: runTurns,
  })
  .meta({ id: 'FullRun' })

/** The newest run of something, in a list of such things. */
export const lastRun = run.pick({ runId: true, status: true, verdict: true, createdAt: true }).meta({ id: 'LastRun' })
export type LastRun = z.infer<typeof lastRun>

export const runAnswer = z.object({ run })
export const runPage = z.object({ runs: z.array(run), meta: pageMeta })
