import type { RunInput } from '../nouns/run/fields.ts'
import type { SeenUsage, Transcript } from './agents/seen.ts'
import type { Apart, Memo, Origin, TurnWork, Undone } from './memo.ts'
import type { Candidate, CommandChange, RecordRules, Trees } from './trees.ts'
import type { Moved } from './work.ts'

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
  reported: Transcript
  /** The working tree as the hook saw it, or, where `needsTree` asks for one, as it is now. */
  trees: Trees
  /** The fields of a new run that describe where it happens. */
  run: Pick<RunInput, 'author' | 'where'>
  /** What the session did to the working tree during its turn. */
  work: SessionWork
  /** What the tool of this step did in other working trees; undefined if it did nothing there. */
  apart?: Apart | undefined
  /** How the working tree compares with what the run says about it; undefined if there is no tree. */
  moved?: Moved | undefined
  /** What changed while the command of this step ran; undefined if nothing did. */
  change?: CommandChange | undefined
  /** The command line of this step may have left a process that goes on. */
  leavesProcess?: boolean
  /** Adds the cost to a usage, if its price is known. */
  price(usage: SeenUsage): SeenUsage
  /** What a command line ran, if it ended with that exit code. */
  line(candidate: Candidate, exitCode: number | undefined): RanLine
  /** What a reader should know who trusts a check, in sentences. */
  remarks(check: RanCheck): string[]
}

/** What both rules record. */
export const stricter = (one: RecordRules, other: RecordRules = one): RecordRules => ({
  answers: one.answers && other.answers,
  prompts: one.prompts && other.prompts,
  changes: one.changes && other.changes,
})

/** The facts where there is only the report itself: no working tree, no transcript, no conduct.json. */
export const reportAlone: Omit<Facts, 'at' | 'agent'> = {
  rules: { answers: true, prompts: true, changes: true },
  reported: {},
  trees: {},
  run: {},
  work: { files: [], commits: [] },
  price: (usage) => usage,
  line: () => ({ checks: [], writes: false }),
  remarks: () => [],
}

export interface SessionWork extends TurnWork {
  /** All files that it wrote so far, and those of them that are no longer changed by it. */
  own?: string[]
  undone?: Undone[]
  origin?: Origin
}

/** A check that a line ran, with its own exit code. */
export interface RanCheck {
  name: string
  /** The one command that is the check, as written. */
  command: string
  exitCode: number
  /** Whether no command that may change files stands before it, and whether none follows it. */
  isFirst: boolean
  isLast: boolean
  /** Whether at most tests follow it, so that nothing puts back what it did not see. */
  isAfterWriters?: boolean
}

export interface RanLine {
  checks: RanCheck[]
  /** Whether its commands that are no checks may change files. */
  writes: boolean
}

/** What a line ran, by how it ended. */
export interface RanByOutcome {
  passed: RanLine
  failed: RanLine
}

/** A call of the contract, on the session's own run. */
export interface SessionCall {
  operation: 'createRun' | 'updateRun' | 'appendTurn' | 'createCheck'
  input: Record<string, unknown>
}

/** The state of a session after a step, and the calls that tell the ledger. */
export interface Stepped {
  memo: Memo
  calls: SessionCall[]
}

/**
 * The state after one more call. Each call on the run itself names the agent's version, because most transcripts do not
 * say it before the first prompt.
 */
export function withCall(
  { memo, calls }: Stepped,
  operation: SessionCall['operation'],
  input: SessionCall['input'],
  change: Partial<Memo> = {},
): Stepped {
  const isOfRun = operation === 'createRun' || operation === 'updateRun'
  const version = isOfRun && memo.version !== undefined && { agentVersion: memo.version }
  return { memo: { ...memo, ...change }, calls: [...calls, { operation, input: { ...input, ...version } }] }
}
