import type { TurnFields } from '../nouns/run/turn-fields.ts'
import type { Git } from '../nouns/run/work-fields.ts'
import type { Seen, SeenFailure, SeenUsage, Transcript } from './agents/seen.ts'
import type { KeptItem } from './agents/tools.ts'
import { cut, type Draft } from './agents/turn.ts'
import type { Candidate, Leftover, RecordRules, SessionRules, TreeAt, UnendedCommand, Window } from './trees.ts'
import type { Snapshot } from './work.ts'

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
  /** The working tree at its start, or as it entered it. */
  base?: Snapshot
  /** The one in which it began, if it has entered another one since. */
  first?: Snapshot
  /** The tree with which its work is compared, because git has brought something since, and up to when that is known. */
  origin?: Origin
  /** What its run says about the working tree. Missing outside git, and in sessions begun by an older version. */
  told?: ReportedWork
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
  /** Those of them that it put back as they were before its run, and has not changed since. */
  undone?: Undone[]
  /** What it did in other working trees of the repository. */
  apart?: Apart
  /** Its turns do not list all of its files. */
  isCut?: true
  /** The working tree at the end of its last turn. */
  last?: TreeAt
  /** Turns whose diffs are still to be made. */
  owed?: OwedDiff[]
  /** The ids of its commands that went on in the background, and whose ends are not known. */
  background?: string[]
  /** One of its command lines has left a process that may go on. */
  leavesProcess?: true
  /** Files that checks left behind and git does not track. */
  leftovers?: Leftover[]
  /** The ids of commands of ended turns whose ends were not reported. Those turns have them. */
  left?: string[]
  /** Commands that may be checks, with unknown exit codes. */
  unsure?: Candidate[]
  /** The failure of the last turn, if it failed. */
  failure?: SeenFailure
  interrupted?: true
  /** What the agent says that failed in all, since the last prompt. */
  outcome?: SeenFailure
  /** The agent's plan. */
  plan?: KeptItem[]
  model?: string
  /** The version of the agent. */
  version?: string
  transcript?: string
  /** The transcripts of its subagents. */
  subagents?: string[]
  /** The totals of the transcript at the last turn. */
  usage?: SeenUsage
  /** The transcript has use from before the first prompt, which is not that of the run. */
  hasPast?: true
}

/** A turn whose end is unknown, with what the session did to the working tree until the next message came. */
interface Held extends Draft {
  work?: TurnWork
}

/** What a session did to the working tree in a turn. */
export interface TurnWork extends Pick<TurnFields, 'filesOmitted' | 'restored' | 'changes'> {
  files: NonNullable<TurnFields['files']>
  commits: string[]
  /** Changes while several sessions ran commands, credited to none of them. */
  uncredited?: NonNullable<TurnFields['uncredited']>
  diff?: TurnTrees | TurnReported
}

/** A file that is no longer changed by a session. */
export interface Undone {
  /** From the top of the working tree. */
  path: string
  /** Its mode and id as the session had left it; 'gone' if it had removed it. Missing if that is unknown. */
  left?: string
}

/** What a session did in other working trees than its own. */
export interface Apart {
  /** Its commits, oldest first. */
  commits: string[]
  files: ApartFile[]
}

export const nowhere: Apart = { commits: [], files: [] }

/** How many commits and files of other working trees to remember. */
const mostApart = 500

/** All that a session did there, with what it did now. */
export function withApart({ apart = nowhere }: Memo, more: Apart | undefined): Pick<Memo, 'apart'> {
  if (!more) return apart === nowhere ? {} : { apart }
  const files = new Map([...apart.files, ...more.files].map((file) => [JSON.stringify(file), file]))
  return {
    apart: {
      commits: [...new Set([...apart.commits, ...more.commits])].slice(-mostApart),
      files: [...files.values()].slice(-mostApart),
    },
  }
}

/** A file by its path from the top of a working tree. */
export interface ApartFile {
  root: string
  path: string
}

/** The tree at the start of a session with what git brought until a snapshot. */
export interface Origin {
  tree: string
  at: Snapshot
}

/** From what to make the diffs of a turn: trees by their ids, and paths from the top of the working tree. */
export interface TurnTrees extends Pick<Snapshot, 'root' | 'objects'> {
  /** The trees before the run, before the turn, and after it. */
  base: string
  before: string
  after: string
  /** The files that the session wrote in the turn, and those that its commands only put back. */
  written: string[]
  putBack: string[]
  /** The files that the turn left as they were before the run. */
  restored: string[]
  /** The files that the session wrote in all turns, without those that it had undone before this one. */
  own: string[]
  /** Those that another session wrote in the turn, and since the run began. */
  shared: string[]
  sharedSince: string[]
}

/** The same outside git: a span of a session's transcript. All times are in milliseconds since 1970. */
export interface TurnReported {
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
export type OwedDiff = (TurnTrees | TurnReported) & {
  n: number
  /** Whether the rules leave their text out. */
  isWithheld: boolean
}

/** How a session ended whose last turn is still open. */
export interface Closing {
  /** Milliseconds since 1970. */
  at: number
  failure?: SeenFailure
  interrupted?: true
  cut?: UnendedCommand[]
  /** The working tree then. */
  now?: Snapshot
}

/** What the run says about the session's working tree. */
export interface ReportedWork {
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

/** The memo with the version of the agent, if it is known. */
export const withVersion = (memo: Memo, version: string | undefined): Memo =>
  version === undefined ? memo : { ...memo, version: cut(version, 100) }

/** The memo with what a document and the transcript say about the session itself. */
export function withSession(memo: Memo, seen: Seen, reported: Transcript = {}): Memo {
  const { step, transcript = memo.transcript, model = memo.model } = seen
  const subagent = step.kind === 'subagent' ? step.transcript : undefined
  return {
    ...withVersion(memo, reported.version ?? seen.version),
    ...(transcript !== undefined && { transcript }),
    ...(model !== undefined && { model }),
    ...(subagent !== undefined && { subagents: [...new Set([...(memo.subagents ?? []), subagent])].slice(-100) }),
  }
}
