import { z } from 'zod'
import type { Required } from '../../ledger/actor.ts'
import { maxFeatureNumber } from '../../ledger/feature.ts'
import { timeInput } from '../field.ts'
import { pageMeta } from '../page.ts'
import { run } from '../run.ts'

/** One operation of the API. */
export interface Route {
  summary: string
  permission: Required
  input: z.ZodObject
  output: z.ZodObject
  /** The statuses of success; with two, the output's `created` tells which. */
  success: readonly [200 | 201, 200?]
  /** The output field that is shown once and never stored: a replay is refused instead. */
  secret?: string
  /** The words of its command, where they do not follow from its name as `run create` from `createRun`; null for what only a browser does. */
  words?: string | null
  /** An input that works on the ledger of the documentation, in the order of creating, reading, changing, deleting. */
  example: Record<string, unknown>
}

/** Stands in the examples for the secret of a key. */
export const exampleKey = 'sk_admin_xxx'

export const done = z.object({ message: z.string() })
export const runAnswer = z.object({ run })
export const runPage = z.object({ runs: z.array(run), meta: pageMeta })

/** The span of time over which a list goes. */
export const created = { createdAfter: timeInput.optional(), createdBefore: timeInput.optional() }
export const featureNumber = z.int().min(1).max(maxFeatureNumber)
