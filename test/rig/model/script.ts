/** The replies of the scripted model in one session: one per request, and others for a subagent of the session. */
export interface Script {
  replies: Reply[]
  subagent?: Reply[]
}

export interface Reply {
  say?: string
  does?: Act[]
  tokens?: Tokens
  /** The API fails this way until the agent gives up. */
  fails?: ApiFailure
  /** The model does not respond, so the agent waits until it is interrupted. */
  hangs?: true
  /** What the user sends while the agent does what the reply says. */
  types?: string
  /** The reply waits until every session whose script has this meeting has requested it. */
  meets?: string
}

export interface Tokens {
  /** Without cached tokens. */
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

/** An act that the model wants, independent of any agent; `callOf` finds the agent's tool for it. */
export type Act =
  | { do: 'write'; path: string; content: string }
  | { do: 'edit'; path: string; from: string; to: string }
  | { do: 'read'; path: string }
  /**
   * `exits` is the expected exit code; a refused command does not run. Of `input`, its tool gets what it has a
   * property for. If the agent stops waiting for a command, the model `asks` until it ends.
   */
  | { do: 'shell'; command: string; exits?: number; refused?: true; asks?: true; input?: Record<string, unknown> }
  | { do: 'plan'; items: string[] }
  /** The task begins with `subagentMark`, which marks the requests of the subagent. */
  | { do: 'delegate'; task: string }
  /** Only for agents whose subagents work in the background. */
  | { do: 'await' }
  /** For a subagent with a tool that reports its result. Others report it in their text. */
  | { do: 'finish'; result: string }
  | { do: 'ledger'; tool: string; input: Record<string, unknown> }

/** Marks the prompt of a subagent. */
export const subagentMark = '[scripted subagent]'
