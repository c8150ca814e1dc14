import type { ApiFailure } from '../model/script.ts'

/**
 * A real coding agent: how to install it, how to run it against the scripted model, and what Conduct can record of it.
 */
export interface RealAgent {
  /** Its name in commands of Conduct, which is also the name of its program. */
  name: string
  title: string
  packageName: string
  version: string
  /** Its name in the ledger. */
  agent: string
  model: string
  /** Returns the files with the answers of its user: keys, trust, no telemetry. */
  configure(place: { home: string; repository: string; url: string }): Record<string, string>
  env(url: string, refuses: boolean): Record<string, string>
  /** The arguments of a session without a terminal. */
  args(session: Start): string[]
  /** A message of its user on its standard input, while it works. Other agents get it at a terminal. */
  typed?(text: string): string
  /** Matches the session id in its output. */
  session: RegExp
  /** Names that its hooks use for tools which the model knows by other names. */
  toolNames?: Record<string, string>
  cost: Cost | undefined
  /** Its API counts cache writes separately from other input, although its model has no price. */
  countsCacheWrites?: true
  /** An API failure that it retries only briefly, and its own message about that failure. */
  failure: ApiFailure & { told?: string }
  /** Its subagents work in the background, and it starts a turn by itself when they are done. */
  goesOnAfterSubagents?: true
  /** Two instances that start together may conflict, so the second starts when the first has ended. */
  startsAlone?: true
  /** Scenarios that it cannot play here. */
  leavesOut?: string[]
  limits?: Limit[]
}

/** One process of a session. */
interface Start {
  prompt: string
  url: string
  model: string
  refuses: boolean
  /** It compacts its context once the context has that many tokens. */
  contextTokens?: number | undefined
  /** The id of the session that it resumes, or forks. */
  resumes: string | undefined
  forks?: string | undefined
  reviews?: true | undefined
  /** Its user types the prompt and more messages. */
  isTyped?: boolean
}

/**
 * A cost that the agent reports or Conduct estimates, with prices per million tokens. Undefined if the model has no
 * public price.
 */
interface Cost {
  source: 'reported' | 'estimated'
  /** The agent reports the cost only when its session ends. */
  isToldAtEnd?: true
  input: number
  cacheRead: number
  /** Set if the API counts them separately from other input. */
  cacheWrite?: number
  output: number
}

/** Figures that the agent does not report, so the ledger does not have them. */
interface Limit {
  /** By default all. */
  scenario?: string
  figures: readonly string[]
  why: string
}
