import { prompted, sourceOf } from '../claude/hooks.ts'
import { type AgentDialect, type EventReaders, seenOf, stepsOf } from '../dialect.ts'
import { answerLength, defined, exitCodeBelow, fieldsOf, type JsonFields, textOf } from '../fields.ts'
import type { Step } from '../seen.ts'
import { begin, isShell, toolUse } from '../tools.ts'

// https://geminicli.com/docs/hooks/reference. PreCompress is ignored: it precedes every call of the model.

const events: EventReaders = {
  SessionStart: ({ source }) => ({ kind: 'start', ...defined({ source: sourceOf(source) }) }),
  BeforeAgent: prompted,
  BeforeTool: ({ tool_name, tool_input }) => begin(tool_name, tool_input),
  AfterTool: used,
  Notification: ({ notification_type }) => (notification_type === 'ToolPermission' ? { kind: 'wait' } : undefined),
  AfterAgent: turned,
  SessionEnd: () => ({ kind: 'end' }),
}

/** The response joins all texts of the turn. The transcript has the last one, which is the answer. */
function turned({ prompt_response, transcript_path }: JsonFields): Step {
  const answer = textOf(transcript_path) === undefined ? textOf(prompt_response, answerLength) : undefined
  return { kind: 'turn', ...defined({ answer }) }
}

function used({ tool_name, tool_input, tool_response }: JsonFields): Step {
  const { error, llmContent } = fieldsOf(tool_response)
  const failed = error === undefined ? undefined : true
  const refused = isShell(tool_name) && unstarted.test(textOf(llmContent) ?? '') ? true : undefined
  return { kind: 'tool', ...toolUse(tool_name, tool_input, { failed, refused, exitCode: exitCodeOf(tool_response) }) }
}

/** The responses for a command that Gemini CLI blocked, or that its user cancelled, before it started. */
const unstarted = /^(?:Command injection detected: |Command was cancelled by user before it could start\b)/

const below = /^\nExit Code: (\d{1,3})(?:\n[A-Z][\w ]*: [^\n]*)*\n<\/untrusted_context>\s*$/

/** Gemini CLI writes a non-zero exit code below the output. A command in the background has none. */
function exitCodeOf(response: unknown): number | undefined {
  const { llmContent, error } = fieldsOf(response)
  if (typeof llmContent !== 'string' || error !== undefined) return undefined
  const code = exitCodeBelow(llmContent, below)
  if (code !== undefined) return code
  const end = llmContent.slice(-1_000)
  return /\nProcess Group PGID: \d+\n<\/untrusted_context>\s*$/.test(end) && !/\n(?:Signal|Background PIDs): /.test(end)
    ? 0
    : undefined
}

export const gemini: AgentDialect = {
  name: 'gemini',
  tellsWaits: true,
  owns: ({ session_id, transcript_path }, env) =>
    (typeof session_id === 'string' && env.GEMINI_SESSION_ID === session_id) ||
    /[/\\]\.gemini[/\\]/.test(textOf(transcript_path) ?? ''),
  mayWrite: ({ hook_event_name, timestamp }) =>
    typeof hook_event_name === 'string' && Object.hasOwn(events, hook_event_name) && timestamp !== undefined,
  read: (document) => {
    const { session_id, cwd, transcript_path } = document
    const head = {
      agent: 'gemini',
      session: textOf(session_id, 200),
      cwd: textOf(cwd),
      transcript: textOf(transcript_path),
    }
    return seenOf(defined(head), document, stepsOf(events, document))
  },
}
