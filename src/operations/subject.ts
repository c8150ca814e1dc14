import type { Name } from '../contract/paths.ts'
import type { Ctx } from '../frame/ctx.ts'
import type { Parsed } from './routes.ts'

/**
 * The only run that an operation changes and locks, with the rows that belong to it. An operation that is missing here,
 * or returns undefined, touches more.
 */
const runOf: { [N in Name]?: (input: Parsed<N>) => string | undefined } = {
  createRun: ({ runId, retryOf }) => (retryOf === undefined ? (runId ?? '') : undefined),
  updateRun: ({ runId }) => runId,
  appendToRun: ({ runId }) => runId,
  heartbeat: ({ runId }) => runId,
  appendTurn: ({ runId }) => runId,
  createCheck: ({ runId }) => runId,
}

let created = 0

/**
 * The only subject of a request, as `tx` expects it. Of two requests with one Idempotency-Key, the second must find the
 * response of the first. So they have the same subject, even if each would create its own run.
 */
export function subjectOf<N extends Name>(
  { project }: Pick<Ctx, 'project'>,
  name: N,
  input: Parsed<N>,
  idempotencyKey: string | undefined,
): string | undefined {
  const runId = runOf[name]?.(input)
  if (runId === undefined) return undefined
  return runId === '' ? `new ${idempotencyKey ?? ++created}` : `run ${project.id} ${runId}`
}
