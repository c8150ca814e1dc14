import { z } from 'zod'
import { actor, exitCode, rowId, text, time, timeInput } from '../../contract/field.ts'
import { changes, count, failure, git, uncredited, usage } from './work-fields.ts'

export const turnNumber = z.int().min(1).max(1_000_000)

export const toolUse = z.strictObject({
  name: text(200, 1),
  count: count.describe('How often it was used'),
  failed: count.optional(),
  refused: count.optional().describe('How often a person or a rule refused it'),
})

export const file = z.strictObject({
  path: text(1000, 1).describe("From the repository's root"),
  insertions: count.optional().describe('Lines compared with the file before the run'),
  deletions: count.optional(),
})

export const command = z.strictObject({
  command: text(2000, 1),
  exitCode: exitCode.optional(),
  durationMs: count.optional(),
  at: timeInput.optional(),
})

/** The same in a response. */
export const reportedCommand = z.object({ ...command.shape, at: time.optional() })

export const planItem = z.strictObject({ text: text(1000, 1), status: z.enum(['pending', 'in_progress', 'completed']) })

export const subagent = z.strictObject({ name: text(200, 1), turns: count.optional(), tokens: count.optional() })

/** The fields of a turn that a caller may set. */
export const turnFields = {
  startedAt: timeInput.optional().describe('At most 5 minutes ahead'),
  endedAt: timeInput.optional().describe('Not before startedAt; at most 5 minutes ahead'),
  prompt: text(20_000).optional().describe('What a person asked'),
  answer: text(16_000).optional().describe('The last message of the agent'),
  model: text(100).optional(),
  tools: z.array(toolUse).max(100).optional(),
  files: z.array(file).max(500).optional().describe('The files that this session wrote'),
  filesOmitted: count.min(1).optional().describe('How many more it wrote than `files` lists'),
  restored: z
    .array(text(1000, 1))
    .max(500)
    .optional()
    .describe('Files of earlier turns that are again as before the run, so that it has not changed them'),
  changes: changes
    .omit({ uncredited: true })
    .optional()
    .describe('What the run has changed in all, if its turns do not list all of its files'),
  uncredited: uncredited.optional(),
  commands: z.array(command).max(200).optional(),
  plan: z.array(planItem).max(100).optional(),
  agents: z.array(subagent).max(100).optional().describe('Its subagents'),
  compactions: count.optional().describe('How often the agent compacted its context'),
  usage: usage.optional(),
  git: git.optional().describe('The state of the repository when the turn ended'),
  failure: failure.optional(),
  interrupted: z.boolean().optional(),
}

const fieldsSchema = z.object(turnFields)
export type TurnFields = z.infer<typeof fieldsSchema>

/** The fields with which a turn is opened. */
export const openingFields = ['prompt', 'startedAt', 'model'] as const

/** What stands so far of an open turn. */
export const openTurn = z.strictObject({
  n: turnNumber.optional().describe('Its number; ignored if that turn is not open. Default: the open turn'),
  model: turnFields.model,
  tools: turnFields.tools,
  files: turnFields.files,
  commands: z.array(command).max(20).optional().describe('The last ones'),
  plan: turnFields.plan,
  agents: turnFields.agents,
  usage: turnFields.usage,
})
export type OpenTurn = z.infer<typeof openTurn>

/** What happened between a prompt and the answer to it. A field without a value is missing. */
export const turn = z
  .object({
    id: rowId,
    project: z.string(),
    runId: z.string(),
    n: turnNumber,
    ...turnFields,
    startedAt: time.optional(),
    endedAt: time.optional(),
    commands: z.array(reportedCommand).optional(),
    open: z.literal(true).optional().describe('It is not closed yet: it is in progress, or its end was lost'),
    seenAt: time.optional().describe('If it is open: when its recorder last reported it'),
    createdBy: actor,
    createdAt: time,
    erasedAt: time.optional().describe('When texts of it were erased; missing if none were'),
  })
  .meta({ id: 'Turn' })
export type Turn = z.infer<typeof turn>
