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

/** Codex: https://developers.openai.com/codex/hooks */
export const codex: Agent = {
  name: 'codex',
  agent: 'codex',
  title: 'Codex',
  answer: '',
  read(document) {
    const { session_id, cwd, transcript_path, tool_use_id, turn_id, model } = document
    const [session, folder, step] = [textOf(session_id), textOf(cwd), stepOf(document)]
    if (!session || !folder || !step) return undefined
    const id = textOf(tool_use_id) ?? textOf(turn_id)
    return { session, cwd: folder, step, id, transcript: textOf(transcript_path), model: textOf(model, 100) }
  },
  usageOf,
}

function stepOf(document: Fields): Step | undefined {
  switch (document.hook_event_name) {
    case 'UserPromptSubmit':
      // What a subagent is told is no prompt of the user.
      if (document.agent_id !== undefined) return undefined
      return { kind: 'prompt', text: textOf(document.prompt, promptLength) ?? '' }
    case 'PostToolUse':
      return toolOf(document)
    case 'Stop':
    case 'Interrupt':
      return { kind: 'turn' }
    case 'SessionEnd':
      return { kind: 'end' }
    default:
      return undefined
  }
}

function toolOf({ tool_name, tool_input, tool_response }: Fields): Step {
  const tool = textOf(tool_name, 200) ?? 'unknown'
  const { command, input } = fieldsOf(tool_input)
  const words = textOf(Array.isArray(command) ? command.join(' ') : (command ?? input), 100_000)
  if (tool === 'apply_patch') {
    const files = [...(words ?? '').matchAll(/^\*\*\* (?:Add File|Update File|Delete File|Move to): (.+)$/gm)]
    return { kind: 'tool', tool, files: files.slice(0, 100).map(([, file = '']) => file.trim()) }
  }
  return { kind: 'tool', tool, command: words?.slice(0, 2_000), exitCode: exitCodeIn(tool_response) }
}

/** The totals of the rollout. They begin again where some versions take a session up, so what was before is added. */
async function usageOf(transcript: string): Promise<Usage | undefined> {
  // No hook needs it.
  const { linesWith } = await import('./lines.ts')
  let before = { inputTokens: 0, outputTokens: 0 }
  let latest: { inputTokens: number; outputTokens: number } | undefined
  for await (const { payload } of linesWith(transcript, '"total_token_usage"')) {
    const { input_tokens, output_tokens } = fieldsOf(fieldsOf(fieldsOf(payload).info).total_token_usage)
    const total = { inputTokens: countOf(input_tokens), outputTokens: countOf(output_tokens) }
    if (latest && total.inputTokens < latest.inputTokens) before = plus(before, latest)
    latest = total
  }
  return latest && plus(before, latest)
}

const plus = (a: Usage, b: Usage) => ({
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
})
