import { z } from 'zod'
import { counts } from './fields.ts'
import { statuses, verdicts } from './state.ts'

const tokens = z.int().nullable()

/** The total usage of runs. */
export const used = {
  inputTokens: tokens.describe(
    'All input, including tokens read from and written to a cache; null if no run reports any',
  ),
  outputTokens: tokens.describe('null if no run reports any'),
  cacheReadTokens: tokens.describe('null if no run reports any'),
  cacheWriteTokens: tokens.describe('null if no run reports any'),
  costUsd: z.number().nullable().describe('The cost of the runs, reported or estimated; null if none is known'),
  costed: z.int().describe('How many runs have a known cost'),
}

/** The totals of some runs. */
export const tally = z.object({
  runs: z.int(),
  byStatus: counts(statuses),
  byVerdict: counts(verdicts),
  ...used,
})
export type Tally = z.infer<typeof tally>

export const day = z
  .object({
    day: z
      .string()
      .meta({ examples: ['2026-01-31'] })
      .describe('In the requested time zone'),
    ...tally.shape,
  })
  .meta({ id: 'Day' })
export type Day = z.infer<typeof day>

/** The dimensions of the statistics, and the run field of each. */
export const statsBy = z.enum(['agent', 'author', 'specId', 'model', 'branch', 'project'])
export type StatsBy = z.infer<typeof statsBy>

export const duration = z.object({
  runs: z.int().describe('How many finished runs this covers: the newest, at most 10,000'),
  medianMs: z.int().nullable(),
  p90Ms: z.int().nullable(),
})
export type Duration = z.infer<typeof duration>

export const group = z
  .object({
    value: z
      .string()
      .nullable()
      .describe(
        'By author, the most frequent spelling. null: runs without a value; by model, also what no turn of a run explains',
      ),
    ...tally.shape,
    duration: duration.describe('From start to end, for the runs of this group'),
  })
  .meta({ id: 'Group' })
export type StatsGroup = z.infer<typeof group>
