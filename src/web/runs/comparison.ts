import type { Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'

/** The address of a comparison of two runs. */
export const comparisonHref = (runs: readonly Pick<Run, 'project' | 'runId'>[]): string =>
  href(['compare'], { run: runs.map(({ project, runId }) => `${project}/${runId}`) })
