import type { Moment } from '../../transcripts/moment.ts'
import type { Fields } from '../fields.ts'
import type { Usage } from '../seen.ts'
import { codex } from './hooks.ts'

/** The state while reading a rollout. */
export interface Reading {
  at: number
  isSubagent: boolean
  id?: string
  name?: string
  model?: string
  version?: string
  total?: Usage
  requests: number
  /** Newer versions report work as items, in addition to protocol messages. */
  hasItems: boolean
  /** The id of the turn to which the last message of the user belongs. */
  turn?: string | undefined
  /** The turns that have ended, by their ids. */
  ended: Set<unknown>
  /** The open tool calls of older versions, by their ids. */
  open: Map<string, { name: string; input: unknown }>
  said?: string | undefined
  /** Only its requests count, because its parent's rollout has its work, too. */
  isMirrored?: boolean
}

/** A moment whose time is that of its line. */
export type Told = Omit<Moment, 'at'>

/** The command itself, if a shell was called only to run it. */
export function shellIn(command: unknown): unknown {
  const list: unknown[] = Array.isArray(command) ? command : [command]
  const isShell = /(?:^|[/\\])(?:ba|z|da)?sh$/.test(String(list[0])) && /^-\w*c$/.test(String(list[1]))
  return isShell && list.length === 3 ? list[2] : list.join(' ')
}

interface Use {
  id: string | undefined
  response?: Fields
  failed?: boolean
}

/** Marks the uses that no hook of Codex reports: of MCP tools and of patches, those that failed. */
export const unheard = (told: Told[], failed: boolean): Told[] =>
  failed ? told.map((moment) => ({ ...moment, isUnheard: true })) : told

/** The use of a tool, by the session or by its subagent. */
export function tool({ isSubagent, id: agent, name: type }: Reading, name: string, input: unknown, use: Use): Told[] {
  const by = isSubagent && { agent_id: agent, agent_type: type }
  const event = use.failed ? 'PostToolUseFailure' : 'PostToolUse'
  const told = { tool_name: name, tool_input: input, tool_use_id: use.id, tool_response: use.response ?? {} }
  return steps({ hook_event_name: event, ...told, ...by })
}

/** What hooks would have reported by that document. */
export const steps = (document: Fields): Told[] =>
  codex.read({ session_id: 'past', cwd: '/', ...document }, {}).map(({ step }) => ({ step }))
