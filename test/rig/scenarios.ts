import type { RealAgent } from './agents/agent.ts'
import {
  apiError,
  apiErrorThenResume,
  compaction,
  compactionByItself,
  interruption,
  kill,
  ownWorktree,
  resume,
  withoutHooks,
} from './endings.ts'
import { aroundAgent, insideAnother } from './inside.ts'
import { type Reply, type Script, subagentMark } from './model/script.ts'
import { otherScenarios } from './other-rows.ts'
import type { Place } from './place.ts'
import { done, tokens, writes } from './replies.ts'
import { blocked, fork, left, queued, review } from './threads.ts'
import { verdictScenarios } from './verdict-scenarios.ts'
import { verdictThreads } from './verdict-threads.ts'
import { beside, watched, whole } from './whole.ts'
import { withoutAnswers, withoutPrompts } from './withheld.ts'

/** What a session of an agent is to do, and what Conduct must record. */
export interface Session {
  prompt: string
  script: Script
  /** The folder where it starts, by default the top of the repository. */
  folder?: string
  /** The working tree, by default the first. */
  tree?: string
  ends: 'well' | 'failed' | 'interrupted' | 'killed'
  /** The prompts with which it is resumed, each in a process of its own. */
  next?: string[]
  /** The agent reviews the changes that are not committed. It writes the prompt itself. */
  reviews?: true
  /** It begins as a fork of the session before it, which has ended. */
  forks?: true
  /** What the agent makes of the last text of the model, if that is not its answer. */
  answer?: string
  /** The agent compacts its context once the context has that many tokens. */
  contextTokens?: number
  /** The number of compactions. */
  compactions?: number
  /** The verdict of the checks, by default unchecked. */
  verdict?: 'verified' | 'stale' | 'failing' | 'warned'
  /** Its checks, oldest first, by default those of `npm test`, `conduct check exec` and `record_check`. */
  checks?: { name: string; result: string; command?: string | null; exitCode?: number | null }[]
  /** Its diffs make the last tree of the first commit. */
  isPatched?: true
  /** The files that its commands change. */
  changes?: string[]
  /** Expected values, by the name of the figure, that do not follow from the script alone. */
  figures?(place: Place): Record<string, unknown>
  /** What others do before the resumption of that number, from 1. */
  between?(place: Place, resumption: number): void | Promise<void>
  /** What others do once the session has ended. */
  after?(place: Place): void | Promise<void>
  /** The title that it gives its run with the tools of Conduct. */
  title?: string
  /** The texts that only this session writes to its run with the tools of Conduct. */
  words?: string[]
  /** The texts that conduct.json excludes from recording. */
  withheld?: 'answers' | 'prompts'
  /** The command that runs the agent, and what the agent writes to the command's run. */
  around?: { command: string[]; words: string[] }
}

export interface Scenario {
  name: string
  /** The agents for the scenario, by default all. */
  only?: string[]
  /** The agents for which Conduct is set up, by default those that `conduct init` finds. */
  setUp?: string[]
  /** The agent refuses tools that need a permission. */
  refuses?: true
  /** A browser shows the dashboard meanwhile. */
  isWatched?: true
  /** The sessions record on a server. */
  isServed?: true
  /** Prepares the place before the sessions. */
  prepare?(place: Place, agent: RealAgent): void
  /** The agent that commands of the sessions start. */
  inner?(agent: RealAgent): RealAgent
  /**
   * The sessions run at the same time in that repository, or one after the other if the agent starts alone. `start`
   * returns the command that plays a session with the inner agent.
   */
  sessions(repository: string, agent: RealAgent, start: (session: Session) => string): Session[]
}

const refusal: Scenario = {
  name: 'refused permission',
  // Without a terminal, Codex asks nobody, and Gemini CLI and Qwen Code offer no tool that needs a permission.
  only: ['claude', 'opencode', 'copilot'],
  refuses: true,
  sessions: () => [
    {
      prompt: 'Try what is not allowed.',
      ends: 'well',
      script: {
        replies: [
          {
            say: 'I run it.',
            does: [{ do: 'shell', command: 'rm -rf src', refused: true }],
            tokens: tokens(10, 100, 5, 7),
          },
          { say: 'It was not allowed.', tokens: tokens(11, 110, 0, 3) },
        ],
      },
    },
  ],
}

const subagent: Scenario = {
  name: 'subagent',
  sessions: (repository, { goesOnAfterSubagents }) => [
    {
      prompt: 'Let somebody else write it.',
      ends: 'well',
      script: {
        replies: [
          {
            say: 'I delegate.',
            does: [{ do: 'delegate', task: `${subagentMark} Write s.txt.` }],
            tokens: tokens(10, 1000, 100, 40),
          },
          { say: 'I wait.', does: [{ do: 'await' }], tokens: tokens(12, 1000, 50, 5) },
          ...(goesOnAfterSubagents ? [{ say: 'They are at it.', tokens: tokens(13, 1100, 0, 4) }] : []),
          { say: 'They wrote it.', tokens: tokens(11, 1100, 0, 6) },
        ],
        subagent: [
          writes(`${repository}/s.txt`),
          {
            say: 's.txt is written.',
            does: [{ do: 'finish', result: 's.txt is written.' }],
            tokens: tokens(7, 80, 0, 4),
          },
        ],
      },
    },
  ],
}

const subfolder: Scenario = {
  name: 'subfolder',
  prepare(place, { name }) {
    // These agents read the hooks of a project only at its top. In a subfolder, the hooks in the user's settings
    // record.
    if (['claude', 'gemini', 'qwen', 'copilot'].includes(name)) place.conduct('init', '--user', '--agents', name)
  },
  sessions: (repository) => [
    {
      prompt: 'Write from below.',
      folder: `${repository}/src`,
      ends: 'well',
      script: { replies: [writes(`${repository}/top.txt`), writes(`${repository}/src/inner.txt`), done('Written.')] },
    },
  ],
}

const worktree: Scenario = {
  name: 'worktree',
  prepare({ git, repository }) {
    git('worktree', 'add', '-q', '-b', 'side', `${repository}-side`)
  },
  sessions: (repository) =>
    [repository, `${repository}-side`].map((tree, at) => ({
      prompt: `Write in tree ${at}.`,
      folder: tree,
      tree,
      ends: 'well',
      script: { replies: [writes(`${tree}/w${at}.txt`), done(`Written in ${at}.`)] },
    })),
}

/** Two sessions of one agent in lockstep, each of which uses every tool of Conduct. */
const twoAtOnce: Scenario = {
  name: 'two at once',
  only: ['claude', 'codex'],
  sessions: (repository) => ['A', 'B'].map((who) => withLedger(repository, who)),
}

function withLedger(repository: string, who: string): Session {
  const call = (tool: string, input: Record<string, unknown>, meets: string): Reply => ({
    say: `${who} calls ${tool}.`,
    does: [{ do: 'ledger', tool, input }],
    tokens: tokens(10, 100, 5, 7),
    meets,
  })
  const title = `Titled by ${who}`
  const words = [`Logged by ${who}.`, `Summed up by ${who}.`]
  return {
    prompt: `Session ${who} keeps the ledger.`,
    ends: 'well',
    title,
    words,
    script: {
      replies: [
        call('search_ledger', { query: 'greeting' }, 'search'),
        call('start_run', { title }, 'start'),
        { ...writes(`${repository}/${who}.txt`, who === 'A' ? 'A\n' : 'B\nB\n'), meets: 'write' },
        call('log_run', { text: words[0] }, 'log'),
        call('record_check', { name: `check ${who}`, result: 'pass', command: `true ${who}`, exitCode: 0 }, 'check'),
        call('save_spec', { specId: `SPEC-${who}`, title: `Spec of ${who}`, content: `Written by ${who}.` }, 'spec'),
        call('read_ledger', { id: `SPEC-${who}` }, 'read'),
        call('finish_run', { status: 'completed', summary: words[1] }, 'finish'),
        { say: `${who} is done.`, tokens: tokens(11, 110, 0, 3), meets: 'end' },
      ],
    },
  }
}

export const scenarios: readonly Scenario[] = [
  whole,
  watched,
  beside,
  apiError,
  apiErrorThenResume,
  interruption,
  kill,
  withoutHooks,
  ownWorktree,
  resume,
  compaction,
  compactionByItself,
  subfolder,
  worktree,
  refusal,
  subagent,
  twoAtOnce,
  fork,
  review,
  ...queued,
  ...left,
  blocked,
  insideAnother,
  aroundAgent,
  withoutAnswers,
  withoutPrompts,
  ...verdictScenarios,
  ...verdictThreads,
  ...otherScenarios,
]
