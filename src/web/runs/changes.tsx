import type { Run } from '../../api/run.ts'

export const plural = (count: number, noun: string) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`

/** The changes to the code: `3 files +120 −8`; nothing if unknown. */
export function Changes({ changes }: Pick<Run, 'changes'>) {
  const { files, insertions, deletions } = changes ?? {}
  if (files === undefined && insertions === undefined && deletions === undefined) return null
  return (
    <span class="changes">
      {files !== undefined && <span>{plural(files, 'file')}</span>}
      {insertions !== undefined && (
        <span class="added">
          +{insertions.toLocaleString('en')}
          <span class="unseen"> lines added</span>
        </span>
      )}
      {deletions !== undefined && (
        <span class="removed">
          −{deletions.toLocaleString('en')}
          <span class="unseen"> lines removed</span>
        </span>
      )}
    </span>
  )
}
