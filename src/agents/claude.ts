import {
  type Agent,
  countOf,
  exitCodeIn,
  type Fields,
  fieldsOf,
  promptLength,
  type Step,
  textOf,
  type Usage,
} from './agent.ts'

/** Claude Code: https://code.claude.com/docs/en/hooks */
export const claude: Agent = {
  name: 'claude',
  agent: 'claude-code',
  title: 'Claude Code',
  // What a hook prints at a prompt becomes a part of the prompt.
  answer: '',
  read(document) {
    const { session_id, cwd, transcript_path, tool_use_id, prompt_id, cursor_version } = document
    const [session, folder, step] = [textOf(session_id), textOf(cwd), stepOf(document)]
    // Cursor runs the hooks of Claude Code too; it has its own.
    if (!session || !folder || !step || cursor_version !== undefined) return undefined
    const id = textOf(tool_use_id) ?? textOf(prompt_id)
    return { session, cwd: folder, step, id, transcript: textOf(transcript_path) }
  },
  usageOf,
}

function stepOf(document: Fields): Step | undefined {
  switch (document.hook_event_name) {
    case 'UserPromptSubmit':
      return { kind: 'prompt', text: textOf(document.prompt, promptLength) ?? '' }
    case 'PostToolUse':
    case 'PostToolUseFailure':
      return toolOf(document)
    case 'Stop':
      return { kind: 'turn' }
    case 'StopFailure':
      return { kind: 'turn', failure: failureOf(document) }
    case 'SessionEnd':
      return { kind: 'end' }
    default:
      return undefined
  }
}

/** The code of the error, and what Claude Code says to its user. */
function failureOf({ error, error_details, last_assistant_message }: Fields): string {
  const told = [textOf(error, 100), textOf(last_assistant_message) ?? textOf(error_details)]
  return told.filter((words) => words !== undefined).join(': ') || 'The API failed.'
}

const editing = ['Edit', 'MultiEdit', 'Write', 'NotebookEdit']

function toolOf(document: Fields): Step {
  const tool = textOf(document.tool_name, 200) ?? 'unknown'
  const { file_path, notebook_path, command } = fieldsOf(document.tool_input)
  const file = textOf(file_path) ?? textOf(notebook_path)
  if (tool === 'Bash') {
    return { kind: 'tool', tool, command: textOf(command, 2_000), exitCode: exitCodeOf(document) }
  }
  const isEdit = editing.includes(tool) && document.hook_event_name === 'PostToolUse'
  return { kind: 'tool', tool, ...(isEdit && file && { files: [file] }) }
}

/** A command that succeeds has its own event; one that fails says with which code. */
function exitCodeOf({ hook_event_name, tool_response, error }: Fields): number | undefined {
  const response = fieldsOf(tool_response)
  if (hook_event_name === 'PostToolUseFailure') {
    const code = /\b(?:exit|status) code:? (\d{1,3})\b/i.exec(textOf(error) ?? '')?.[1]
    return code === undefined ? undefined : Number(code)
  }
  const isUnknown = response.interrupted === true || response.backgroundTaskId || response.returnCodeInterpretation
  return exitCodeIn(response) ?? (isUnknown ? undefined : 0)
}

/** Input counts what was read from the cache and written to it too; subagents, who have files of their own, count. */
async function usageOf(transcript: string): Promise<Usage | undefined> {
  // No hook needs it.
  const { budget, filesIn, linesWith } = await import('./lines.ts')
  // A message is written once per part, each time with its usage so far.
  const messages = new Map<unknown, Fields>()
  let model: string | undefined
  const subagents = await filesIn(`${transcript.replace(/\.jsonl$/, '')}/subagents`, '.jsonl')
  const left = budget()
  for (const path of [transcript, ...subagents]) {
    for await (const { message } of linesWith(path, '"usage"', left)) {
      const { id, usage, model: by } = fieldsOf(message)
      messages.set(id, fieldsOf(usage))
      if (path === transcript && by !== '<synthetic>') model = textOf(by, 100) ?? model
    }
  }
  if (messages.size === 0) return undefined
  const sum = (...fields: string[]) =>
    [...messages.values()].flatMap((usage) => fields.map((field) => countOf(usage[field]))).reduce((a, b) => a + b, 0)
  return {
    model,
    inputTokens: sum('input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'),
    outputTokens: sum('output_tokens'),
  }
}
