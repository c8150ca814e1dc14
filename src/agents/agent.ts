import { type Fields, fieldsOf } from './fields.ts'

export { countOf, type Fields, fieldsOf, promptLength, textOf } from './fields.ts'

/** What a hook tells of a session, in our words. */
export type Step =
  | { kind: 'prompt'; text: string }
  /** A tool was used: the files that it changed, or the command that it ran. */
  | { kind: 'tool'; tool: string; files?: string[]; command?: string; exitCode?: number }
  /** The agent gives the word back to its user; with a failure where it had to. */
  | { kind: 'turn'; failure?: string; usage?: Usage }
  | { kind: 'end'; failure?: string }

/** One hook document, read. */
export interface Seen {
  session: string
  cwd: string
  step: Step
  /** What tells this document from the next of its kind; a document without one may be told twice. */
  id?: string
  transcript?: string
  model?: string
}

export interface Usage {
  model?: string
  inputTokens: number
  outputTokens: number
}

/** What is special to one agent. */
export interface Agent {
  /** Its name in commands: `conduct hook claude`. */
  name: string
  /** Its name in the ledger. */
  agent: string
  title: string
  /** Undefined for a document that tells nothing of the work, or that is another agent's. */
  read(document: Fields): Seen | undefined
  /** What the hook answers: nothing, or what the agent takes for no opinion. */
  answer: string
  /** What the transcript tells was used; undefined where it tells nothing. Throws where it cannot be read. */
  usageOf?(transcript: string): Promise<Usage | undefined>
}

/** The exit code that the output of a tool tells as a field of its own, also where the output is JSON in a text. */
export function exitCodeIn(output: unknown): number | undefined {
  if (typeof output === 'string' && output.startsWith('{')) {
    try {
      return exitCodeIn(JSON.parse(output))
    } catch {
      return undefined
    }
  }
  const { exit_code, exitCode, metadata } = fieldsOf(output)
  const code = exit_code ?? exitCode ?? fieldsOf(metadata).exit_code
  return Number.isInteger(code) ? Number(code) : undefined
}
