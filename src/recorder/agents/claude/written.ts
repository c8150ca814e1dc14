import { edited, editOf, type TextReplacement, type Written } from '../../transcripts/written.ts'
import { fieldsOf, type JsonFields, listOf } from '../fields.ts'

/** What a tool of Claude Code wrote, from its result in the transcript; empty for a tool that writes no file. */
export function writtenIn(result: unknown): Written[] {
  const fields = fieldsOf(result)
  const { filePath: path } = fields
  if (typeof path !== 'string') return []
  const before = fields.originalFile ?? fields.originalFileContents ?? null
  // A user who changes an edit may leave another content than the result says.
  const after = fields.userModified === true ? undefined : afterOf(fields, before)
  if (after === undefined || (before !== null && typeof before !== 'string')) return [{ path }]
  return [{ path, before, after }]
}

/** The content after a tool; undefined if the result does not say it. */
function afterOf(fields: JsonFields, before: unknown): string | undefined {
  const { type, content } = fields
  if (type === 'create' && before === null && typeof content === 'string') return content
  if (typeof before !== 'string') return undefined
  if (type === 'update') return typeof content === 'string' ? content : undefined
  const after = editsIn(fields).reduce<string | undefined>(afterEdit, before)
  return after !== undefined && isShown(fields.structuredPatch, before, after) ? after : undefined
}

const editsIn = (fields: JsonFields): (TextReplacement | undefined)[] =>
  Array.isArray(fields.edits)
    ? listOf(fields.edits).map((edit) => editOf(edit.old_string, edit.new_string, edit.replace_all))
    : [editOf(fields.oldString, fields.newString, fields.replaceAll)]

/** The content after an edit as Claude Code makes it: with the text of a whole line goes the line. */
function afterEdit(content: string | undefined, edit: TextReplacement | undefined): string | undefined {
  if (content === undefined || !edit || edit.old === '') return undefined
  const { old, now } = edit
  const gone = now === '' && !old.endsWith('\n') && content.includes(`${old}\n`) ? `${old}\n` : old
  return edited(content, { ...edit, old: gone })
}

/** Whether hunks, which may show the white space before a line in another way, are from one content to the other. */
function isShown(hunks: unknown, before: string, after: string): boolean {
  const [old, now] = [before.split('\n'), after.split('\n')]
  let moved = 0
  for (const { oldStart, newStart, lines } of listOf(hunks)) {
    if (!Array.isArray(lines)) return false
    const at = { old: Number(oldStart) - 1, now: Number(newStart) - 1 }
    for (const line of lines.map(String)) {
      const text = line.slice(1).trim()
      if (line.startsWith('\\')) continue
      if (!line.startsWith('+') && old[at.old++]?.trim() !== text) return false
      if (!line.startsWith('-') && now[at.now++]?.trim() !== text) return false
      moved += line.startsWith('+') ? 1 : line.startsWith('-') ? -1 : 0
    }
  }
  return moved === now.length - old.length && (before === after || listOf(hunks).length > 0)
}
