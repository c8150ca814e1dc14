import { type Agent, countOf, exitCodeIn, type Fields, fieldsOf, promptLength, type Step, textOf } from './agent.ts'

/** Cursor: https://cursor.com/docs/agent/hooks. Its transcript tells no usage; the end of a turn does. */
export const cursor: Agent = {
  name: 'cursor',
  agent: 'cursor',
  title: 'Cursor',
  // Cursor reads JSON; an empty object decides nothing.
  answer: '{}',
  read(document) {
    const { conversation_id, session_id, workspace_roots, cwd, tool_use_id, generation_id, model } = document
    const session = textOf(conversation_id) ?? textOf(session_id)
    const folder = textOf(Array.isArray(workspace_roots) ? workspace_roots[0] : undefined) ?? textOf(cwd)
    const step = stepOf(document)
    if (!session || !folder || !step) return undefined
    const id = textOf(tool_use_id) ?? textOf(generation_id)
    // That word stands for whichever model Cursor chose.
    return { session, cwd: folder, step, id, model: model === 'default' ? undefined : textOf(model, 100) }
  },
}

function stepOf(document: Fields): Step | undefined {
  switch (document.hook_event_name) {
    case 'beforeSubmitPrompt':
      return { kind: 'prompt', text: textOf(document.prompt, promptLength) ?? '' }
    case 'postToolUse':
    case 'postToolUseFailure':
      return toolOf(document)
    case 'afterFileEdit': {
      const file = textOf(document.file_path)
      return file ? { kind: 'tool', tool: 'Edit', files: [file] } : undefined
    }
    case 'stop':
      return {
        kind: 'turn',
        ...(document.status === 'error' && { failure: failureOf(document) }),
        ...(Number.isInteger(document.input_tokens) && { usage: usageOf(document) }),
      }
    case 'sessionEnd':
      return { kind: 'end', ...(document.reason === 'error' && { failure: failureOf(document) }) }
    default:
      return undefined
  }
}

const failureOf = ({ error_message }: Fields) => textOf(error_message) ?? 'Cursor tells of an error.'

const usageOf = ({ input_tokens, output_tokens }: Fields) => ({
  inputTokens: countOf(input_tokens),
  outputTokens: countOf(output_tokens),
})

/** Edits are told by afterFileEdit, with their file. */
function toolOf({ tool_name, tool_input, tool_output }: Fields): Step | undefined {
  const tool = textOf(tool_name, 200) ?? 'unknown'
  if (['Write', 'Edit', 'StrReplace', 'MultiEdit'].includes(tool)) return undefined
  if (tool !== 'Shell') return { kind: 'tool', tool }
  const command = textOf(fieldsOf(tool_input).command, 2_000)
  return { kind: 'tool', tool, command, exitCode: exitCodeIn(tool_output) }
}
