import { createHmac, randomBytes } from 'node:crypto'
import type { MessageOutcome } from '../../frame/ctx.ts'

const secretPrefix = 'whsec_'

/** A new signing secret: 256 random bits in the form of Standard Webhooks. */
export const newSigningSecret = () => secretPrefix + randomBytes(32).toString('base64')

/** Whether a text is a signing secret of Standard Webhooks: whsec_ and the base64 of 24 to 64 bytes. */
export function isSigningSecret(text: string): boolean {
  if (!text.startsWith(secretPrefix)) return false
  const encoded = text.slice(secretPrefix.length)
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.length >= 24 && bytes.length <= 64 && bytes.toString('base64') === encoded
}

/** Why a URL cannot be that of a receiver; undefined if it can. The URL may hold a password, so the message leaves it out. */
export function receiverFault(url: string): string | undefined {
  const { protocol, username, password, hash } = URL.canParse(url) ? new URL(url) : {}
  if (protocol !== 'https:' && protocol !== 'http:') return 'must be an address like https://hooks.example.com/conduct'
  if (username || password) return 'must not carry a user or password: the receiver knows Conduct by the signature'
  if (hash) return 'must not have a fragment (#…): it is never sent'
}

/** The end of a URL that is not shown whole. No URL that is stored contains it as it is. */
const cut = '…'

/** A URL without what may be a secret, such as the path of Slack's, or the topic of ntfy: scheme, host, and a beginning. */
export function shownUrl(url: string): string {
  if (isCutUrl(url) || !URL.canParse(url)) return url
  const { origin, pathname, search } = new URL(url)
  const rest = pathname + search
  return rest === '/' ? url : `${origin}${rest.slice(0, Math.min(4, Math.floor(rest.length / 2)))}${cut}`
}

/** Whether a URL is only as it is shown, from an export without keys. */
export const isCutUrl = (url: string) => url.endsWith(cut)

/** The most webhooks of a project, and of the whole server. */
export const mostWebhooks = 100

/** Identifies a webhook in its message ids, across ledgers. */
export const newWebhookTag = () => randomBytes(9).toString('hex')

/** Consecutive events of a webhook, with what identifies them as one message. */
export interface Range {
  firstSeq: number
  lastSeq: number
  /** The id of the last event. */
  lastId: string
}

/** The `webhook-id` of a batch. It is the same in each attempt to send the same events, and never that of other events. */
export const messageIdOf = (tag: string, { firstSeq, lastId }: Range) => `msg_${tag}_${firstSeq}_${lastId}`

/** The `webhook-id` of a test. Each test is a separate message. */
export const newTestIdOf = (tag: string) => `msg_${tag}_test_${randomBytes(6).toString('hex')}`

/** The `webhook-id` of a checkpoint: the same for each attempt at the same checkpoint. `origin` ends in a UUID. */
export const checkpointMessageIdOf = (origin: string, size: number) =>
  `msg_${origin.split('/').at(-1)}_checkpoint_${size}`

/** The headers of Standard Webhooks 1.0: a signature for each secret that is valid now. */
export function signedHeaders(id: string, at: string, body: string, secrets: readonly string[]) {
  const timestamp = String(Math.floor(Date.parse(at) / 1000))
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(secretPrefix.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** How long to wait after each failure in a row, from the example schedule of Standard Webhooks 1.0. */
const delaysMs = [
  ...[5 * secondMs, 5 * minuteMs, 30 * minuteMs, 2 * hourMs, 5 * hourMs],
  ...[10 * hourMs, 14 * hourMs, 20 * hourMs, dayMs],
]

/** A webhook whose deliveries have failed for so long is disabled. */
const patienceMs = 5 * dayMs

/** As many failures in a row as even a receiver that asks for the longest waits has in that time. */
const leastFailures = 5

export type DisabledReason = 'request' | 'failing' | 'gone'

/** The longest wait that `delayAfter` returns, with jitter. */
export const longestDelayMs = 1.1 * dayMs

/** When to try again after the `failures`-th failure in a row, in milliseconds from it. `random` is from 0 to 1. */
export function delayAfter(failures: number, retryAfter = 0, random = Math.random()): number {
  const delay = delaysMs[Math.min(failures, delaysMs.length) - 1] ?? 0
  const asked = Math.min(retryAfter * secondMs, dayMs)
  // The jitter keeps webhooks that failed together from returning together.
  return Math.round(Math.max(delay, asked) * (1 + random / 10))
}

/** Why a webhook is disabled after a failure; undefined while it is to be tried again. */
export function disabledBy(
  { statusCode }: MessageOutcome,
  { failures, since }: { failures: number; since: string },
  now: string,
): DisabledReason | undefined {
  if (statusCode === 410) return 'gone'
  // By the clock alone, one that is ahead for a moment would disable each webhook that fails then.
  return failures >= leastFailures && Date.parse(now) - Date.parse(since) >= patienceMs ? 'failing' : undefined
}
