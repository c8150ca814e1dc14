import { z } from 'zod'
import { permissions } from '../ledger/secret.ts'
import { humanId, rowId, text, time, timeInput } from './field.ts'

export const permission = z.enum(permissions)

export const keyFields = {
  name: text(200, 1),
  permissions: z.array(permission).min(1).max(permissions.length).describe('Each includes read'),
  project: humanId.nullable().optional().describe('The project it is for; null: the whole server'),
  expiresAt: timeInput.nullable().optional(),
}

export const key = z
  .object({
    id: rowId,
    name: z.string(),
    prefix: z.string().describe('The beginning of the secret, to recognise it by'),
    permissions: z.array(permission),
    project: z.string().nullable(),
    createdAt: time,
    lastUsedAt: time.nullable(),
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
  })
  .meta({ id: 'Key' })
export type Key = z.infer<typeof key>
