import { eventsLikeClaude, readLikeClaude } from '../claude/hooks.ts'
import type { Dialect } from '../dialect.ts'
import { type Fields, fieldsOf, numberOf, textOf } from '../fields.ts'

// https://developers.openai.com/codex/hooks

/** The document contains only the output of a command. The rollout has its exit code, under the id of the tool. */
const exitCodeOf = ({ tool_response }: Fields): number | undefined => {
  const { exit_code, metadata } = fieldsOf(tool_response)
  return numberOf(exit_code ?? fieldsOf(metadata).exit_code)
}

const events = {
  ...eventsLikeClaude(exitCodeOf),
  Interrupt: () => ({ kind: 'turn', interrupted: true }) as const,
}

export const codex: Dialect = {
  name: 'codex',
  agent: 'codex',
  tellsWaits: true,
  owns: ({ transcript_path }) => /[/\\]rollout-[^/\\]+\.jsonl$/.test(textOf(transcript_path) ?? ''),
  mayWrite: ({ hook_event_name, timestamp }) => typeof hook_event_name === 'string' && timestamp === undefined,
  read: (document) => readLikeClaude('codex', events, document),
}
