import { isUnknown, kindOf, type ToolKind } from '../../nouns/run/verdict/tool-kinds.ts'
import type { ActivityInput } from '../../nouns/run/work-fields.ts'
import { defined, fieldsOf, type JsonFields, lineLength, listOf, mostItems, startOf, textOf } from './fields.ts'
import type { PlanItem, PlanTask, Step, ToolUse } from './seen.ts'

/**
 * The name of a tool as it is shown. Codex puts the namespace of its subagent tools in front of the name, without a
 * separator.
 */
export const toolName = (name: unknown): string =>
  (textOf(name, 200) ?? 'unknown').replace(/^collaboration(?=[a-z]+_)/, '')

/** Whether the tool changes the file it is given. */
export const isEdit = (name: unknown): boolean => kindOf(toolName(name)) === 'edit'

/** Whether the use of a tool may have changed a file. */
export const mayWrite = ({ tool, files = [] }: Pick<ToolUse, 'tool' | 'files'>): boolean =>
  files.length > 0 || isUnknown(toolName(tool))

/** Whether a tool may write files, by its name alone: one that edits, or that nobody knows. */
export function isWriter(name: string): boolean {
  const kind = kindOf(toolName(name))
  return kind === 'edit' || kind === 'patch' || isUnknown(toolName(name))
}

/** Whether a tool only takes the session to another working tree, as one of Claude Code does. */
export const isMove = (name: unknown): boolean => /^(?:Enter|Exit)Worktree$/.test(toolName(name))

/** Whether a tool runs commands. */
export const isShell = (name: unknown): boolean => kindOf(toolName(name)) === 'shell'

/**
 * A use of a tool, from the agent's input. A failed tool has changed no file; a command also fails by its exit code.
 */
export function toolUse(name: unknown, input: unknown, more: Omit<ToolUse, 'tool'> = {}): ToolUse {
  const tool = toolName(name)
  const { exitCode, ...rest } = more
  const fields = fieldsOf(input)
  const did: Record<ToolKind, () => Partial<ToolUse>> = {
    question: () => ({}),
    shell: () => ({
      ...{ command: commandOf(fields), folder: folderOf(fields) ?? more.folder },
      ...{ exitCode, failed: rest.failed ?? (exitCode ? true : undefined) },
    }),
    edit: () => ({ files: more.failed ? undefined : [fileOf(fields) ?? []].flat() }),
    patch: () => ({ files: more.failed ? undefined : patched(fields) }),
    plan: () => ({ plan: planOf(fields) }),
    other: () => ({}),
  }
  const kind = kindOf(tool)
  return defined({ tool, ...rest, ...(kind && did[kind]()) })
}

/** The start of a tool's use. A tool that asks a person waits for the answer. */
export function begin(name: unknown, input: unknown, id?: unknown): Step {
  const tool = toolName(name)
  const aim = defined({ tool, target: targetOf(name, input) })
  if (kindOf(tool) === 'question') return { kind: 'wait', ...aim }
  const folder = kindOf(tool) === 'shell' ? folderOf(fieldsOf(input)) : undefined
  return { kind: 'begin', ...aim, ...defined({ folder, id: textOf(id, 200) }) }
}

/** A short description of a tool's target: a file, a command, or a search term. */
export function targetOf(name: unknown, input: unknown): string | undefined {
  const fields = fieldsOf(input)
  if (kindOf(toolName(name)) === 'patch') return patched(fields)[0]
  const { pattern, url, query, description } = fields
  const words =
    fileOf(fields) ?? commandOf(fields) ?? [pattern, url, query, description].map((one) => textOf(one)).find(Boolean)
  return words && shortOf(words)
}

/** Whole, because what ran in a line may depend on its last word. */
function commandOf({ command }: JsonFields): string | undefined {
  return textOf(Array.isArray(command) ? command.join(' ') : command, lineLength)
}

/** Each agent has its own name for it. */
const folderOf = ({ dir_path, directory, workdir, working_directory, cwd }: JsonFields): string | undefined =>
  [dir_path, directory, workdir, working_directory, cwd].map((one) => textOf(one)).find((one) => one !== undefined)

const fileOf = ({ file_path, notebook_path, path, filePath }: JsonFields): string | undefined =>
  [file_path, notebook_path, path, filePath].map((one) => textOf(one)).find((one) => one !== undefined)

/** The files that a patch adds, changes, deletes or moves to. */
function patched({ command, input, patchText }: JsonFields): string[] {
  const text = textOf(Array.isArray(command) ? command.join('\n') : (command ?? input ?? patchText), 1_000_000) ?? ''
  const files = [...text.matchAll(/(?<![^\r\n])\*\*\* (?:Add File|Update File|Delete File|Move to): ([^\r\n]+)/g)]
  return files.slice(0, 100).map(([, file = '']) => file.trim().slice(0, 1_000))
}

const statuses = ['pending', 'in_progress', 'completed']

/** The changes to the plan by Claude Code's task tools. */
export function taskOf(name: unknown, input: JsonFields, response: JsonFields): PlanTask | undefined {
  if (name === 'TaskCreate') {
    const { id, subject } = fieldsOf(response.task)
    const [known, text] = [textOf(id, 100), textOf(subject, 500)]
    return known && text ? { id: known, text, status: 'pending' } : undefined
  }
  const [id, text] = [textOf(input.taskId, 100), textOf(input.subject, 500)]
  if (name !== 'TaskUpdate' || !id) return undefined
  const status = [...statuses, 'deleted'].find((one) => one === input.status) as PlanTask['status']
  return defined({ id, text, status })
}

/** The plan as a tool rewrites it, without cancelled items, and no longer than a turn takes it. */
function planOf({ todos, plan }: JsonFields): PlanItem[] {
  const items = listOf(todos ?? plan).flatMap(({ content, step, description, status }) => {
    const text = textOf(content ?? step ?? description, 500)
    return text && statuses.includes(status as string) ? [{ text, status: status as PlanItem['status'] }] : []
  })
  return items.slice(0, mostItems)
}

/** The target of a tool, such as a command, shortened for an activity. */
export const shortOf = (target: string) => startOf(target, 300).toWellFormed()

/**
 * The activity of a session after the step; undefined if the step does not say, null if the session has ended. A wait
 * whose tool the step does not name is for that of the activity `before`.
 */
export function activityOf(step: Step, since: string, before?: ActivityInput): ActivityInput | null | undefined {
  if (step.kind === 'wait' && step.tool === undefined && before?.tool !== undefined && before.state !== 'idle')
    return { since, ...before, ...(before.state === 'working' && { since }), state: 'waiting' }
  switch (step.kind) {
    case 'begin':
    case 'tool':
    case 'wait': {
      const { tool } = step
      const target = step.kind === 'tool' ? (step.command ?? step.files?.[0]) : step.target
      const state = step.kind === 'wait' ? 'waiting' : 'working'
      return { state, ...(tool && { tool }), ...(target && { target: shortOf(target) }), since }
    }
    case 'resume':
      return { state: step.state, since }
    case 'turn':
      return { state: step.goesOn ? 'working' : 'idle', since }
    case 'end':
      return null
    case 'start':
    case 'outcome':
      return undefined
    default:
      return { state: 'working', since }
  }
}

/**
 * How long a run stays alive without a report from its session, in seconds: while the agent works, and while it rests
 * or waits.
 */
export const leaseSeconds = { working: 600, resting: 7_200 }

export const leaseSecondsOf = ({ state }: Pick<ActivityInput, 'state'>) =>
  state === 'working' ? leaseSeconds.working : leaseSeconds.resting

/**
 * How long a wait lasts at least that is one for a person, in milliseconds. What other hooks and rules of the agent
 * answer takes less.
 */
export const settleMs = 700

/** How long after a report without an id the same one is a repetition, in milliseconds. */
export const againMs = 2_000

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
