/** What a hook document reports about a session, in Conduct's terms. */
export type Step =
  /** This creates no run: a session without a prompt has done nothing. */
  | { kind: 'start'; source?: 'startup' | 'resume' | 'clear' | 'compact' }
  /** A person's prompt, never one that the agent wrote itself. */
  | { kind: 'prompt'; text: string }
  /**
   * What the agent is about to do. The record is the following `tool` with the same id. Without a `command`, this is
   * only activity.
   */
  | ({ kind: 'begin'; target?: string } & BegunUse)
  | ({ kind: 'tool' } & ToolUse)
  /** The agent waits for a person: for a permission or an answer. */
  | { kind: 'wait'; tool?: string; target?: string }
  /** The wait is over: the agent goes on, or rests because its user stopped it, which ends no turn by itself. */
  | { kind: 'resume'; state: 'working' | 'idle' }
  | { kind: 'compact' }
  /** A subagent ended. */
  | { kind: 'subagent'; id?: string; name: string; transcript?: string }
  /** The agent says how the work came out; without a failure, well. */
  | { kind: 'outcome'; failure?: SeenFailure }
  | ({ kind: 'turn' } & TurnEnd)
  /** `isGone`: nobody reported the end, but the agent's process is gone. */
  | { kind: 'end'; failure?: SeenFailure; interrupted?: true; isGone?: true }

export interface BegunUse {
  tool: string
  id?: string
  /** The command line, if the agent does not report the end of each command. */
  command?: string
  /** The folder in which the command runs, if the agent named one; it may be relative to `Seen.cwd`. */
  folder?: string
}

export interface ToolUse {
  tool: string
  /** The agent's id for this use, which is the key in `Transcript.commands`. */
  id?: string
  /** The files that the tool changed. */
  files?: string[]
  /** The command line, if the tool is a shell. */
  command?: string
  /** As when it began. */
  folder?: string
  exitCode?: number
  durationMs?: number
  /** The command went on in the background when this was reported. */
  goesOn?: true
  failed?: true
  /** A person or a rule refused it, so it did not run. */
  refused?: true
  /** The whole plan, rewritten. */
  plan?: PlanItem[]
  /** A change of one item, for agents that change their plan item by item; see `planAfter`. */
  task?: PlanTask
  /** The name of the subagent that used it. */
  by?: string
}

export interface TurnEnd {
  answer?: string
  failure?: SeenFailure
  interrupted?: true
  /** The usage of this turn, if the hook reports it. */
  usage?: SeenUsage
  /** Background tasks are still running, and the session continues when they end. */
  goesOn?: true
}

export interface SeenFailure {
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

export interface SeenUsage {
  model?: string
  /** All input tokens, including cached ones. */
  inputTokens: number
  outputTokens: number
  cacheReadTokens?: number
  cacheWriteTokens?: number
  costUsd?: number
  costSource?: 'reported' | 'estimated'
}

/** A parsed hook document. */
export interface Seen {
  /** The agent's name in the ledger; `unknown` for a dialect we do not know. */
  agent: string
  session: string
  cwd: string
  step: Step
  /**
   * Identifies this report within its session: another one with the same id is a repetition. Without an id, a report
   * may be counted twice.
   */
  id?: string
  /** The agent's id of the turn. A message that is sent while the agent works comes with that of the turn before. */
  turn?: string
  transcript?: string
  model?: string
  /** The version of the agent, if its documents name it. Most transcripts do (`Transcript.version`). */
  version?: string
  /** The agent reports the end of each turn, also of an interrupted one. */
  tellsEnds?: true
  /** The agent reports every wait for a person. */
  tellsWaits?: true
  /** The document comes from inside a subagent. */
  subagent?: { id: string; name?: string }
}

/** The content of a session's transcript. A field is missing if the transcript does not say. */
export interface Transcript {
  /** The totals of the session so far, including subagents. */
  usage?: SeenUsage
  /** The last turn ended with an error. */
  failure?: SeenFailure
  /** The user interrupted the last turn. */
  interrupted?: true
  /** The transcript would say so. */
  tellsInterruptions?: true
  /** The agent's last words. */
  answer?: string
  /** By the id of the tool use. */
  commands?: Record<string, { exitCode?: number; durationMs?: number }>
  subagents?: { id?: string; name?: string; tokens: number }[]
  /** The version of the agent that wrote it last. */
  version?: string
  /** The turns in their order, the last 100 if there are more. */
  turns?: TranscriptTurn[]
  /** The turn that is asked about, which answer, failure and interruption are of. */
  turn?: TranscriptTurn
  /** How much of the last turn is written. */
  written?: Written
  /** It is too large to be read, so nobody knows what it tells. */
  isTooLarge?: true
}

/** A turn as a transcript has it. Times are in milliseconds since 1970. */
export interface TranscriptTurn {
  /** The agent's id of it, which its hooks name as well (`Seen.turn`). */
  id?: string
  /** When its first and its last entry were written. */
  startedAt: number
  at: number
  /** When its prompt was sent. That is before `startedAt` if the agent was still working on the turn before. */
  promptAt?: number
  /** Missing if the agent began it on its own. */
  prompt?: string
  /** What its user said while the agent worked on it. */
  said?: string[]
  /** How it ended: with an answer, with an error, or by its user; none of these if it ended without a message. */
  answer?: string
  failure?: SeenFailure
  interrupted?: true
  /** What its requests used, with its cost if each of their models has a price. */
  usage?: SeenUsage
  model?: string
  /** By the id of the tool use. */
  commands?: Transcript['commands']
  /** Uses of tools that the agent's hooks do not report, and when they ended. */
  unheard?: (ToolUse & { at: number })[]
  /** Reports of commands that a hook did not let run, each ending with the command. */
  blocked?: string[]
  /** Whether the transcript contains its end. If not, it goes on, or the agent was killed. */
  isEnded: boolean
}

/** How much of a turn a transcript contains. Agents write it after calling their hooks. */
interface Written {
  /** Whether it contains the end of the turn. */
  isWhole: boolean
  /** When its last entry was written, in milliseconds since 1970. */
  at?: number
}
