import { eventsLikeClaude, readLikeClaude } from '../claude/hooks.ts'
import type { AgentDialect } from '../dialect.ts'
import { type JsonFields, textOf } from '../fields.ts'

// https://docs.factory.ai/reference/hooks-reference. `droid exec` reports neither the prompt nor the answer, and no tool
// that failed. Its transcript has them.

/** Droid writes it below the output of a command. */
export function exitCodeIn(response: unknown): number | undefined {
  const code = typeof response === 'string' && /\[Process exited with code (\d{1,10})\]\s*$/.exec(response.slice(-100))
  return code ? Number(code[1]) : undefined
}

const events = {
  ...eventsLikeClaude(({ tool_response }: JsonFields) => exitCodeIn(tool_response)),
  // Only the text says what it waits for.
  Notification: ({ message }: JsonFields) =>
    /permission/i.test(textOf(message) ?? '') ? ({ kind: 'wait' } as const) : undefined,
}

export const droid: AgentDialect = {
  name: 'droid',
  owns: ({ transcript_path }) => /[/\\]\.factory[/\\]/.test(textOf(transcript_path) ?? ''),
  mayWrite: ({ hook_event_name, timestamp }) => typeof hook_event_name === 'string' && timestamp === undefined,
  read: (document) => readLikeClaude('droid', events, document),
}
