import { nameOf } from '../../contract/person.ts'

/** The name of a person; nothing if there is none. */
export function Author({ author }: { author: string | null }) {
  return author === null ? null : <span title={author}>{nameOf(author)}</span>
}
