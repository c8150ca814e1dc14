import { z } from 'zod'
import { invalid } from './error.ts'
import { fits, humanId, rowId, text, time } from './field.ts'

export const statuses = ['pending', 'in_progress', 'completed', 'failed'] as const
export const runStatus = z.enum(statuses)
export type RunStatus = z.infer<typeof runStatus>

/** What the checks of a run come to. */
export const verdicts = ['unchecked', 'failing', 'warned', 'stale', 'verified'] as const
export const verdict = z.enum(verdicts)

/** A number for each of `keys`. */
export const counts = <Key extends string>(keys: readonly Key[]) =>
  z.object(Object.fromEntries(keys.map((key) => [key, z.int()])) as Record<Key, z.ZodInt>)

const titleBytes = 300
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
    .refine((value) => Object.keys(value).length <= 32, 'at most 32 labels'),
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

/** What a change of a run moves; content is carried beside it. */
export type RunState = Pick<
  Run,
  | 'title'
  | 'specId'
  | 'status'
  | 'agent'
  | 'labels'
  | 'where'
  | 'git'
  | 'changes'
  | 'links'
  | 'usage'
  | 'failure'
  | 'startedAt'
  | 'endedAt'
>

export const emptyRun: RunState = {
  title: null,
  specId: null,
  status: 'pending',
  agent: null,
  labels: {},
  where: null,
  git: null,
  changes: null,
  links: [],
  usage: null,
  failure: null,
  startedAt: null,
  endedAt: null,
}

const ended = (status: RunStatus) => status === 'completed' || status === 'failed'

/**
 * The state of a run after `patch`, at the moment `now`. Any status may follow any; a run that ends for the second time
 * without having been reopened keeps its first end. Throws VALIDATION_ERROR when the patch gives a failure to a run
 * that has not failed.
 */
export function change(before: RunState, patch: RunFields, now: string): RunState {
  const { content, ...given } = patch
  const after: RunState = { ...before, ...definedOf(given) }
  if (after.status !== 'failed') {
    if (patch.failure) throw invalid('failure', `stands only with status 'failed', and the status is '${after.status}'`)
    after.failure = null
  }
  if (after.title === null && content !== undefined) after.title = titleOf(content)
  if (after.status !== 'pending') after.startedAt ??= now
  after.endedAt = ended(after.status) ? (before.endedAt ?? now) : null
  return after
}

function definedOf<T extends object>(value: T) {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined))
}

/** Whether going from `before` to `after` makes what was checked a different piece of work. */
export function isWork(before: RunState, after: RunState, contentReplaced: boolean): boolean {
  return (
    contentReplaced ||
    before.git?.commit !== after.git?.commit ||
    before.specId !== after.specId ||
    (ended(before.status) && !ended(after.status))
  )
}

/** The first markdown heading among the first 100 lines of `content`, else its first line with words; null if there is none. */
export function titleOf(content: string): string | null {
  let fenced = false
  let first: string | null = null
  for (const line of content.split('\n', 100)) {
    if (/^ {0,3}(```|~~~)/.test(line)) {
      fenced = !fenced
      continue
    }
    const heading = fenced ? undefined : /^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/.exec(line)?.[1]
    if (heading) return cut(heading)
    first ??= line.trim() || null
  }
  return first && cut(first)
}

/** The longest beginning of `title` that is whole characters and fits. */
function cut(title: string): string {
  if (fits(title, titleBytes)) return title
  const bytes = Buffer.from(title)
  let end = titleBytes
  // A byte 10xxxxxx goes on with the character before it.
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
