import { eventsLikeClaude, readLikeClaude, usedBy } from '../claude/hooks.ts'
import type { AgentDialect, EventReaders } from '../dialect.ts'
import { exitCodeBelow, fieldsOf, type JsonFields, textOf } from '../fields.ts'
import { isShell } from '../tools.ts'

// https://qwenlm.github.io/qwen-code-docs/en/users/features/hooks

/** Qwen Code writes it below the output of the command, and sometimes notes about the command further below. */
const below = /^\nExit Code: (\d{1,3})\nSignal: [^\n]*(?:\n[A-Z][\w ]*: [^\n]*)*(?:\n\n[^\n]+)*$/

function exitCodeOf({ tool_response, error }: JsonFields): number | undefined {
  const text = error ?? fieldsOf(tool_response).llmContent
  return typeof text === 'string' ? exitCodeBelow(text, below) : undefined
}

/** Qwen Code puts them before what its user wrote, for example to name the worktree of the session. */
const reminders = /^(?:<system-reminder>\n[\s\S]*?\n<\/system-reminder>\s*)+/

/**
 * What its user wrote, of a prompt. Qwen Code takes an @ for a file, and puts a space before it. That would hide the
 * password in a URL.
 */
export const wordsIn = (prompt: string) => prompt.replace(reminders, '').replace(/(:\/\/[^\s:@/]+:[^\s@/]+) @/g, '$1@')

/**
 * The errors of a command that edits a file, if Qwen Code refused it because the file is not as the model has read it. The
 * error of a command that ran begins with `Command: `.
 */
const unread =
  /^(?:File (?:changed since sed edit confirmation: |\S.* (?:has not been read in this session|has been modified since you last read it|disappeared after the model read it|is (?:a directory|a FIFO|a binary|on a filesystem))\b)|Could not stat \S.* to verify prior read\b)/

// Its batches use other ids for tools than its other events.
const { PostToolBatch: _, ...likeClaude } = eventsLikeClaude(exitCodeOf)

const events: EventReaders = {
  ...likeClaude,
  PostToolUseFailure: (document) => {
    const isRefused = isShell(document.tool_name) && unread.test(textOf(document.error) ?? '')
    return { kind: 'tool', ...usedBy(document, exitCodeOf(document)), ...(isRefused && { refused: true }) }
  },
}

export const qwen: AgentDialect = {
  name: 'qwen',
  owns: ({ session_id, transcript_path }, env) =>
    (typeof session_id === 'string' && env.QWEN_CODE_SESSION_ID === session_id) ||
    /[/\\]\.qwen[/\\]/.test(textOf(transcript_path) ?? ''),
  mayWrite: ({ hook_event_name, permission_mode }) =>
    typeof hook_event_name === 'string' && typeof permission_mode === 'string',
  read: (document) => {
    const { prompt } = document
    return readLikeClaude(
      'qwen',
      events,
      typeof prompt === 'string' ? { ...document, prompt: wordsIn(prompt) } : document,
    )
  },
}
