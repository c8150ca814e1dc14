import { type AgentDialect, type EventReaders, seenOf, stepsOf } from '../dialect.ts'
import {
  answerLength,
  defined,
  failureOf,
  fieldsOf,
  type JsonFields,
  listOf,
  numberOf,
  promptLength,
  textOf,
} from '../fields.ts'
import type { Seen, Step, ToolUse } from '../seen.ts'
import { begin, targetOf, taskOf, toolName, toolUse } from '../tools.ts'

// https://code.claude.com/docs/en/hooks. Codex, Qwen Code, Droid and Copilot use this format, too.

/** How many tools of a batch to read: each becomes a step of its own. */
const mostCalls = 100

/**
 * The events of Claude Code's format. `exitCodeOf` returns the exit code of a command, or `undefined` if the document
 * does not contain it.
 */
export function eventsLikeClaude(exitCodeOf: (document: JsonFields) => number | undefined): EventReaders {
  const used = (document: JsonFields): Step => ({ kind: 'tool', ...usedBy(document, exitCodeOf(document)) })
  return {
    SessionStart: ({ source }) => ({ kind: 'start', ...defined({ source: sourceOf(source) }) }),
    UserPromptSubmit: prompted,
    PreToolUse: ({ tool_name, tool_input, tool_use_id }) => begin(tool_name, tool_input, tool_use_id),
    PermissionRequest: (document) => ({ ...aimOf(document), kind: 'wait' }),
    Notification: ({ notification_type }) =>
      typeof notification_type === 'string' ? notified[notification_type] : undefined,
    PostToolUse: used,
    PostToolUseFailure: used,
    PostToolBatch: ({ tool_calls, ...document }) =>
      listOf(tool_calls)
        .slice(0, mostCalls)
        .flatMap((call) => unrunOf(document, call)),
    SubagentStop: subagentStopped,
    PreCompact: () => ({ kind: 'compact' }),
    Stop: stopped,
    // A subagent fails in the same way, such as the one that summarises a conversation that is too long.
    StopFailure: (document) => {
      const { error, last_assistant_message, error_details } = document
      if (subagentOf(document)) return undefined
      return { kind: 'turn', failure: failureOf(error, last_assistant_message, error_details) }
    },
    SessionEnd: () => ({ kind: 'end' }),
  }
}

/** What notifications say, by their types. After an answer that stops the turn, only `idle_prompt` comes, a minute later. */
const notified: Record<string, Step> = {
  permission_prompt: { kind: 'wait' },
  elicitation_dialog: { kind: 'wait' },
  elicitation_url_dialog: { kind: 'wait' },
  elicitation_response: { kind: 'resume', state: 'working' },
  elicitation_complete: { kind: 'resume', state: 'working' },
  idle_prompt: { kind: 'resume', state: 'idle' },
}

/** Reads documents in Claude Code's format. */
export function readLikeClaude(agent: string, events: EventReaders, document: JsonFields): Seen[] {
  const { session_id, sessionId, cwd, transcript_path, model } = document
  const subagent = subagentOf(document)
  const head = {
    agent,
    session: textOf(session_id ?? sessionId, 200),
    cwd: textOf(cwd),
    // A subagent's own transcript would be mistaken for that of the session.
    transcript: subagent ? undefined : textOf(transcript_path),
    model: textOf(model, 100),
    subagent,
  }
  return seenOf(defined(head), document, stepsOf(events, document))
}

export const claude: AgentDialect = {
  name: 'claude',
  owns: ({ session_id, transcript_path }, env) =>
    isText(session_id) &&
    (env.CLAUDE_CODE_SESSION_ID === session_id ||
      /[/\\]\.claude[/\\]projects[/\\]/.test(textOf(transcript_path) ?? '')),
  mayWrite: ({ hook_event_name, session_id, transcript_path }) =>
    isText(hook_event_name) && isText(session_id) && isInProjects(textOf(transcript_path), session_id),
  read: (document) => readLikeClaude('claude-code', events, document),
}

const isText = (value: unknown) => typeof value === 'string'

/** Whether a transcript is where Claude Code stores it, in whichever folder `CLAUDE_CONFIG_DIR` names. */
const isInProjects = (path = '', session: unknown): boolean =>
  /[/\\]projects[/\\][^/\\]+[/\\]([^/\\]+)\.jsonl$/.exec(path)?.[1] === session

const events: EventReaders = {
  ...eventsLikeClaude(exitCodeOf),
  // A message that is only an image or a file has an empty prompt.
  UserPromptSubmit: (document) =>
    document.prompt === '' && !subagentOf(document) ? { kind: 'prompt', text: '' } : prompted(document),
}

function subagentOf({ agent_id, agent_type }: JsonFields): Seen['subagent'] {
  const id = textOf(agent_id, 200)
  return id === undefined ? undefined : defined({ id, name: textOf(agent_type, 100) })
}

const sources = ['startup', 'resume', 'clear', 'compact'] as const
export const sourceOf = (source: unknown) => (source === 'new' ? 'startup' : sources.find((one) => one === source))

/** What agents send to their models by themselves: the report of a background task, or a word after an empty response. */
const ownWords =
  /^\s*(?:<(?:task-notification|system_notification)>|\[System: You successfully executed a tool but returned an empty response\b)/

/** The input of a subagent, an agent's own words, and the empty prompt of another model call are not a person's prompt. */
export function prompted(document: JsonFields): Step | undefined {
  const text = textOf(document.prompt, promptLength)
  if (text === undefined || subagentOf(document) || ownWords.test(text)) return undefined
  return { kind: 'prompt', text }
}

const aimOf = ({ tool_name, tool_input }: JsonFields) =>
  defined({ tool: toolName(tool_name), target: targetOf(tool_name, tool_input) })

/** The use of a tool that a document in Claude Code's format reports. */
export function usedBy(document: JsonFields, exitCode: number | undefined): ToolUse {
  const { hook_event_name, tool_name, tool_input, tool_use_id, duration_ms } = document
  const subagent = subagentOf(document)
  const isFailed = hook_event_name === 'PostToolUseFailure'
  return toolUse(tool_name, tool_input, {
    id: textOf(tool_use_id, 200),
    exitCode,
    goesOn: fieldsOf(document.tool_response).backgroundTaskId ? true : undefined,
    durationMs: numberOf(duration_ms),
    failed: isFailed ? true : undefined,
    task: isFailed ? undefined : taskOf(tool_name, fieldsOf(tool_input), fieldsOf(document.tool_response)),
    by: subagent && (subagent.name ?? subagent.id),
  })
}

/** A successful command has its own event; the report of a failed one begins with the code. */
function exitCodeOf({ hook_event_name, tool_response, error }: JsonFields): number | undefined {
  if (hook_event_name === 'PostToolUseFailure') {
    const code = /^(?:Error: )?Exit code ([1-9]\d{0,2})\b/.exec(textOf(error) ?? '')?.[1]
    return code === undefined ? undefined : Number(code)
  }
  const { interrupted, backgroundTaskId, returnCodeInterpretation } = fieldsOf(tool_response)
  return interrupted === true || backgroundTaskId || returnCodeInterpretation ? undefined : 0
}

const refusals =
  /^(?:Error: )?(?:The user doesn't want to|Permission to use |Claude requested permissions? to |\[Request interrupted by user for tool use|[^\n]* (?:needs|requires) approval\b)/

/**
 * A tool of a batch that did not run, because it was refused or its own checks rejected the input, which is then no
 * command that ran. No other event reports it. If the wording misleads and it did run, the id shows that it is the same
 * use.
 */
function unrunOf(document: JsonFields, call: JsonFields): Step[] {
  const response = textOf(call.tool_response) ?? ''
  const refused = refusals.test(response)
  if (!refused && !response.startsWith('<tool_use_error>')) return []
  const subagent = subagentOf(document)
  const more = { failed: true, refused: refused || undefined, by: subagent && (subagent.name ?? subagent.id) } as const
  const { command, ...use } = toolUse(call.tool_name, call.tool_input, { id: textOf(call.tool_use_id, 200), ...more })
  return [{ kind: 'tool', ...use, ...(refused && command !== undefined && { command }) }]
}

function subagentStopped({ agent_id, agent_type, agent_transcript_path }: JsonFields): Step | undefined {
  // The subagent that summarises a conversation has no type.
  const name = textOf(agent_type, 100)
  if (name === undefined) return undefined
  return {
    kind: 'subagent',
    name,
    ...defined({ id: textOf(agent_id, 200), transcript: textOf(agent_transcript_path) }),
  }
}

/** The end of a turn. A subagent's end has its own event. */
function stopped(document: JsonFields): Step | undefined {
  if (subagentOf(document)) return undefined
  const { last_assistant_message, background_tasks } = document
  const goesOn = listOf(background_tasks).some(({ status }) => status === 'running')
  const answer = textOf(last_assistant_message, answerLength)
  return { kind: 'turn', ...defined({ answer, goesOn: goesOn ? true : undefined } as const) }
}
