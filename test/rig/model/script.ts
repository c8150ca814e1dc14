/** What the scripted model answers to one session: a reply per request, and those for a subagent that it starts. */
export interface Script {
  replies: Reply[]
  subagent?: Reply[]
}

export interface Reply {
  say?: string
  does?: Act[]
  tokens?: Tokens
  /** The API fails in this way until the agent gives up. */
  fails?: ApiFailure
  /** No answer comes: the agent waits until it is interrupted. */
  hangs?: true
  /** The answer waits until every session whose script has this meeting asks for it. */
  meets?: string
}

export interface Tokens {
  /** Without what the cache takes part in. */
  input: number
  cacheRead: number
  cacheWrite: number
  output: number
}

export const noTokens: Tokens = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 }

export const sum = (a: Tokens, b: Tokens): Tokens => ({
  input: a.input + b.input,
  cacheRead: a.cacheRead + b.cacheRead,
  cacheWrite: a.cacheWrite + b.cacheWrite,
  output: a.output + b.output,
})

export interface ApiFailure {
  status: number
  type: string
  message: string
}

/** What the model wants done, in words that no agent owns; `callOf` finds the agent's tool for it. */
export type Act =
  | { do: 'write'; path: string; content: string }
  | { do: 'edit'; path: string; from: string; to: string }
  | { do: 'read'; path: string }
  /** `exits` is the code with which it must end; a command that is refused does not run. */
  | { do: 'shell'; command: string; exits?: number; refused?: true }
  | { do: 'plan'; items: string[] }
  /** The task begins with `subagentMark`, by which the requests of the subagent are told from the others. */
  | { do: 'delegate'; task: string }
  /** For agents whose helpers work beside them. */
  | { do: 'await' }
  /** Where a subagent has a tool to say that it is done; elsewhere the words that come with it say so. */
  | { do: 'finish'; result: string }
  | { do: 'ledger'; tool: string; input: Record<string, unknown> }

/** A prompt with this mark is that of a subagent. */
export const subagentMark = '[scripted subagent]'
