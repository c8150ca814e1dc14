import { z } from 'zod'
import { statuses, verdicts } from '../ledger/run.ts'
import { counts } from './run.ts'

/** What some runs come to, each counted once. */
export const tally = z.object({
  runs: z.int(),
  byStatus: counts(statuses),
  byVerdict: counts(verdicts),
  inputTokens: z.int(),
  outputTokens: z.int(),
  costUsd: z.number(),
})
export type Tally = z.infer<typeof tally>

export const day = z
  .object({
    day: z
      .string()
      .meta({ examples: ['2026-01-31'] })
      .describe('In UTC'),
    ...tally.shape,
  })
  .meta({ id: 'Day' })
export type Day = z.infer<typeof day>

export const duration = z.object({
  runs: z.int().describe('How many ended runs were looked at: the newest, at most 10,000'),
  medianMs: z.int().nullable(),
  p90Ms: z.int().nullable(),
})
export type Duration = z.infer<typeof duration>
