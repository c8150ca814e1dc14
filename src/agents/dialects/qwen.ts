import type { Dialect } from '../dialect.ts'
import { type Fields, fieldsOf, textOf } from '../fields.ts'
import { eventsLikeClaude, readLikeClaude } from './claude.ts'

// https://qwenlm.github.io/qwen-code-docs/en/users/features/hooks

/** Qwen Code writes it below the output of the command. */
function exitCodeOf({ tool_response, error }: Fields): number | undefined {
  const text = error ?? fieldsOf(tool_response).llmContent
  if (typeof text !== 'string') return undefined
  const code = /\nExit Code: (\d{1,3})\nSignal: [^\n]*(?:\n[A-Z][\w ]*: [^\n]*)*$/.exec(text.slice(-1_000))?.[1]
  return code === undefined ? undefined : Number(code)
}

// Its batches use other ids for tools than its other events.
const { PostToolBatch: _, ...events } = eventsLikeClaude(exitCodeOf)

export const qwen: Dialect = {
  name: 'qwen',
  agent: 'qwen',
  owns: ({ session_id, transcript_path }, env) =>
    (typeof session_id === 'string' && env.QWEN_CODE_SESSION_ID === session_id) ||
    /[/\\]\.qwen[/\\]/.test(textOf(transcript_path) ?? ''),
  mayWrite: ({ hook_event_name, permission_mode }) =>
    typeof hook_event_name === 'string' && typeof permission_mode === 'string',
  read: (document) => readLikeClaude('qwen', events, document),
}
