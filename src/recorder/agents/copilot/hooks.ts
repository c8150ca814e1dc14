import { hash } from 'node:crypto'
import { join } from 'node:path'
import { eventsLikeClaude, readLikeClaude } from '../claude/hooks.ts'
import type { AgentDialect, AgentEnv } from '../dialect.ts'
import { defined, failureOf, fieldsOf, type JsonFields, textOf } from '../fields.ts'
import type { Seen, Step } from '../seen.ts'

// https://docs.github.com/en/copilot/reference/hooks-configuration and
// https://code.visualstudio.com/docs/agents/reference/hooks-reference. Copilot CLI has its own documents, and runs
// Claude Code's hooks with documents in that format. VS Code writes the latter, too.

const events = {
  ...eventsLikeClaude(({ tool_result }) => {
    const text = fieldsOf(tool_result).text_result_for_llm
    const code =
      typeof text === 'string' ? /<shellId: \S+ completed with exit code (\d{1,3})>\s*$/.exec(text.slice(-200)) : null
    return code ? Number(code[1]) : undefined
  }),
  // It calls this hook for each tool, even if it does not ask a person.
  PermissionRequest: () => undefined,
  SessionEnd: ({ reason }: JsonFields): Step => ({
    kind: 'end',
    ...(reason === 'error' && { failure: failureOf(undefined, 'Copilot ended the session because of an error.') }),
    ...(reason === 'abort' && { interrupted: true }),
  }),
}

export const copilot: AgentDialect = {
  name: 'copilot',
  owns: (document, env) =>
    typeof document.sessionId === 'string' ||
    document.tool_result !== undefined ||
    (document.timestamp !== undefined &&
      (env.COPILOT_CLI === '1' || /copilot/i.test(textOf(document.transcript_path) ?? ''))),
  mayWrite: ({ hook_event_name, timestamp }) => typeof hook_event_name === 'string' && timestamp !== undefined,
  read: (document, env) => {
    const likeClaude = inClaudesManner(document)
    const at = likeClaude.timestamp
    return readLikeClaude('copilot', events, likeClaude).map((seen) =>
      defined({
        ...seen,
        id: at === undefined ? undefined : idOf(seen, at, likeClaude),
        transcript: transcriptOf(seen, env),
      }),
    )
  },
}

/** Both formats have the same time and input, but other names of tools. */
const idOf = ({ step }: Seen, at: unknown, { tool_input, prompt }: JsonFields) =>
  `${step.kind} ${hash('sha256', JSON.stringify([at, tool_input, prompt]))}`

/**
 * Copilot CLI names the transcript only at the end of a turn, which does not come if the session ends with an error.
 */
function transcriptOf({ transcript, session, subagent }: Seen, env: AgentEnv): string | undefined {
  if (transcript !== undefined || subagent || env.COPILOT_CLI !== '1') return transcript
  const user = env.HOME || env.USERPROFILE
  const home = env.COPILOT_HOME ?? (user && join(user, '.copilot'))
  return home && join(home, 'session-state', session, 'events.jsonl')
}

/**
 * The events of Copilot CLI's own documents, which do not name them, by a field that only they have. The first match
 * counts.
 */
const marks: [field: string, event: string][] = [
  ['hookName', 'PermissionRequest'],
  ['errorContext', 'ErrorOccurred'],
  ['toolResult', 'PostToolUse'],
  ['error', 'PostToolUseFailure'],
  ['toolArgs', 'PreToolUse'],
  ['transformedPrompt', 'UserPromptTransformed'],
  ['prompt', 'UserPromptSubmit'],
  ['response', 'SubagentStop'],
  ['agentName', 'SubagentStart'],
  ['stopReason', 'Stop'],
  ['source', 'SessionStart'],
  ['reason', 'SessionEnd'],
  ['trigger', 'PreCompact'],
]

/** A document with Claude Code's field names. A subagent belongs to the session it works for. */
function inClaudesManner(document: JsonFields): JsonFields {
  const { sessionId, session_id, agentId, agent_id, timestamp } = document
  const own = session_id ?? sessionId
  const result = fieldsOf(document.toolResult)
  const named = document.hook_event_name ?? document.hookEventName
  return defined({
    ...document,
    hook_event_name: named ?? marks.find(([field]) => document[field] !== undefined)?.[1],
    session_id: (agentId ?? agent_id) === own ? (document.parent_agent_id ?? document.parentAgentId ?? own) : own,
    timestamp: typeof timestamp === 'string' ? Date.parse(timestamp) : timestamp,
    transcript_path: document.transcript_path ?? document.transcriptPath,
    agent_id: agent_id ?? agentId,
    agent_type: document.agent_type ?? document.agentType,
    tool_name: document.tool_name ?? document.toolName,
    tool_input: document.tool_input ?? document.toolArgs ?? document.toolInput,
    tool_result: document.tool_result ?? (document.toolResult && { text_result_for_llm: result.textResultForLlm }),
  })
}
