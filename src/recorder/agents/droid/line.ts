import { fieldsOf, type JsonFields, listOf, promptLength, textOf } from '../fields.ts'
import type { Step } from '../seen.ts'
import { toolUse } from '../tools.ts'
import { exitCodeIn } from './hooks.ts'

/** The texts of a message of Factory Droid. */
export const textsIn = (content: unknown, length: number): string | undefined =>
  textOf(
    listOf(content)
      .flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? [text] : []))
      .join('\n'),
    length,
  )

/** A person's prompt, with the id of its turn. What Droid adds is for its user alone, or comes as a reminder. */
export function promptIn({ type, id, message }: JsonFields): { turn: string | undefined; text: string } | undefined {
  const { role, content, visibility } = fieldsOf(message)
  if (type !== 'message' || role !== 'user' || visibility === 'user_only') return undefined
  const text = textsIn(content, promptLength)
  return text === undefined || text.startsWith('<system-reminder>') ? undefined : { turn: textOf(id, 200), text }
}

/** The beginning of a tool's use, as the model asked for it. */
export interface BegunTool {
  name: unknown
  input: unknown
}

export type UseStep = Step & { kind: 'tool' }

/** The uses of tools that a message begins, by their ids. */
export const begunIn = ({ content }: JsonFields): [string, BegunTool][] =>
  listOf(content).flatMap(({ type, id, name, input }) =>
    type === 'tool_use' && typeof id === 'string' ? [[id, { name, input }]] : [],
  )

/** The ends of uses of tools in a message. */
export const resultsIn = ({ content }: JsonFields): JsonFields[] =>
  listOf(content).filter(({ type }) => type === 'tool_result')

/** A use of a tool by its end; undefined if its beginning is unknown. */
export function useOf(
  open: ReadonlyMap<string, BegunTool>,
  { tool_use_id, is_error, content }: JsonFields,
): UseStep | undefined {
  const id = textOf(tool_use_id, 200)
  const begun = id === undefined ? undefined : open.get(id)
  if (id === undefined || !begun) return undefined
  const failed = is_error === true ? true : undefined
  const exitCode = exitCodeIn(typeof content === 'string' ? content : textsIn(content, 100_000))
  return { kind: 'tool', ...toolUse(begun.name, begun.input, { id, failed, exitCode }) }
}
