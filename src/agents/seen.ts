/** What one hook document reports about a session, in our words. */
export type Step =
  /** No run is made of it: a session without a prompt did nothing. */
  | { kind: 'start'; source?: 'startup' | 'resume' | 'clear' | 'compact' }
  /** A person's prompt; never one that the agent wrote itself. */
  | { kind: 'prompt'; text: string }
  /** What the agent is about to do. It is activity: the `tool` of the same id that follows is the record. */
  | { kind: 'begin'; tool: string; target?: string; id?: string }
  | ({ kind: 'tool' } & ToolUse)
  /** The agent waits for a person: a permission, a question. */
  | { kind: 'wait'; tool?: string; target?: string }
  | { kind: 'compact' }
  /** A subagent ended. */
  | { kind: 'subagent'; id?: string; name: string; transcript?: string }
  | ({ kind: 'turn' } & TurnEnd)
  /** `isGone`: nobody reported the end; the process of the agent is gone. */
  | { kind: 'end'; failure?: Failure; interrupted?: true; isGone?: true }

export interface ToolUse {
  tool: string
  /** The agent's own id of this use; the key of `Told.commands`. */
  id?: string
  /** The files that the tool changed. */
  files?: string[]
  /** The command line, where the tool is a shell. */
  command?: string
  exitCode?: number
  durationMs?: number
  failed?: true
  /** A person or a rule refused it, so it did not run. */
  refused?: true
  /** The whole plan, written anew. */
  plan?: PlanItem[]
  /** A change of one item, where the agent keeps its plan item by item; see `planAfter`. */
  task?: PlanTask
  /** The name of the subagent that used it. */
  by?: string
}

export interface TurnEnd {
  answer?: string
  failure?: Failure
  interrupted?: true
  /** What this turn used, where the hook says so. */
  usage?: Usage
  /** Background tasks still run, and the session goes on when they end. */
  goesOn?: true
}

export interface Failure {
  /** RATE_LIMIT, SERVER_ERROR, …; AGENT_FAILED where the agent names none. Matches [A-Z0-9_]{1,64}. */
  code: string
  message: string
}

export interface PlanItem {
  text: string
  status: 'pending' | 'in_progress' | 'completed'
}

export interface PlanTask {
  id: string
  text?: string
  status?: PlanItem['status'] | 'deleted'
}

export interface Usage {
  model?: string
  /** All input, the parts of the cache included. */
  inputTokens: number
  outputTokens: number
  cacheReadTokens?: number
  cacheWriteTokens?: number
  costUsd?: number
  costSource?: 'reported' | 'estimated'
}

/** One hook document, read. */
export interface Seen {
  /** The agent's name in the ledger; `unknown` for a dialect that is nobody's we know. */
  agent: string
  session: string
  cwd: string
  step: Step
  /** Names this report within its session: a second one with the same id is the same. One without an id may arrive twice. */
  id?: string
  transcript?: string
  model?: string
  /** The agent reports each time that it waits for a person. */
  tellsWaits?: true
  /** The document comes from inside a subagent. */
  subagent?: { id: string; name?: string }
}

/** What the transcript of a session says; each field only where it says so. */
export interface Told {
  /** Totals of the session so far, subagents included. */
  usage?: Usage
  /** The last turn ended by an error. */
  failure?: Failure
  /** The user interrupted the last turn. */
  interrupted?: true
  /** What the agent said last. */
  answer?: string
  /** By the id of the tool use. */
  commands?: Record<string, { exitCode?: number; durationMs?: number }>
  subagents?: { id?: string; name?: string; tokens: number }[]
  /** How far the last turn is written. */
  written?: Written
}

/** What of a turn stands in a transcript, which agents write behind their hooks. */
export interface Written {
  /** Whether the end of the turn stands there. */
  isWhole: boolean
  /** When the last of it was written, in milliseconds since 1970. */
  at?: number
}
