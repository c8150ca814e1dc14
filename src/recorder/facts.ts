import type { Told, Usage } from '../agents/seen.ts'
import type { CheckFields } from '../api/check.ts'
import type { RunFields } from '../api/run.ts'
import type { TurnFields } from '../api/turn.ts'
import type { Candidate, RecordRules, Trees } from './memo.ts'

/** What is known of the world at a step. Texts are already masked. */
export interface Facts {
  /** When the step was seen, in milliseconds since 1970. */
  at: number
  /** Whether the next prompt has already come, so that the end of the transcript is not about this turn. */
  isFollowed?: boolean
  /** The agent's name in the ledger. */
  agent: string
  /** Which texts to record by the current rules. */
  rules: RecordRules
  /** What the transcript says up to the next prompt; for a prompt, up to that prompt. */
  told: Told
  /** The working tree as the hook saw it, or, where `hasTree` needs one, as it is now. */
  trees: Trees
  /** The fields of a new run that describe where it happens. */
  run: Pick<RunFields, 'author' | 'where'>
  /** What the session did to the working tree during its turn. */
  work: SessionWork
  /** Adds the cost to a usage, if its price is known. */
  price(usage: Usage): Usage
  /** The checks that a command was, with that exit code. */
  checks(candidate: Candidate, exitCode: number): FoundCheck[]
}

export interface SessionWork {
  files: NonNullable<TurnFields['files']>
  commits: string[]
}

export type FoundCheck = Pick<CheckFields, 'command'> & { name: string }
