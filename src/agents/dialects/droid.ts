import type { Dialect } from '../dialect.ts'
import { textOf } from '../fields.ts'
import { eventsLikeClaude, readLikeClaude } from './claude.ts'

// https://docs.factory.ai/reference/hooks-reference. It does not document the response of a tool, so exit codes are
// unknown.

const events = {
  ...eventsLikeClaude(() => undefined),
  // Only the text says what it waits for.
  Notification: ({ message }: Record<string, unknown>) =>
    /permission/i.test(textOf(message) ?? '') ? ({ kind: 'wait' } as const) : undefined,
}

export const droid: Dialect = {
  name: 'droid',
  agent: 'droid',
  owns: ({ transcript_path }) => /[/\\]\.factory[/\\]/.test(textOf(transcript_path) ?? ''),
  mayWrite: ({ hook_event_name, timestamp }) => typeof hook_event_name === 'string' && timestamp === undefined,
  read: (document) => readLikeClaude('droid', events, document),
}
