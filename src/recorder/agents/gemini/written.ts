import type { Written } from '../../transcripts/written.ts'
import { fieldsOf, listOf } from '../fields.ts'

/**
 * What a tool of Gemini CLI or Qwen Code wrote, from what it displays and what it answers the model; empty for a tool
 * that writes no file. An empty content before may also mean that there was no file, which only the answer says.
 */
export function writtenIn(display: unknown, answer: unknown): Written[] {
  const { filePath: path, originalContent, newContent: after } = fieldsOf(display)
  if (typeof path !== 'string') return []
  const before = isNew(answer) ? null : originalContent || undefined
  if (typeof after !== 'string' || (before !== null && typeof before !== 'string')) return [{ path }]
  return [{ path, before, after }]
}

const isNew = (answer: unknown): boolean =>
  listOf(answer).some(({ functionResponse }) => {
    const { output } = fieldsOf(fieldsOf(functionResponse).response)
    return typeof output === 'string' && /^(?:Successfully created|Created new file)/.test(output)
  })
