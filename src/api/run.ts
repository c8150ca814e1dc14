import { z } from 'zod'
import { statuses, verdicts } from '../ledger/run.ts'
import { titleBytes } from '../ledger/title.ts'
import { humanId, rowId, text, time } from './field.ts'

export const runStatus = z.enum(statuses)
export type RunStatus = z.infer<typeof runStatus>

export const verdict = z.enum(verdicts)

/** A number for each of `keys`. */
export const counts = <Key extends string>(keys: readonly Key[]) =>
  z.object(Object.fromEntries(keys.map((key) => [key, z.int()])) as Record<Key, z.ZodInt>)

const count = z.int().min(0).max(1e12)

const label = {
  name: /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/,
  rule: 'a label name is 1 to 63 of A-Z a-z 0-9 . _ / - and begins with a letter or digit',
}

// A record drops the key `__proto__` before its pattern is looked at, so that one is refused first.
const labels = z.preprocess(
  (value, context) => {
    if (value instanceof Object && Object.hasOwn(value, '__proto__')) {
      context.issues.push({ code: 'custom', message: label.rule, input: value, path: ['__proto__'] })
    }
    return value
  },
  z
    .record(z.string().regex(label.name, label.rule), text(256))
    .refine((value) => Object.keys(value).length <= 32, 'must have at most 32 labels'),
)

const where = z.strictObject({
  host: text(200).optional(),
  cwd: text(1000).optional(),
  session: text(200).optional(),
})

const git = z.strictObject({
  repository: text(512).optional(),
  branch: text(255).optional(),
  base: text(255).optional(),
  commit: text(64).optional(),
  dirty: z.boolean().optional(),
})

const changes = z.strictObject({
  files: count.optional(),
  insertions: count.optional(),
  deletions: count.optional(),
})

const links = z
  .array(z.strictObject({ rel: text(64, 1), href: text(2048, 1) }))
  .max(32, 'at most 32 links')
  .describe('Pull request, CI job, transcript and the like')

const usage = z.strictObject({
  model: text(100).optional(),
  inputTokens: count.optional(),
  outputTokens: count.optional(),
  costUsd: z.number().min(0).max(1e9).optional(),
})

const failure = z.strictObject({
  code: z.string().regex(/^[A-Z0-9_]{1,64}$/, 'must be 1 to 64 of A-Z 0-9 _'),
  message: text(4000),
})

/** What a caller may say of a run, at its creation and later. */
export const runFields = {
  title: text(titleBytes, 1).nullable().optional().describe("Else the content's first heading or line"),
  specId: humanId.nullable().optional().describe('The spec that the run works on; it need not be registered'),
  content: text(Number.POSITIVE_INFINITY).optional().describe('Markdown'),
  status: runStatus.optional(),
  agent: text(200, 1).nullable().optional().describe('Who does the work: "claude-code", "ci"'),
  labels: labels.optional(),
  where: where.nullable().optional(),
  git: git.nullable().optional(),
  changes: changes.nullable().optional(),
  links: links.optional(),
  usage: usage.nullable().optional(),
  failure: failure.nullable().optional().describe('Why it failed; stands only with status failed'),
}

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
    evidence: z.enum(['self', 'executed', 'independent']).nullable(),
    leaseExpiresAt: time.nullable(),
    lastSeenAt: time.nullable(),
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    createdAt: time,
    updatedAt: time,
    version: z.int(),
  })
  .meta({ id: 'Run' })
export type Run = z.infer<typeof run>

/** A run as reading it alone shows it. */
export const fullRun = z
  .object({
    ...run.shape,
    content: z.string(),
    features: z.array(z.object({ id: rowId, name: z.string() })),
  })
  .meta({ id: 'FullRun' })
