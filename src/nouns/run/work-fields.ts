import { z } from 'zod'
import { text, time, timeInput } from '../../contract/field.ts'
import { most } from './turn.ts'

/** Figures that runs and turns share: the state of the work, its changes, usage and failure. */

export const count = z.int().min(0).max(most.count)

/** The id of a git object: SHA-1 or SHA-256. */
export const objectId = z
  .string()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be a git object id: 40 or 64 of 0-9 a-f')

export const tree = objectId.describe(
  'The tree of the working folder, as from `git add -A` and `git write-tree`. It identifies a state of the work',
)
export const dirty = z.boolean().describe('Whether tracked files differ from the commit')

const uncommitted = z.strictObject({
  count: count.describe('How many files differ'),
  paths: z.array(text(1000, 1)).max(20).describe('The first of them'),
})
export type Uncommitted = z.infer<typeof uncommitted>

export const git = z.strictObject({
  repository: text(512).optional(),
  branch: text(255).optional(),
  base: text(255).optional().describe('The commit at the beginning'),
  commit: text(64).optional().describe('The commit at the end, or now'),
  tree: tree.optional(),
  dirty: dirty.optional(),
  commitTree: objectId.optional().describe('The tree of the commit, in the form of `tree`'),
  uncommitted: uncommitted
    .nullable()
    .optional()
    .describe("The files that are the run's, or may be, and differ from the commit. Null or missing: unknown"),
  commits: z.array(objectId).max(500).optional().describe('The commits made, oldest first'),
})
export type Git = z.infer<typeof git>

export const uncredited = z
  .strictObject({
    files: count.min(1).describe('How many files changed like that; a file counts once per turn'),
    sessions: count.min(2).describe('How many sessions ran commands meanwhile; the most at once'),
  })
  .describe('Changes while several sessions ran commands in the same folder, credited to none of them')
export type Uncredited = z.infer<typeof uncredited>

export const changes = z.strictObject({
  files: count.optional().describe('How many files changed'),
  insertions: count.optional(),
  deletions: count.optional(),
  uncredited: uncredited.optional(),
})
export type FileChanges = z.infer<typeof changes>

export const usage = z.strictObject({
  model: text(100).optional(),
  inputTokens: count.optional().describe('All input, including tokens read from and written to a cache'),
  outputTokens: count.optional(),
  cacheReadTokens: count.optional().describe('The part of inputTokens read from a cache'),
  cacheWriteTokens: count.optional().describe('The part of inputTokens written to a cache'),
  costUsd: z.number().min(0).max(most.costUsd).optional().describe('Missing if unknown'),
  costSource: z
    .enum(['reported', 'estimated'])
    .optional()
    .describe('reported: by the agent; estimated: from public prices'),
})
export type Usage = z.infer<typeof usage>

export const failure = z.strictObject({
  code: z.string().regex(/^[A-Z0-9_]{1,64}$/, 'must be 1 to 64 of A-Z 0-9 _'),
  message: text(4000),
})
export type Failure = z.infer<typeof failure>

export const activityState = z.enum(['working', 'waiting', 'idle'])

const doing = {
  state: activityState.describe('waiting means for a person'),
  tool: text(200, 1).optional(),
  target: text(1000, 1).optional().describe('The file, command or address that the tool works on'),
}

/** The activity of a live run, as a caller reports it. */
export const activityInput = z.strictObject({
  ...doing,
  since: timeInput.optional().describe('Default, also for a time ahead of the server: now, if it changes'),
})
export type ActivityInput = z.infer<typeof activityInput>

export const activity = z
  .object({
    ...doing,
    since: time,
    turnSince: time
      .optional()
      .describe('Since when it has been working on the prompt, including waiting; missing while idle'),
  })
  .meta({ id: 'Activity' })
export type Activity = z.infer<typeof activity>
