import { type Fields, fieldsOf, listOf, promptLength, textOf } from '../fields.ts'

/** The texts of a message of Factory Droid. */
export const textsIn = (content: unknown, length: number): string | undefined =>
  textOf(
    listOf(content)
      .flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? [text] : []))
      .join('\n'),
    length,
  )

/** A person's prompt, with the id of its turn. What Droid adds is for its user alone, or comes as a reminder. */
export function promptIn({ type, id, message }: Fields): { turn: string | undefined; text: string } | undefined {
  const { role, content, visibility } = fieldsOf(message)
  if (type !== 'message' || role !== 'user' || visibility === 'user_only') return undefined
  const text = textsIn(content, promptLength)
  return text === undefined || text.startsWith('<system-reminder>') ? undefined : { turn: textOf(id, 200), text }
}
