import { digestOf } from '../../nouns/run/turn.ts'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import type { Row } from './columns.ts'

/** A record for people: its fields, and the text below them. */
export interface Story {
  fields: Row
  content: string
}

/** A turn shows the prompt, the answer and the work; other records show their content. */
export function storyOf(name: string, record: Row): Story {
  if (name !== 'turn') {
    const { content, ...fields } = record
    return { fields, content: typeof content === 'string' ? content : '' }
  }
  const turn = record as unknown as Turn
  const { project, runId, n, startedAt, endedAt, model, usage, git, createdBy } = turn
  return { fields: { project, runId, n, startedAt, endedAt, model, usage, git, createdBy }, content: digestOf(turn) }
}
