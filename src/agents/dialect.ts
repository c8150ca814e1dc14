import { hash } from 'node:crypto'
import { defined, type Fields, textOf } from './fields.ts'
import type { Seen, Step } from './seen.ts'

export type Env = Record<string, string | undefined>

/** How one agent reports what it does. */
export interface Dialect {
  /** Its name in commands: `conduct hook claude`. */
  name: string
  /** Its name in the ledger. */
  agent: string
  /** Whether only this agent writes such a document, whoever's hooks ran. */
  owns(document: Fields, env: Env): boolean
  /** Whether a document without any agent's marks can be its own, where its own hooks ran. */
  mayWrite(document: Fields): boolean
  /** Whether what comes through another agent's hooks also comes through its own, and is not read twice. */
  onlyByOwnHooks?: true
  /** Whether it reports each time that it waits for a person: then the time between the hooks of a tool is the tool's own. */
  tellsWaits?: true
  /** What the document reports, mostly one thing; nothing where it tells nothing of the work. */
  read(document: Fields, env: Env): Seen[]
}

/** What each event reports, by its name. */
export type Events = Record<string, (document: Fields) => Step | Step[] | undefined>

/** What a document reports whose session, folder and event stand in these fields. */
export interface Head {
  agent: string
  session: string | undefined
  cwd: string | undefined
  transcript?: string
  model?: string
  subagent?: Seen['subagent']
}

/** One `Seen` per step. None where no session or no folder is named: what happens there belongs to no run. */
export function seenOf({ session, cwd, ...head }: Head, document: Fields, steps: Step | Step[] | undefined): Seen[] {
  if (!session || !cwd) return []
  return [steps ?? []].flat().map((step) => defined({ ...head, session, cwd, step, id: idOf(document, step) }))
}

/**
 * The same report has the same id, also where two hooks make it. A tool has its own; another document is taken for the same
 * where all of it is, if something in it tells it from the next of its kind.
 */
function idOf(document: Fields, step: Step): string | undefined {
  const { tool_use_id, prompt_id, turn_id, generation_id, timestamp } = document
  if (step.kind === 'tool' && step.id !== undefined) return `tool ${step.id}`
  if ([tool_use_id, prompt_id, turn_id, generation_id, timestamp].every((one) => one === undefined)) return undefined
  return `${step.kind} ${hash('sha256', JSON.stringify(document))}`
}

/** The event that a document names, read by its reader; nothing for an event that is not listed. */
export function stepsOf(events: Events, document: Fields): Step | Step[] | undefined {
  const event = textOf(document.hook_event_name ?? document.hookEventName) ?? ''
  return Object.hasOwn(events, event) ? events[event]?.(document) : undefined
}
