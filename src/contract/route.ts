import { z } from 'zod'
import type { Required } from './actor.ts'
import { timeInput } from './field.ts'

/** One operation of the API. */
export interface OperationRoute {
  summary: string
  permission: Required
  input: z.ZodObject
  output: z.ZodObject
  /** The success statuses, by default 200. With two, the output's `created` decides. */
  success?: readonly [200 | 201, 200?]
  /** The output field that is shown once and never stored. A replay of the request is refused instead. */
  secret?: string
  /** False if the list in its output says something about the rest, and is nothing to have as CSV. */
  csv?: false
  /** Whether it acts in no project, so that X-Project-ID has no effect. */
  isOfServer?: true
  /**
   * Whether it does its work anew each time, so that an Idempotency-Key has no effect: it takes many transactions, or
   * waits for the network outside of them.
   */
  isAnew?: true
  /**
   * The words of its command, if they do not follow from its name as `run create` does from `createRun`; null for
   * operations that only browsers use.
   */
  words?: string | null
  /** An input that works on the ledger of the documentation, in the order of creating, reading, changing, deleting. */
  example: Record<string, unknown>
}

/** What an operation receives. */
export type InputOf<R extends Pick<OperationRoute, 'input'>> = z.output<R['input']>
export type OutputOf<R extends Pick<OperationRoute, 'output'>> = z.output<R['output']>

/** Replaces the secret of a key in examples. */
export const exampleKey = 'sk_admin_xxx'

export const done = z.object({ message: z.string() })

/** The time span of a list. */
export const created = { createdAfter: timeInput.optional(), createdBefore: timeInput.optional() }
