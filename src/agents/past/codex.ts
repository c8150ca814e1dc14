import { type Fields, fieldsOf, listOf, textOf } from '../fields.ts'
import { budget, numberedWith } from '../lines.ts'
import type { Step, Usage } from '../seen.ts'
import { commandIn, endOf, since, totalIn } from '../transcripts/codex.ts'
import { plus, tokensOf } from '../usage.ts'
import { called } from './codex-calls.ts'
import { type Reading, shellIn, steps, type Told, tool } from './codex-use.ts'
import { type Moment, momentOf, type Pass, withSubagents } from './moment.ts'

const words = [
  ...['"session_meta"', '"turn_context"', '"token_count"', '"task_', '"turn_aborted"', '"item_completed"'],
  ...['"user_message"', '"agent_message"', '"compacted"', '_call"', '_call_output"'],
]

/** What a session of Codex and its subagents did, in chronological order. */
export const codexMoments = (path: string, subagents: readonly string[], pass: Pass): AsyncGenerator<Moment> =>
  withSubagents(rollout(path, false, pass), subagents, subagentMoments, pass)

async function subagentMoments(file: string, pass: Pass): Promise<Moment[]> {
  const moments: Moment[] = []
  let reading: Reading | undefined
  const own = rollout(file, true, pass, (one) => {
    reading = one
  })
  // Its prompts and answers belong to its parent.
  for await (const moment of own) {
    if (moment.step === undefined || moment.step.kind === 'tool')
      moments.push({ ...moment, session: undefined } as Moment)
  }
  const last = moments.at(-1)
  if (!last || !reading?.id) return []
  const used = moments.reduce<Usage | undefined>((sum, { request }) => plus(sum, request?.usage), undefined)
  const { id, name = 'default' } = reading
  const end: Moment = { at: last.at, step: { kind: 'subagent', id, name } }
  return [...moments, used ? { ...end, subagent: { id, tokens: tokensOf(used) } } : end]
}

async function* rollout(
  path: string,
  isSubagent: boolean,
  pass: Pass,
  tell: (reading: Reading) => void = () => {},
): AsyncGenerator<Moment> {
  const reading: Reading = { at: 0, isSubagent, requests: 0, hasItems: false, open: new Map() }
  tell(reading)
  const passed = (line: number, reason: string) => pass(path, line, reason)
  const left = budget(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  for await (const { line, fields } of numberedWith(path, words, passed, left)) {
    reading.at = momentOf(fields.timestamp, reading.at)
    if (reading.at === 0) passed(line, 'neither it nor a line before it has a time')
    else for (const moment of momentsIn(reading, fields)) yield { at: reading.at, ...moment }
  }
  if (!reading.hasItems && reading.said !== undefined) yield { at: reading.at, step: stopped(reading.said) }
}

function momentsIn(reading: Reading, { type, payload }: Fields): Told[] {
  const fields = fieldsOf(payload)
  switch (type) {
    case 'session_meta':
      return begun(reading, fields)
    case 'turn_context':
      reading.model = textOf(fields.model, 100) ?? reading.model ?? ''
      return []
    case 'compacted':
      return [{ step: { kind: 'compact' } }]
    case 'response_item':
      return called(reading, fields)
    case 'event_msg':
      return happened(reading, fields)
    default:
      return []
  }
}

/** The first one describes the session itself; another one, the session it was forked from. */
function begun(reading: Reading, { id, cwd, git, source }: Fields): Told[] {
  if (reading.id !== undefined) return []
  reading.id = textOf(id, 200) ?? ''
  const spawned = fieldsOf(fieldsOf(fieldsOf(source).subagent).thread_spawn)
  reading.name = textOf(spawned.agent_role, 100) ?? 'default'
  const { branch, commit_hash } = fieldsOf(git)
  const [folder, on, base] = [textOf(cwd), textOf(branch, 255), textOf(commit_hash, 64)]
  const session = { ...(folder && { cwd: folder }), ...(on && { branch: on }), ...(base && { base }) }
  return [{ session }]
}

function happened(reading: Reading, event: Fields): Told[] {
  const total = totalIn(event)
  if (total) {
    const usage = since(reading.total, total)
    reading.total = total
    reading.requests += 1
    return [{ request: { id: `${reading.id} ${reading.requests}`, usage: { ...model(reading), ...usage } } }]
  }
  switch (event.type) {
    case 'item_completed':
      return itemOf(reading, event)
    case 'user_message':
      return reading.hasItems
        ? []
        : [...stop(reading), ...steps({ hook_event_name: 'UserPromptSubmit', prompt: event.message })]
    case 'agent_message':
      reading.said = textOf(event.message, 16_000) ?? reading.said
      return []
    case 'turn_aborted':
      reading.said = undefined
      return event.reason === 'interrupted' ? steps({ hook_event_name: 'Interrupt' }) : []
    case 'task_complete': {
      reading.said = undefined
      const { failure, answer } = endOf(event) ?? {}
      return [{ step: failure ? { kind: 'turn', failure } : stopped(answer) }]
    }
    default:
      return []
  }
}

const model = ({ model }: Reading) => (model ? { model } : {})

function stop(reading: Reading): Told[] {
  const { said } = reading
  reading.said = undefined
  return said === undefined ? [] : [{ step: stopped(said) }]
}

const stopped = (answer: string | undefined): Step => ({ kind: 'turn', ...(answer !== undefined && { answer }) })

function itemOf(reading: Reading, event: Fields): Told[] {
  reading.hasItems = true
  const item = fieldsOf(event.item)
  // A subagent's rollout starts with the conversation it inherited.
  if (reading.isSubagent && event.thread_id !== reading.id) return []
  const id = textOf(item.id, 200)
  switch (item.type) {
    case 'UserMessage': {
      const prompted = steps({ hook_event_name: 'UserPromptSubmit', prompt: textsIn(item.content) })
      // One that was sent while the agent worked belongs to the same turn of Codex, and interrupted nothing.
      const isQueued = prompted.length > 0 && reading.turn !== undefined && reading.turn === event.turn_id
      reading.turn = textOf(event.turn_id, 200)
      return isQueued ? [{ step: { kind: 'turn' } }, ...prompted] : prompted
    }
    case 'CommandExecution':
      // The user's own command, which begins with an exclamation mark.
      if (item.source === 'user_shell') return []
      return [
        ...tool(reading, 'Bash', { command: shellIn(item.command) }, { id, response: { exit_code: item.exit_code } }),
        { commands: commandIn(event) ?? {} },
      ]
    case 'FileChange': {
      const failed = item.status !== 'completed'
      return tool(reading, 'apply_patch', { command: patchOf(fieldsOf(item.changes)) }, { id, failed })
    }
    case 'McpToolCall':
      return tool(reading, `mcp__${item.server}__${item.tool}`, item.arguments, {
        id,
        failed: item.status === 'failed',
      })
    default:
      return []
  }
}

const textsIn = (content: unknown): string =>
  listOf(content)
    .flatMap(({ text }) => (typeof text === 'string' ? [text] : []))
    .join('\n')

const heads: Record<string, string> = { add: 'Add', update: 'Update', delete: 'Delete' }

/** The changes as a patch. */
const patchOf = (changes: Fields): string =>
  Object.entries(changes)
    .flatMap(([path, change]) => {
      const { type, move_path: to } = fieldsOf(change)
      return [
        `*** ${heads[String(type)] ?? 'Update'} File: ${path}`,
        ...(typeof to === 'string' ? [`*** Move to: ${to}`] : []),
      ]
    })
    .join('\n')
