import type { PlanItem, ToolUse } from './seen.ts'

/** An item of a plan; one that the agent changes by its id has it. */
export type KeptItem = PlanItem & { id?: string }

/** The plan after a tool was used: as the tool wrote it anew, with the item that it added, changed or took away, or as it was. */
export function planAfter(plan: readonly KeptItem[], { plan: anew, task }: ToolUse): KeptItem[] {
  if (anew) return anew
  if (!task) return [...plan]
  const { id, text, status } = task
  if (status === 'deleted') return plan.filter((item) => item.id !== id)
  const known = plan.some((item) => item.id === id)
  if (!known) return text === undefined ? [...plan] : [...plan, { id, text, status: status ?? 'pending' }]
  return plan.map((item) =>
    item.id === id ? { ...item, text: text ?? item.text, status: status ?? item.status } : item,
  )
}
