import { mailOf } from '../../contract/person.ts'
import type { Suggested } from '../../find/fields.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'

const inputOf = (field: Suggested, text: string, project: string[]) => ({
  ...{ field, limit: 12 },
  ...(text && { q: text }),
  ...(project.length > 0 && { project }),
})

/**
 * The only value of the runs that contains the text, such as an author's whole name and address; else the text. A whole
 * address stays as it is: it stands for every spelling of the person.
 */
export async function onlySuggestion(field: Suggested, text: string, project: string[]): Promise<string> {
  if (text === '') return text
  try {
    const { values, meta } = await client.suggest(inputOf(field, text, project))
    const [only = text, ...others] = values
    const isAddress = field === 'author' && mailOf(only) === text.toLowerCase()
    return others.length > 0 || meta.hasMore || isAddress ? text : only
  } catch {
    // The list says what is wrong.
    return text
  }
}

export interface SuggestionsProps {
  field: Suggested
  text: string
  project: string[]
  onChoose: (value: string, target: EventTarget | null) => void
}

/** Values of the runs, to choose one. */
export function Suggestions({ field, text, project, onChoose }: SuggestionsProps) {
  const input = inputOf(field, text, project)
  const { data, error, isCurrent } = useRead(JSON.stringify(input), (signal) => client.suggest(input, { signal }))
  if (error) return <p class="muted small note">{error.message}</p>
  if (!data) return null
  return (
    <>
      {data.values.map((value) => (
        <button
          key={value}
          type="button"
          class="option"
          title={value}
          onClick={(event) => onChoose(value, event.target)}
        >
          {value}
        </button>
      ))}
      {data.values.length === 0 && isCurrent && <p class="muted small note">No suggestion contains this.</p>}
      {data.meta.hasMore && <p class="muted small note">Type to see others.</p>}
    </>
  )
}
