import type { Name } from '../api/paths.ts'
import type { Parsed } from '../api/routes.ts'
import type { Ctx } from './ctx.ts'

/**
 * The run which alone an operation changes and locks, with the rows that belong to it. An operation that is missing here,
 * or gives undefined, touches more.
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
 * What alone a request changes, as `tx` takes it. Of two requests with one Idempotency-Key the second must find the answer
 * of the first, so they have one subject also where each would make a run of its own.
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
