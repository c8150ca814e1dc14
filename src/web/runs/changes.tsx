import type { Run } from '../../nouns/run/fields.ts'
import type { Uncredited } from '../../nouns/run/work-fields.ts'
import { plural } from '../ui/words.ts'

/** The colour of a number of lines. None has none. */
export const toneOf = (tone: 'added' | 'removed', lines = 0) => (lines > 0 ? tone : 'muted')

/** Changes that nobody is credited with, in words. */
export const uncreditedWords = ({ files, sessions }: Uncredited) =>
  `${plural(files, 'file')} changed while ${sessions} sessions ran commands; credited to none of them`

/** The changes to the code: `3 files +120 −8`; nothing if unknown. */
export function Changes({ changes }: Pick<Run, 'changes'>) {
  const { files, insertions, deletions } = changes ?? {}
  if (files === undefined && insertions === undefined && deletions === undefined) return null
  return (
    <span class="changes">
      {files !== undefined && <span>{plural(files, 'file')}</span>}
      {insertions !== undefined && (
        <span class={toneOf('added', insertions)}>
          +{insertions.toLocaleString('en')}
          <span class="unseen"> lines added</span>
        </span>
      )}
      {deletions !== undefined && (
        <span class={toneOf('removed', deletions)}>
          −{deletions.toLocaleString('en')}
          <span class="unseen"> lines removed</span>
        </span>
      )}
    </span>
  )
}
