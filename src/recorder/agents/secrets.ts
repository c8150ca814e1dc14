import type { Step } from './seen.ts'

/** Masks the texts of a step. This happens before they are stored for long, and before they are sent. */
export async function withoutSecrets(step: Step, mask: (text: string) => Promise<string>): Promise<Step> {
  const masked = async (text: string | undefined) => (text === undefined ? undefined : await mask(text))
  switch (step.kind) {
    case 'prompt':
      return { ...step, text: await mask(step.text) }
    case 'begin':
    case 'wait': {
      const target = await masked(step.target)
      const command = await masked(step.kind === 'begin' ? step.command : undefined)
      return { ...step, ...(target !== undefined && { target }), ...(command !== undefined && { command }) }
    }
    case 'tool': {
      const plan =
        step.plan && (await Promise.all(step.plan.map(async (item) => ({ ...item, text: await mask(item.text) }))))
      const command = await masked(step.command)
      const task = step.task && { ...step.task, ...(step.task.text && { text: await mask(step.task.text) }) }
      return { ...step, ...(command !== undefined && { command }), ...(plan && { plan }), ...(task && { task }) }
    }
    case 'turn':
    case 'outcome':
    case 'end': {
      const answer = await masked(step.kind === 'turn' ? step.answer : undefined)
      const failure = step.failure && { ...step.failure, message: await mask(step.failure.message) }
      return { ...step, ...(answer !== undefined && { answer }), ...(failure && { failure }) }
    }
    default:
      return step
  }
}
