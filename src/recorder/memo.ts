import type { TurnFields } from '../nouns/run/turn-fields.ts'
import type { Git } from '../nouns/run/work-fields.ts'
import type { Failure, Seen, Step, Told, Usage } from './agents/seen.ts'
import type { KeptItem } from './agents/tools.ts'
import { cut, type Draft, newDraft } from './agents/turn.ts'
import type { Reading } from './facts.ts'
import type { Snapshot } from './work.ts'

/** Which texts of a session to record. */
export interface RecordRules {
  answers: boolean
  prompts: boolean
  /** The text of diffs. */
  changes: boolean
}

/** What both rules record. */
export const stricter = (one: RecordRules, other: RecordRules = one): RecordRules => ({
  answers: one.answers && other.answers,
  prompts: one.prompts && other.prompts,
  changes: one.changes && other.changes,
})

/** The state of a session between two steps. It is stored as JSON. */
export interface Memo {
  /** Whether its run was created. */
  begun?: boolean
  /** When its run began, in milliseconds since 1970. */
  startedAt?: number
  /** The mail address under which its environment has git commit. */
  mail?: string
  /** Whether its run has ended. */
  ended?: boolean
  /** The end of the session came before the end of its last turn, whose hook may still come. */
  closing?: Closing
  /** The number of turns sent. */
  n?: number
  /** The number of the last turn that was opened. */
  open?: number
  /** The working tree at its start. */
  base?: Snapshot
  /** The tree with which its work is compared, because git has brought something since, and up to when that is known. */
  origin?: Origin
  /** What its run says about the working tree. Missing outside git, and in sessions begun by an older version. */
  told?: ToldWork
  /** The current turn. */
  draft?: Draft
  /** The turns before whose ends are unknown, because each next message was sent while the agent still worked. */
  held?: Held[]
  /** Which texts of that turn to record, by the rules while it lasted. */
  rules?: RecordRules
  /** The commands of that turn. */
  commands?: Window[]
  /** The rules under which the session began. */
  checks?: SessionRules
  /** Whether the run has a check. */
  isChecked?: true
  /** When its tools wrote files, in milliseconds since 1970; the last ones. */
  edits?: number[]
  /** The files that it wrote, from the top of the working tree; the last ones. */
  own?: string[]
  /** Those of them that are as they were before its run. */
  same?: string[]
  /** The commits that it made in other working trees of the repository, oldest first. */
  apart?: string[]
  /** Its turns do not list all of its files. */
  isCut?: true
  /** The working tree at the end of its last turn. */
  last?: TreeAt
  /** Turns whose diffs are still to be made. */
  owed?: OwedDiff[]
  /** The ids of its commands that went on in the background, and whose ends are not known. */
  background?: string[]
  /** Files that checks left behind and git does not track. Texts in states of an older version. */
  leftovers?: (Leftover | string)[]
  /** The ids of commands of ended turns whose ends were not reported. Those turns have them. */
  left?: string[]
  /** Commands that may be checks, with unknown exit codes. */
  unsure?: Candidate[]
  /** The failure of the last turn, if it failed. */
  failure?: Failure
  interrupted?: true
  /** What the agent says that failed in all, since the last prompt. */
  outcome?: Failure
  /** The agent's plan. */
  plan?: KeptItem[]
  model?: string
  /** The version of the agent. */
  version?: string
  transcript?: string
  /** The transcripts of its subagents. */
  subagents?: string[]
  /** The totals of the transcript at the last turn. */
  usage?: Usage
  /** The transcript has use from before the first prompt, which is not that of the run. */
  hasPast?: true
}

/** A turn whose end is unknown, with what the session did to the working tree until the next message came. */
export interface Held extends Draft {
  work?: Work
}

/** What a session did to the working tree in a turn. */
export interface Work extends Pick<TurnFields, 'filesOmitted' | 'restored' | 'changes'> {
  files: NonNullable<TurnFields['files']>
  commits: string[]
  /** Changes while several sessions ran commands, credited to none of them. */
  uncredited?: NonNullable<TurnFields['uncredited']>
  diff?: TurnTrees | TurnTold
}

/** The tree at the start of a session with what git brought until a snapshot. */
export interface Origin {
  tree: string
  at: Snapshot
}

/** A git tree of the working tree with that top folder. */
export type TreeAt = Pick<Snapshot, 'root' | 'tree'>

/** From what to make the diffs of a turn: trees by their ids, and paths from the top of the working tree. */
export interface TurnTrees extends Pick<Snapshot, 'root' | 'objects'> {
  /** The trees before the run, before the turn, and after it. */
  base: string
  before: string
  after: string
  /** The files that the session wrote in the turn, and in all turns. */
  written: string[]
  own: string[]
  /** Those that another session wrote in the turn, and since the run began. */
  shared: string[]
  sharedSince: string[]
}

/** The same outside git: a span of a session's transcript. All times are in milliseconds since 1970. */
export interface TurnTold {
  /** Its name in the ledger. */
  agent: string
  transcript: string
  /** The transcripts of its subagents. */
  subagents: string[]
  cwd: string
  /** When the run began, and when the turn began and ended. */
  since: number
  from: number
  until: number
}

/** The diffs of a turn that are still to be made. */
export type OwedDiff = (TurnTrees | TurnTold) & {
  n: number
  /** Whether the rules leave their text out. */
  isWithheld: boolean
}

/** Which commands are checks, and which checks a verdict needs, by the conduct.json of a folder. */
export interface SessionRules {
  home: string
  rules: CheckRule[]
  required: string[]
}

/** A session's command that is the same as one of these is a check of that name. */
export interface CheckRule {
  name: string
  commands: string[]
}

/** How a session ended whose last turn is still open. */
export interface Closing {
  /** Milliseconds since 1970. */
  at: number
  failure?: Failure
  interrupted?: true
  cut?: Cut[]
}

/** What the run says about the session's working tree. */
export interface ToldWork {
  tree: string
  /** As it was sent last. Missing in sessions begun by an older version. */
  git?: Git
  /** The last snapshot that was sent. */
  at?: Snapshot
  /** All commits of the session, oldest first. */
  commits: string[]
  /** Whether the run may have a check, so that its verdict depends on the tree. */
  isChecked?: true
  /** Whether a tool has changed a file since the last command, and the run says so. */
  isEdited?: true
}

/** The state of the working tree that a note keeps. */
export interface Trees {
  now?: Snapshot
  /** For a command: the tree before it, and when it started, in milliseconds since 1970. */
  before?: Before
  began?: number
  /** For a command that may be a check: the folder in which it began, and the one whose conduct.json applies. */
  cwd?: string
  home?: string
  /** For a command that was masked: what it ran, as its line was before. */
  ran?: Reading
  /** For a prompt, and for an entered working tree: which commands are checks. */
  checks?: SessionRules | undefined
  /** For a prompt and the end of a turn: which texts to record. */
  rules?: RecordRules | undefined
  /** For a prompt: the mail address under which the environment of the agent has git commit. */
  mail?: string | undefined
  /** For a prompt: the process that worked on the turn before is gone. */
  isLeft?: true
  /** For a prompt, and for the end of a turn or session: the commands that had not ended. */
  cut?: Cut[] | undefined
  /** The other working tree of the repository that the session has entered, which had written nothing before. */
  entered?: Snapshot
}

/** The tree before a command, and the folder in which the shell was. */
export interface Before extends Snapshot {
  cwd?: string
}

/** A command whose end no hook reported. Times are in milliseconds since 1970. */
export interface Cut {
  began: number
  before: Before
  /** When it had ended at the latest, if that is known. */
  ended?: number
}

/** When a command ran, in milliseconds since 1970, with the trees before and after it. */
export interface Window extends Trees {
  from: number
  to: number
}

/** A command that may be a check. */
export interface Candidate {
  cwd: string
  trees: Trees
  /** The agent's id for this use of the tool. */
  id?: string
  command: string
  durationMs?: number
  /** What changed while it ran; undefined if nothing did. */
  change?: CommandChange
  /** It went on in the background, so that the tree after it is not known yet. */
  goesOn?: true
  /** Since it went on, other commands of an ended turn have changed the working tree. */
  isDisturbed?: true
}

/** A file with the mode and id of its content. */
export interface Leftover {
  path: string
  id: string
}

/** `was` is the mode and id of its content before. */
interface ChangedFile extends Leftover {
  was: string
  isTracked: boolean
  isNew: boolean
}

/** What changed in a working tree while a command ran. */
export interface CommandChange {
  /** Undefined if there are too many, or git could not tell. */
  files?: ChangedFile[]
  /** Whether no other command or tool, of this session or another one, is known to have written meanwhile. */
  isAlone: boolean
}

/** What recorders of version 0.1 stored instead. */
interface Earlier {
  turn?: {
    prompts: string[]
    tools: Record<string, number>
    files: string[]
    commands: { command: string; exitCode?: number }[]
  }
  failure?: unknown
}

/** A stored memo in its current form. `at` is when its turn started, if it does not say so. */
export function memoOf(stored: object, at: number): Memo {
  const { turn, failure, ...memo } = stored as Memo & Earlier
  return {
    ...memo,
    ...(turn && { draft: draftOf(turn, at) }),
    ...(failure !== undefined && { failure: failureOf(failure) }),
  }
}

/** Whether version 0.1 recorded the session so far. It numbered no turns, and did not store what its transcript had used. */
export const isOfEarlier = ({ begun, n, draft }: Memo): boolean =>
  begun === true && n === undefined && draft === undefined

function draftOf({ prompts, tools, files, commands }: NonNullable<Earlier['turn']>, at: number): Draft {
  return {
    ...newDraft(at),
    ...(prompts.length > 0 && { prompt: prompts.join('\n\n') }),
    tools: Object.entries(tools).map(([name, count]) => ({ name, count })),
    files,
    commands: commands.map((ran) => ({ ...ran, at })),
  }
}

const failureOf = (failure: unknown): Failure =>
  typeof failure === 'string' ? { code: 'AGENT_FAILED', message: failure } : (failure as Failure)

/** A stored note in its current form. In version 0.1, a failure was a text. */
export function stepOf({ step }: Seen): Step {
  if ((step.kind !== 'turn' && step.kind !== 'end') || step.failure === undefined) return step
  return { ...step, failure: failureOf(step.failure) }
}

/** The memo with what a document and the transcript say about the session itself. */
export function withSession(memo: Memo, seen: Seen, told: Told = {}): Memo {
  const { step, transcript = memo.transcript, model = memo.model } = seen
  const version = cut(told.version ?? seen.version, 100) ?? memo.version
  const subagent = step.kind === 'subagent' ? step.transcript : undefined
  return {
    ...memo,
    ...(transcript !== undefined && { transcript }),
    ...(model !== undefined && { model }),
    ...(version !== undefined && { version }),
    ...(subagent !== undefined && { subagents: [...new Set([...(memo.subagents ?? []), subagent])].slice(-100) }),
  }
}
