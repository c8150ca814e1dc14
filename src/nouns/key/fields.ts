import { z } from 'zod'
import { humanId, rowId, text, time, timeInput } from '../../contract/field.ts'
import { personPattern } from '../../contract/person.ts'
import { permissions } from '../../contract/secret.ts'

export const permission = z.enum(permissions)

const person = text(200, 1).regex(personPattern, 'must be a name and an email address: Ada Example <ada@example.com>')
const machine = text(200, 1)

/** Whose a key is. */
export const holderFields = {
  person: person
    .nullable()
    .optional()
    .describe('The person who holds it: "Ada Example <ada@example.com>". Null: a service, such as CI'),
  machine: machine.nullable().optional().describe('The machine that it is for'),
}

export const keyFields = {
  name: text(200, 1),
  permissions: z.array(permission).min(1).max(permissions.length).describe('Each includes read'),
  project: humanId.nullable().optional().describe('The project it is for; null: the whole server'),
  expiresAt: timeInput.nullable().optional().describe('When it expires; default: never'),
  ...holderFields,
}

export const key = z
  .object({
    id: rowId,
    name: z.string(),
    prefix: z.string().describe('The beginning of the secret, to recognise it by'),
    permissions: z.array(permission),
    project: z.string().nullable(),
    person: z.string().nullable().describe('The person who holds it; null for a service'),
    machine: z.string().nullable(),
    createdAt: time,
    lastUsedAt: time.nullable(),
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
  })
  .meta({ id: 'Key' })
export type Key = z.infer<typeof key>
