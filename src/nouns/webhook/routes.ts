import { z } from 'zod'
import { ifVersion, pageInput, pageMeta, rowId } from '../../contract/field.ts'
import type { Name } from '../../contract/paths.ts'
import { done, type OperationRoute } from '../../contract/route.ts'
import { delivery, webhook, webhookFields, webhookProject } from './fields.ts'

const webhookAnswer = z.object({ webhook })
const secretAnswer = z.object({ webhook, secret: z.string().describe('The signing secret, returned this once') })

/** The longest time during which two secrets are valid, in seconds. */
const longestOverlap = 7 * 86_400

export const webhookRoutes = {
  createWebhook: {
    summary: 'Create a webhook, which sends events to a URL; only this response contains its signing secret',
    permission: 'admin',
    input: z.strictObject({
      ...webhookFields,
      after: webhookFields.after.describe(
        'The id or seq of the event after which to begin; 0: the whole log; default: the next event',
      ),
      project: webhookProject,
    }),
    output: secretAnswer,
    success: [201],
    secret: 'secret',
    example: { url: 'https://hooks.example.com/conduct', types: ['run.created', 'run.updated'] },
  },
  listWebhooks: {
    summary: 'List webhooks',
    permission: 'admin',
    input: z.strictObject(pageInput),
    output: z.object({ webhooks: z.array(webhook), meta: pageMeta }),
    example: {},
  },
  getWebhook: {
    summary: 'Read a webhook',
    permission: 'admin',
    input: z.strictObject({ id: rowId }),
    output: webhookAnswer,
    example: { id: 1 },
  },
  updateWebhook: {
    summary: 'Change, disable or enable a webhook, or move it in the log to send events again',
    permission: 'admin',
    input: z.strictObject({
      id: rowId,
      url: webhookFields.url.optional(),
      format: webhookFields.format,
      types: webhookFields.types,
      after: webhookFields.after,
      enabled: z.boolean().optional().describe('Whether it is enabled; true also retries at once'),
      ifVersion,
    }),
    output: webhookAnswer,
    example: { id: 1, after: 0 },
  },
  deleteWebhook: {
    summary: 'Delete a webhook and its deliveries',
    permission: 'admin',
    input: z.strictObject({ id: rowId, ifVersion }),
    output: done,
    example: { id: 1 },
  },
  testWebhook: {
    summary: 'Send a signed test message now, even to a disabled webhook; success ends the wait for the next attempt',
    permission: 'admin',
    input: z.strictObject({ id: rowId }),
    output: z.object({ delivery }),
    isAnew: true,
    example: { id: 1 },
  },
  rotateWebhookSecret: {
    summary: 'Replace the signing secret; for a while, the previous secret signs, too',
    words: 'webhook rotate-secret',
    permission: 'admin',
    input: z.strictObject({
      id: rowId,
      overlapSeconds: z
        .int()
        .min(0)
        .max(longestOverlap)
        .default(86_400)
        .describe('How long both secrets sign, in seconds; 0: the previous one stops now'),
    }),
    output: secretAnswer,
    secret: 'secret',
    example: { id: 1, overlapSeconds: 3600 },
  },
  listWebhookDeliveries: {
    summary: 'List the last 100 attempts to deliver to a webhook',
    words: 'webhook deliveries',
    permission: 'admin',
    input: z.strictObject({ id: rowId, ...pageInput }),
    output: z.object({ deliveries: z.array(delivery), meta: pageMeta }),
    example: { id: 1 },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type WebhookRoutes = typeof webhookRoutes
