import type { RanByOutcome } from './facts.ts'
import type { Snapshot } from './work.ts'

// The working tree as notes keep it, and the rules of its conduct.json.

/** Which texts of a session to record. */
export interface RecordRules {
  answers: boolean
  prompts: boolean
  /** The text of diffs. */
  changes: boolean
}

/** A git tree of the working tree with that top folder. */
export type TreeAt = Pick<Snapshot, 'root' | 'tree'>

/** Which commands are checks, and which checks a verdict needs, by the conduct.json of a folder. */
export interface SessionRules {
  home: string
  rules: CheckRule[]
  required: string[]
  /** Whether the file could not be read, so that nobody knows which commands are checks. */
  isUnreadable?: true
}

/** A session's command that is the same as one of these is a check of that name. */
export interface CheckRule {
  name: string
  commands: string[]
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
  ran?: RanByOutcome
  /** For a prompt, a turn without one, and an entered working tree: which commands are checks. */
  checks?: SessionRules | undefined
  /** For a prompt and the end of a turn: which texts to record. */
  rules?: RecordRules | undefined
  /** For a prompt: the mail address under which the environment of the agent has git commit. */
  mail?: string | undefined
  /** For a prompt: the process that worked on the turn before is gone. */
  isLeft?: true
  /** For a prompt, and for the end of a turn or session: the commands that had not ended. */
  cut?: UnendedCommand[] | undefined
  /** The other working tree of the repository to which the session has gone. */
  entered?: Snapshot
}

/** The tree before a command, and the folder in which the shell was. */
export interface Before extends Snapshot {
  cwd?: string
}

/** A command whose end no hook reported. Times are in milliseconds since 1970. */
export interface UnendedCommand {
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
