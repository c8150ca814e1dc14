import { z } from 'zod'
import { humanId, rowId, time } from '../../contract/field.ts'
import { eventType, place } from '../../log/fields.ts'
import { receiverFault } from './rules.ts'

const longestUrl = 2048

/**
 * Where events are sent. The URL is stored in the normal form of the URL standard, so `http://2130706433/` becomes
 * `http://127.0.0.1/`.
 */
const url = z
  .string()
  .max(longestUrl)
  .transform((value, { addIssue }) => {
    const fault = receiverFault(value)
    if (fault !== undefined) addIssue(fault)
    return fault === undefined ? new URL(value).href : value
  })
  .describe('The http or https address that receives the events')

export const webhookFormat = z.enum(['events', 'text', 'plain'])

export const webhookFields = {
  url,
  format: webhookFormat
    .optional()
    .describe(
      'What arrives; events: JSON for a program; text: a sentence as JSON, for Slack and the like; plain: a sentence, for ntfy',
    ),
  types: z
    .array(eventType)
    .max(100)
    .optional()
    .describe('The types of events to send; none: all, for text and plain those that people want to know'),
  after: place.optional().describe('The id or seq of the event after which to send; 0: from the beginning'),
}

export const webhookProject = humanId
  .nullable()
  .optional()
  .describe('The project whose events to send; null: the whole server')

export const disabledReason = z.enum(['request', 'failing', 'gone'])

export const webhook = z
  .object({
    id: rowId,
    url: z.string().describe('Where it sends, without most of the path, which may be a secret'),
    format: webhookFormat.describe('What arrives: events as JSON, a sentence as JSON, or a sentence as text'),
    project: z.string().nullable().describe('The project whose events it sends; null: the whole server'),
    types: z.array(eventType).describe('The types of events that it sends; none: all, or what its format implies'),
    enabled: z.boolean().describe('Whether it is enabled'),
    disabledReason: disabledReason
      .nullable()
      .describe('request: somebody disabled it; failing: it failed for 5 days; gone: the receiver responded with 410'),
    after: z.int().describe('The seq up to which everything was delivered'),
    lag: z.int().describe('Events of the log after that seq, whatever their type'),
    failures: z.int().describe('Failed attempts in a row'),
    failingSince: time.nullable().describe('When the first of them failed; null: the last attempt succeeded'),
    lastError: z.string().nullable().describe('Why the last attempt failed; null: it succeeded'),
    nextAttemptAt: time.nullable().describe('When the next attempt is; null: as soon as there is something to send'),
    deliveredAt: time.nullable().describe('When the receiver last accepted events'),
    previousSecretExpiresAt: time.nullable().describe('Until when the previous secret signs, too'),
    createdAt: time,
    updatedAt: time,
    version: z.int(),
  })
  .meta({ id: 'Webhook' })
export type Webhook = z.infer<typeof webhook>

export const delivery = z
  .object({
    id: rowId,
    messageId: z.string().describe('The webhook-id header, the same for every attempt to send the same events'),
    firstSeq: z.int().nullable().describe('The seq of its first event; null: a test, which has none'),
    lastSeq: z.int().nullable().describe('The seq of its last event'),
    count: z.int().describe('How many events it had'),
    attempt: z.int(),
    statusCode: z.int().nullable().describe('The HTTP status of the response; null: there was none'),
    error: z.string().nullable().describe('Why it failed; null: the receiver accepted it'),
    durationMs: z.int(),
    at: time,
  })
  .meta({ id: 'Delivery' })
export type Delivery = z.infer<typeof delivery>
