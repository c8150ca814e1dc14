import { z } from 'zod'
import { time } from '../../contract/field.ts'

/** Seconds. */
export const leaseSeconds = z
  .int()
  .refine((value) => value >= 10 && value <= 86_400, 'must be 10 to 86400 seconds')
  .meta({ minimum: 10, maximum: 86_400 })

export const lease = z.object({
  token: z.string().describe('Sent as Lease-Token with each write of the holder'),
  expiresAt: time,
})
export type Lease = z.infer<typeof lease>

/** `Lease-Token`: the token that the holder of a lease received, or proposes when asking for one. */
export const leaseToken = z
  .string()
  .max(128)
  .optional()
  .describe('The token of the lease that the caller holds, or proposes with the leaseSeconds of a first lease')
