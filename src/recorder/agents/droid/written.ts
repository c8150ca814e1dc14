import { editOf, type Written } from '../../transcripts/written.ts'
import { fieldsOf, type JsonFields, listOf, valueIn } from '../fields.ts'
import type { ToolUse } from '../seen.ts'

/** What a tool wrote to its files. Of one that Factory Droid creates, nothing says whether there was another before. */
export function writtenBy({ tool, files = [] }: ToolUse, input: unknown, { content }: JsonFields): Written[] {
  const { old_str, new_str, change_all } = fieldsOf(input)
  const edit = tool === 'Edit' ? editOf(old_str, new_str, change_all) : undefined
  const hunks = edit && hunksIn(content)
  return files.map((path) => ({ path, ...(edit && hunks !== undefined && { hunks, edit }) }))
}

const signs = new Map<unknown, string>([
  ['unchanged', ' '],
  ['removed', '-'],
  ['added', '+'],
])

/** The hunks in the result of an edit, which has some lines around each change; undefined if it has none. */
function hunksIn(result: unknown): string | undefined {
  const { diffLines } = fieldsOf(valueIn(String(result)))
  if (!Array.isArray(diffLines)) return undefined
  const lines = listOf(diffLines).map(({ type, content, lineNumber }) => {
    const { old, new: now } = fieldsOf(lineNumber)
    const head = type === 'unchanged' ? `@@ -${old} +${now} @@\n` : ''
    return `${head}${signs.get(type)}${content}\n`
  })
  return `@@ -1 +1 @@\n${lines.join('')}`
}
