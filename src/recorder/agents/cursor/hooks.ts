import { type AgentDialect, type EventReaders, seenOf, stepsOf } from '../dialect.ts'
import {
  countOf,
  defined,
  failureOf,
  fieldsOf,
  type JsonFields,
  numberOf,
  promptLength,
  textOf,
  valueIn,
} from '../fields.ts'
import type { Step, TurnEnd } from '../seen.ts'
import { begin, isEdit, isShell, toolUse } from '../tools.ts'

// https://cursor.com/docs/hooks. The format of its transcripts is undocumented, so none is read.

const events: EventReaders = {
  sessionStart: () => ({ kind: 'start', source: 'startup' }),
  beforeSubmitPrompt: ({ prompt }) => {
    const text = textOf(prompt, promptLength)
    return text === undefined ? undefined : { kind: 'prompt', text }
  },
  preToolUse: ({ tool_name, tool_input, tool_use_id }) => begin(tool_name, tool_input, tool_use_id),
  // afterFileEdit reports a successful edit, with its file.
  postToolUse: (document) => (isEdit(document.tool_name) ? undefined : used(document)),
  postToolUseFailure: used,
  afterFileEdit: ({ file_path }) => {
    const file = textOf(file_path)
    return file === undefined ? undefined : { kind: 'tool', tool: 'Edit', files: [file] }
  },
  subagentStop: ({ subagent_type, subagent_id }) => ({
    kind: 'subagent',
    name: textOf(subagent_type, 100) ?? 'unknown',
    ...defined({ id: textOf(subagent_id, 200) }),
  }),
  preCompact: () => ({ kind: 'compact' }),
  stop: (document) => ({ kind: 'turn', ...endOf(document) }),
  sessionEnd: ({ reason, error_message }) => ({
    kind: 'end',
    ...(reason === 'error' && { failure: failed(error_message) }),
    ...(reason === 'aborted' && { interrupted: true }),
  }),
}

function used(document: JsonFields): Step {
  const { hook_event_name, tool_name, tool_input, tool_output, tool_use_id, duration, failure_type } = document
  // The folder of the session is that of the workspace.
  const folder = isShell(tool_name) ? textOf(document.cwd) : undefined
  return {
    kind: 'tool',
    ...toolUse(tool_name, tool_input, {
      id: textOf(tool_use_id, 200),
      folder,
      exitCode: exitCodeOf(tool_output),
      durationMs: numberOf(Math.round(Number(duration ?? Number.NaN))),
      failed: hook_event_name === 'postToolUseFailure' ? true : undefined,
      refused: failure_type === 'permission_denied' ? true : undefined,
    }),
  }
}

/** The output of a tool is JSON in a string; that of a shell has a field for the exit code. */
function exitCodeOf(output: unknown): number | undefined {
  const { exitCode, exit_code } = fieldsOf(valueIn(String(output)))
  return numberOf(exitCode ?? exit_code)
}

function endOf({ status, error_message, ...tokens }: JsonFields): TurnEnd {
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = tokens
  return {
    ...(status === 'error' && { failure: failed(error_message) }),
    ...(status === 'aborted' && { interrupted: true }),
    ...(Number.isInteger(input_tokens) && {
      usage: defined({
        inputTokens: countOf(input_tokens),
        outputTokens: countOf(output_tokens),
        cacheReadTokens: numberOf(cache_read_tokens),
        cacheWriteTokens: numberOf(cache_write_tokens),
      }),
    }),
  }
}

const failed = (message: unknown) => failureOf(undefined, message, 'Cursor reports an error.')

export const cursor: AgentDialect = {
  name: 'cursor',
  // It also runs Claude Code's hooks, beside its own.
  onlyByOwnHooks: true,
  owns: ({ cursor_version, conversation_id }) => cursor_version !== undefined || conversation_id !== undefined,
  mayWrite: ({ hook_event_name }) => typeof hook_event_name === 'string' && Object.hasOwn(events, hook_event_name),
  read: (document) => {
    const { conversation_id, session_id, workspace_roots, cwd, model, cursor_version } = document
    const head = {
      agent: 'cursor',
      session: textOf(conversation_id, 200) ?? textOf(session_id, 200),
      cwd: textOf(Array.isArray(workspace_roots) ? workspace_roots[0] : undefined) ?? textOf(cwd),
      // `default` stands for the model that Cursor chose.
      model: model === 'default' ? undefined : textOf(model, 100),
      version: textOf(cursor_version, 100),
    }
    return seenOf(defined(head), document, stepsOf(events, document))
  },
}
