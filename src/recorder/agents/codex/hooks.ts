import { eventsLikeClaude, readLikeClaude } from '../claude/hooks.ts'
import type { AgentDialect } from '../dialect.ts'
import { fieldsOf, type JsonFields, numberOf, textOf } from '../fields.ts'
import type { Step } from '../seen.ts'
import { begin, toolUse } from '../tools.ts'

// https://developers.openai.com/codex/hooks

/** The document contains only the output of a command. The rollout has its exit code, under the id of the tool. */
const exitCodeOf = ({ tool_response }: JsonFields): number | undefined => {
  const { exit_code, metadata } = fieldsOf(tool_response)
  return numberOf(exit_code ?? fieldsOf(metadata).exit_code)
}

/** It does not report the end of a command for which it stops waiting. */
function begun({ tool_name, tool_input, tool_use_id }: JsonFields): Step {
  const step = begin(tool_name, tool_input, tool_use_id)
  const { command } = toolUse(tool_name, tool_input)
  return step.kind === 'begin' && step.id !== undefined && command !== undefined ? { ...step, command } : step
}

const events = {
  ...eventsLikeClaude(exitCodeOf),
  PreToolUse: begun,
  Interrupt: () => ({ kind: 'turn', interrupted: true }) as const,
}

export const codex: AgentDialect = {
  name: 'codex',
  tellsWaits: true,
  owns: ({ transcript_path }) => /[/\\]rollout-[^/\\]+\.jsonl$/.test(textOf(transcript_path) ?? ''),
  mayWrite: ({ hook_event_name, timestamp }) => typeof hook_event_name === 'string' && timestamp === undefined,
  read: (document) => readLikeClaude('codex', events, document),
}
