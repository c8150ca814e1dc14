/** One request to the receiver of a webhook. */
export interface Message {
  url: string
  headers: Record<string, string>
  body: string
}

/** The result of a message. Without `error`, the receiver accepted it. */
export interface Outcome {
  /** The HTTP status of the response; undefined when there was none. */
  statusCode?: number
  error?: string
  /** The seconds to wait before the next attempt, if the receiver asks for them. */
  retryAfter?: number
  durationMs: number
}

/** Sends a message once and never throws. An aborted message results in an error. */
export type Send = (message: Message, signal?: AbortSignal) => Promise<Outcome>
