import { z } from 'zod'
import { pageInput, pageMeta, rowId, text, time } from '../../contract/field.ts'
import type { Name } from '../../contract/paths.ts'
import { done, exampleKey, type OperationRoute } from '../../contract/route.ts'
import { holderFields, key, keyFields, permission } from './fields.ts'

export const keyRoutes = {
  createKey: {
    summary: 'Create a key; only this response contains its secret',
    permission: 'admin',
    input: z.strictObject(keyFields),
    output: z.object({ key, secret: z.string() }),
    success: [201],
    secret: 'secret',
    example: {
      name: 'nightly agents',
      permissions: ['agent'],
      project: 'shop',
      person: 'Ada Example <ada@example.com>',
    },
  },
  listKeys: {
    summary: 'List keys',
    permission: 'admin',
    input: z.strictObject(pageInput),
    output: z.object({ keys: z.array(key), meta: pageMeta }),
    example: { limit: 50 },
  },
  updateKey: {
    summary: 'Set the name, person and machine of a key; no key can set its own',
    permission: 'admin',
    input: z.strictObject({ id: rowId, name: keyFields.name.optional(), ...holderFields }),
    output: z.object({ key }),
    example: { id: 2, person: 'Ada Example <ada@example.com>' },
  },
  revokeKey: {
    summary: 'Revoke a key',
    words: 'key revoke',
    permission: 'admin',
    input: z.strictObject({ id: rowId }),
    output: done,
    example: { id: 2 },
  },
  me: {
    summary: 'Show the calling key',
    words: 'whoami',
    permission: 'read',
    input: z.strictObject({}),
    output: z.object({
      key: key.nullable().describe('null: the local user'),
      permissions: z.array(permission),
      person: z.string().nullable(),
      machine: z.string().nullable(),
      clockWarning: z
        .string()
        .optional()
        .describe('Why the clock of the server may be wrong; while this is set, Conduct removes no old data'),
    }),
    example: {},
  },
  createLoginCode: {
    summary: 'Create a login code: it logs a browser in as the calling key, once, within ten minutes',
    words: null,
    permission: 'read',
    input: z.strictObject({}),
    output: z.object({
      code: z.string().describe('For createSession; the dashboard reads it from its address: <base path>/#code=…'),
      expiresAt: time,
    }),
    success: [201],
    secret: 'code',
    example: {},
  },
  createSession: {
    summary: 'Log a browser in with a key or a login code, for a cookie that scripts cannot read, and a token',
    words: null,
    permission: 'none',
    input: z.strictObject({
      key: text(200, 1).optional().describe('The secret of a key'),
      code: text(200, 1).optional().describe('A login code; one of the two'),
    }),
    output: z.object({
      key,
      expiresAt: time.describe('When the session ends, unless its key ends before'),
      token: z.string().describe('Send it with the cookie, as X-Session-Token; only this response contains it'),
    }),
    success: [201],
    secret: 'token',
    example: { key: exampleKey },
  },
  deleteSession: {
    summary: 'Log out the browser that sends the cookie',
    words: null,
    permission: 'none',
    input: z.strictObject({}),
    output: done,
    example: {},
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type KeyRoutes = typeof keyRoutes
