import type { LastRun as Last } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { Ago } from './ago.tsx'
import { Status, Verdict } from './status.tsx'

/** The newest run of a feature or a project: its status and time. */
export function LastRun({ project, run }: { project: string; run: Last | null }) {
  if (run === null) return <span class="muted small">No run yet</span>
  return (
    <span class="last-run">
      <a href={href(['runs', project, run.runId])}>{run.runId}</a>
      {run.verdict === 'unchecked' ? <Status run={{ ...run, failure: null }} /> : <Verdict run={run} />}
      <Ago at={run.createdAt} />
    </span>
  )
}
