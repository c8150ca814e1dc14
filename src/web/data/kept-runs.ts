import type { Run } from '../../nouns/run/fields.ts'

/** The runs just read; those that are as before are the same objects, so that they need not be drawn again. */
export function keptRuns(before: Run[], read: Run[]): Run[] {
  const known = new Map(before.map((run) => [run.id, run]))
  return read.map((run) => {
    const was = known.get(run.id)
    return was && JSON.stringify(was) === JSON.stringify(run) ? was : run
  })
}
