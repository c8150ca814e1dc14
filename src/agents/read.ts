import { type Fields, textOf } from './agent.ts'
import { agents } from './agents.ts'
import type { Seen, Step } from './seen.ts'

/**
 * Reads a hook document by its own fields and the environment of the hook. `named` is the agent whose file named the hook.
 * Undefined for a document that reports nothing about the work.
 */
export function readDocument(
  named: string,
  document: Fields,
  _env: Record<string, string | undefined>,
): Seen | undefined {
  const agent = agents.find(({ name }) => name === named)
  const seen = agent?.read(document)
  if (!agent || !seen) return undefined
  return { ...seen, agent: agent.agent, step: stepOf(seen.step) }
}

type ReadStep = NonNullable<ReturnType<(typeof agents)[number]['read']>>['step']

function stepOf(step: ReadStep): Step {
  if (step.kind !== 'turn' && step.kind !== 'end') return step
  const { failure, ...rest } = step
  const message = textOf(failure)
  return { ...rest, ...(message !== undefined && { failure: { code: 'AGENT_FAILED', message } }) }
}
