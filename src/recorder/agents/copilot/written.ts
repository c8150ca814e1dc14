import { editOf, type Written } from '../../transcripts/written.ts'
import { fieldsOf, type JsonFields, listOf } from '../fields.ts'

/** What the use of a tool wrote, by the lines of its beginning and its end. */
export function writtenBy(begun: JsonFields, { success, fileEdits, result }: JsonFields): Written[] {
  const edits = success === true ? listOf(fileEdits) : []
  return edits.flatMap(({ path, kind }): Written[] => {
    if (typeof path !== 'string') return []
    return [{ path, ...(edits.length === 1 && kind === begun.toolName && contentsOf(begun, fieldsOf(result))) }]
  })
}

/** Copilot CLI creates no file where there is one. */
function contentsOf(
  { toolName, arguments: input }: JsonFields,
  { detailedContent }: JsonFields,
): Omit<Written, 'path'> {
  const { old_str, new_str, file_text: after } = fieldsOf(input)
  if (toolName === 'create') return typeof after === 'string' ? { before: null, after } : {}
  const [edit, hunks] = [editOf(old_str, new_str), hunksIn(detailedContent)]
  return toolName === 'edit' && edit && hunks !== undefined ? { hunks, edit } : {}
}

/** The hunks in the diff of a file; undefined if there are none. */
function hunksIn(diff: unknown): string | undefined {
  if (typeof diff !== 'string') return undefined
  const at = diff.indexOf('\n@@ ')
  return at < 0 ? undefined : diff.slice(at + 1)
}
