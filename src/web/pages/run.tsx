import { Head } from '../parts/head.tsx'
import type { Route } from '../router.ts'

export function RunPage({ project, runId }: { project: string; runId: string; route: Route }) {
  return <Head title={`${project} ${runId}`} />
}
