import {
  type Moment,
  momentOf,
  type SkipReport,
  type TranscriptReader,
  untimed,
  withSubagents,
} from '../../transcripts/moment.ts'
import type { Written } from '../../transcripts/written.ts'
import { answerLength, defined, fieldsOf, type JsonFields, textOf } from '../fields.ts'
import { numberedWith, type ReadBudget } from '../lines.ts'
import type { SeenUsage, Step } from '../seen.ts'
import { plus, tokensOf } from '../usage.ts'
import {
  called,
  countIn,
  endOf,
  exitCodeOf,
  type LineMoment,
  type RolloutState,
  resultOf,
  shellIn,
  since,
  steps,
  textsIn,
  tool,
  unheard,
} from './line.ts'

const words = [
  ...['"session_meta"', '"turn_context"', '"token_count"', '"task_', '"turn_aborted"', '"item_completed"'],
  ...['"user_message"', '"agent_message"', '"compacted"', '_call"', '_call_output"'],
]

/** What a session of Codex and its subagents did, in chronological order. */
export const codexMoments: TranscriptReader = (path, subagents, pass, left) =>
  withSubagents(rollout(path, false, pass, left), subagents, (file, pass) => subagentMoments(file, pass, left), pass)

async function subagentMoments(file: string, pass: SkipReport, left: ReadBudget): Promise<Moment[]> {
  const moments: Moment[] = []
  let reading: RolloutState | undefined
  const own = rollout(file, true, pass, left, (one) => {
    reading = one
  })
  // Its prompts and answers belong to its parent.
  for await (const { session: _, begins: __, ...moment } of own) {
    const { step, request } = moment
    if (reading?.isMirrored) moments.push(...(request ? [moment] : []))
    else if (request) moments.push({ ...moment, request: { ...request, bySubagent: true } })
    else if (step === undefined || step.kind === 'tool') moments.push(moment)
  }
  const last = moments.at(-1)
  if (!last || !reading?.id || reading.isMirrored) return moments
  const used = moments.reduce<SeenUsage | undefined>((sum, { request }) => plus(sum, request?.usage), undefined)
  const { id, name = 'default' } = reading
  const end: Moment = { at: last.at, step: { kind: 'subagent', id, name } }
  return [...moments, used ? { ...end, subagent: { id, tokens: tokensOf(used) } } : end]
}

async function* rollout(
  path: string,
  isSubagent: boolean,
  pass: SkipReport,
  left: ReadBudget,
  tell: (reading: RolloutState) => void = () => {},
): AsyncGenerator<Moment> {
  const reading: RolloutState = {
    at: 0,
    isSubagent,
    requests: 0,
    hasItems: false,
    open: new Map(),
    ended: new Set(),
    contents: left.contents === true,
  }
  tell(reading)
  const passed = (line: number, reason: string) => pass(path, line, reason)
  for await (const { line, fields } of numberedWith(path, words, passed, left)) {
    reading.at = momentOf(fields.timestamp, reading.at)
    if (reading.at === 0) passed(line, untimed)
    for (const moment of momentsIn(reading, fields)) yield { at: reading.at, ...moment }
  }
  if (!reading.hasItems && reading.said !== undefined)
    yield { at: reading.at, step: stopped(reading.said), isUnsure: true }
}

function momentsIn(reading: RolloutState, { type, payload }: JsonFields): LineMoment[] {
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
function begun(reading: RolloutState, { id, cwd, git, source, cli_version }: JsonFields): LineMoment[] {
  if (reading.id !== undefined) return []
  reading.id = textOf(id, 200) ?? ''
  const { subagent } = fieldsOf(source)
  reading.isMirrored = subagent === 'review'
  reading.name = textOf(fieldsOf(fieldsOf(subagent).thread_spawn).agent_role, 100) ?? 'default'
  const { branch, commit_hash } = fieldsOf(git)
  const session = { cwd: textOf(cwd), branch: textOf(branch, 255), base: textOf(commit_hash, 64) }
  return [{ session: defined({ ...session, version: textOf(cli_version, 100) }) as NonNullable<Moment['session']> }]
}

function happened(reading: RolloutState, event: JsonFields): LineMoment[] {
  const count = countIn(event)
  if (count) {
    const usage = since(reading.total, count)
    reading.total = count.total
    reading.requests += 1
    return [{ request: { id: `${reading.id} ${reading.requests}`, usage: { ...model(reading), ...usage } } }]
  }
  switch (event.type) {
    case 'item_completed':
      return itemOf(reading, event)
    case 'task_started':
      reading.said = undefined
      return [defined({ begins: true as const, turn: textOf(event.turn_id, 200) }) as LineMoment]
    case 'user_message':
      return reading.hasItems
        ? []
        : [...stop(reading), ...steps({ hook_event_name: 'UserPromptSubmit', prompt: event.message })]
    case 'agent_message':
      reading.said = textOf(event.message, answerLength) ?? reading.said
      return []
    case 'turn_aborted':
    case 'task_complete': {
      const { answer = reading.said, ...how } = endOf(event) ?? {}
      if (event.turn_id !== undefined) reading.ended.add(event.turn_id)
      reading.said = undefined
      return [{ step: how.failure || how.interrupted ? { kind: 'turn', ...how } : stopped(answer) }]
    }
    default:
      return []
  }
}

const model = ({ model }: RolloutState) => (model ? { model } : {})

function stop(reading: RolloutState): LineMoment[] {
  const { said } = reading
  reading.said = undefined
  return said === undefined ? [] : [{ step: stopped(said) }]
}

const stopped = (answer: string | undefined): Step => ({ kind: 'turn', ...(answer !== undefined && { answer }) })

function itemOf(reading: RolloutState, event: JsonFields): LineMoment[] {
  reading.hasItems = true
  const item = fieldsOf(event.item)
  // A subagent's rollout starts with the conversation it inherited.
  if (reading.isSubagent && event.thread_id !== reading.id) return []
  const id = textOf(item.id, 200)
  switch (item.type) {
    case 'UserMessage':
      return asked(reading, event, textsIn(item.content))
    case 'AgentMessage':
      reading.said = textOf(textsIn(item.content), answerLength) ?? reading.said
      return []
    case 'CommandExecution':
      // The user's own command, which begins with an exclamation mark.
      if (item.source === 'user_shell') return []
      // One that ends after its turn begins no other.
      if (reading.ended.has(event.turn_id)) return [{ commands: resultOf(item) }]
      return [
        ...tool(reading, 'Bash', { command: shellIn(item.command) }, { id, response: { exit_code: exitCodeOf(item) } }),
        { commands: resultOf(item) },
      ]
    case 'FileChange': {
      const failed = item.status !== 'completed'
      const changes = fieldsOf(item.changes)
      const used = unheard(tool(reading, 'apply_patch', { command: patchOf(changes) }, { id, failed }))
      return reading.contents && !failed ? [...used, { written: writtenBy(changes) }] : used
    }
    case 'McpToolCall': {
      const failed = item.status === 'failed'
      const used = tool(reading, `mcp__${item.server}__${item.tool}`, item.arguments, { id, failed })
      return failed ? unheard(used) : used
    }
    default:
      return []
  }
}

function asked(reading: RolloutState, { turn_id }: JsonFields, prompt: string): LineMoment[] {
  const turn = textOf(turn_id, 200)
  const prompted = steps({ hook_event_name: 'UserPromptSubmit', prompt }).map((moment) =>
    turn === undefined ? moment : { ...moment, turn },
  )
  // One that was sent while the agent worked belongs to the same turn of Codex, and interrupted nothing.
  const isQueued = prompted.length > 0 && reading.turn !== undefined && reading.turn === turn
  reading.turn = turn
  reading.said = undefined
  return isQueued ? [{ step: { kind: 'turn' } }, ...prompted] : prompted
}

/** What a patch wrote. Of a moved file, nothing is said. */
const writtenBy = (changes: JsonFields): Written[] =>
  Object.entries(changes).flatMap(([path, change]): Written[] => {
    const { type, content, unified_diff: hunks, move_path: to } = fieldsOf(change)
    if (typeof to === 'string') return [{ path }, { path: to }]
    if (type === 'update') return [typeof hunks === 'string' ? { path, hunks } : { path }]
    if (typeof content !== 'string') return [{ path }]
    return [type === 'add' ? { path, after: content } : { path, before: content, after: null }]
  })

const heads: Record<string, string> = { add: 'Add', update: 'Update', delete: 'Delete' }

/** The changes as a patch. */
const patchOf = (changes: JsonFields): string =>
  Object.entries(changes)
    .flatMap(([path, change]) => {
      const { type, move_path: to } = fieldsOf(change)
      return [
        `*** ${heads[String(type)] ?? 'Update'} File: ${path}`,
        ...(typeof to === 'string' ? [`*** Move to: ${to}`] : []),
      ]
    })
    .join('\n')
