import type { ApiFailure } from '../model/script.ts'

/** A real coding agent: how it is installed, run against the scripted model, and what is known to be recorded of it. */
export interface RealAgent {
  /** Its name in commands of Conduct, and that of its program. */
  name: string
  title: string
  packageName: string
  version: string
  /** Its name in the ledger. */
  agent: string
  model: string
  /** Writes what its user has answered before: keys, trust, no telemetry. */
  configure(place: { home: string; repository: string; url: string }): Record<string, string>
  env(url: string, refuses: boolean): Record<string, string>
  /** The arguments of a session without a terminal. */
  args(session: Start): string[]
  /** What the first of its output says the session is. */
  session: RegExp
  /** What its hooks call a tool that the model knows by another name. */
  toolNames?: Record<string, string>
  cost: Cost | undefined
  /** The failure of its API that it does not try to mend for long, and what it makes of that in its own words. */
  failure: ApiFailure & { told?: string }
  /** Its subagents work in the background, and it begins a turn by itself when they are done. */
  goesOnAfterSubagents?: true
  /** Two of it that start at once may be in each other's way: the second starts when the first has ended. */
  startsAlone?: true
  limits?: Limit[]
}

/** One process of a session. */
export interface Start {
  prompt: string
  url: string
  model: string
  refuses: boolean
  /** It cuts its context down once it holds so many tokens. */
  contextTokens?: number | undefined
  /** The id of the session that it takes up. */
  resumes: string | undefined
}

/** Told by the agent or estimated, by these prices of a million tokens; undefined where the model has no public price. */
export interface Cost {
  source: 'reported' | 'estimated'
  /** The agent tells it as its session ends, and not before. */
  isToldAtEnd?: true
  input: number
  cacheRead: number
  /** Where the API tells them apart from other input. */
  cacheWrite?: number
  output: number
}

/** Figures that the agent does not report, so that the ledger has nothing in their place. */
export interface Limit {
  scenario: string
  figures: readonly string[]
  why: string
}
