import type { PlanItem, ToolUse } from './seen.ts'

/** How many items to keep while an agent adds them one by one: it may remove earlier ones. */
const mostKept = 1000

/** An item of a plan. It has an id if the agent changes items by id. */
export type KeptItem = PlanItem & { id?: string }

/** The plan after a tool: rewritten, with one item added, changed or removed, or unchanged. */
export function planAfter(plan: readonly KeptItem[], { plan: anew, task }: ToolUse): KeptItem[] {
  if (anew) return anew
  if (!task) return [...plan]
  const { id, text, status } = task
  if (status === 'deleted') return plan.filter((item) => item.id !== id)
  const known = plan.some((item) => item.id === id)
  if (!known && plan.length >= mostKept) return [...plan]
  if (!known) return text === undefined ? [...plan] : [...plan, { id, text, status: status ?? 'pending' }]
  return plan.map((item) =>
    item.id === id ? { ...item, text: text ?? item.text, status: status ?? item.status } : item,
  )
}
