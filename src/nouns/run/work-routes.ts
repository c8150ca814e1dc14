import { z } from 'zod'
import { humanId, order, pageInput, pageMeta, text } from '../../contract/field.ts'
import type { Name } from '../../contract/paths.ts'
import type { OperationRoute } from '../../contract/route.ts'
import { changedFile } from './diff/fields.ts'
import { runAnswer } from './fields.ts'
import { leaseSeconds, leaseToken } from './lease-fields.ts'
import { timelineEntry } from './timeline-fields.ts'
import { openTurn, turn, turnFields, turnNumber } from './turn-fields.ts'
import { activityInput, count } from './work-fields.ts'

const gap = z.object({
  bytes: z.int().describe('The missing bytes'),
  lines: z.int().nullable().describe('The missing line feeds; null if nobody counted them'),
})
const droppedInput = z.strictObject({
  bytes: z.int().min(1).max(1e12).describe('The missing bytes'),
  lines: z.int().min(0).max(1e12).describe('The missing line feeds'),
})

const turnAnswer = z.object({ turn })

export const runWorkRoutes = {
  appendToRun: {
    summary: "Append text to a run's content; concurrent appends all survive",
    words: 'run append',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      text: text(Number.POSITIVE_INFINITY),
      dropped: droppedInput.optional().describe('What the caller left out before this text'),
      offset: z.int().min(0).optional().describe('The size of the content that the caller expects, in bytes'),
      leaseToken,
    }),
    output: runAnswer.extend({ next: z.int().describe('The byte of the content at which the text ends') }),
    example: { runId: 'RUN-001', text: '\nAll tests pass.\n' },
  },
  readContent: {
    summary: "Read a run's content from a given byte",
    words: 'run content',
    permission: 'read',
    input: z.strictObject({ runId: humanId, after: z.int().min(0).default(0).describe('The first byte to read') }),
    output: z.object({
      text: z.string(),
      next: z.int().describe('The byte at which the next part begins'),
      truncated: z.boolean().describe('Whether a part of the content was dropped'),
      dropped: gap.nullable().describe('All that was dropped from the content'),
      gaps: z
        .array(
          gap.extend({
            start: z
              .int()
              .describe('The byte of the content at which the gap begins; before `after` if it was cut since'),
            at: z.int().describe('The byte of `text` at which a line about the gap begins'),
            length: z.int().describe('The bytes of that line'),
          }),
        )
        .describe('The gaps in this part'),
    }),
    csv: false,
    example: { runId: 'RUN-001', after: 10 },
  },
  heartbeat: {
    summary: 'Report that a run is alive, and renew its lease',
    words: 'run heartbeat',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      activity: activityInput.optional().describe('What it is doing'),
      turn: openTurn.optional().describe('Its open turn so far; replaces the previous report'),
      leaseSeconds: leaseSeconds.optional(),
      leaseToken,
    }),
    output: runAnswer,
    example: { runId: 'RUN-001' },
  },
  timeline: {
    summary:
      'The events, turns, checks and attempts of a run, oldest first. It says what it leaves out of a long history',
    words: 'run timeline',
    permission: 'read',
    input: z.strictObject({ runId: humanId }),
    output: z.object({ timeline: z.array(timelineEntry) }),
    example: { runId: 'RUN-001' },
  },
  appendTurn: {
    summary: 'Add a turn to a run: a prompt, its answer and what happened between them. The run sums up its turns',
    words: 'run add-turn',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      n: turnNumber.optional().describe('Its number: sending it twice adds it once; default: the next'),
      open: z
        .literal(true)
        .optional()
        .describe('Opens the turn with its prompt, startedAt and model. Adding it without `open` closes it'),
      ...turnFields,
      leaseToken,
    }),
    output: turnAnswer,
    success: [201],
    example: {
      runId: 'RUN-001',
      n: 1,
      prompt: 'Let people log in with a passkey.',
      answer: 'The login form has a passkey button now, and its tests pass.',
      model: 'claude-sonnet',
      tools: [{ name: 'Edit', count: 2 }],
      files: [{ path: 'src/auth/login.ts', insertions: 40, deletions: 3 }],
      commands: [{ command: 'npm test', exitCode: 0, durationMs: 41_000 }],
      usage: { inputTokens: 48_200, cacheReadTokens: 40_000, outputTokens: 1_900 },
    },
  },
  listTurns: {
    summary: 'List the turns of a run, oldest first; an open one is the last',
    words: 'run turns',
    permission: 'read',
    input: z.strictObject({
      runId: humanId,
      ...pageInput,
      order: order.default('asc').describe('Oldest or newest first'),
    }),
    output: z.object({ turns: z.array(turn), meta: pageMeta }),
    example: { runId: 'RUN-001' },
  },
  getTurn: {
    summary: 'Read a turn of a run',
    words: 'run turn',
    permission: 'read',
    input: z.strictObject({ runId: humanId, n: turnNumber }),
    output: turnAnswer,
    example: { runId: 'RUN-001', n: 1 },
  },
  listRunFiles: {
    summary: 'List the files that the turns of a run changed, most changed lines first',
    words: 'run files',
    permission: 'read',
    input: z.strictObject({
      runId: humanId,
      path: text(1000, 1).optional().describe('A file, or a folder with / at its end'),
      turn: turnNumber.optional().describe('Only the files of this turn'),
      limit: pageInput.limit,
      cursor: pageInput.cursor,
    }),
    output: z.object({
      files: z.array(changedFile).describe('Each file as the last turn that names it reports it'),
      meta: pageMeta.extend({
        total: z.int().describe('How many files there are on all pages'),
        omitted: count.optional().describe('How many more files were changed, which no turn lists'),
      }),
    }),
    example: { runId: 'RUN-001' },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type RunWorkRoutes = typeof runWorkRoutes
