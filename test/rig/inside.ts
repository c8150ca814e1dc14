import { claude } from './agents/claude.ts'
import { codex } from './agents/codex.ts'
import type { Reply } from './model/script.ts'
import { done, tokens, writes } from './replies.ts'
import type { Scenario } from './scenarios.ts'

// Agents one inside of another, and inside of a command that is recorded: whose run gets what.

const runs = (command: string): Reply => ({
  say: 'I run it.',
  does: [{ do: 'shell', command, exits: 0 }],
  tokens: tokens(10, 100, 5, 7),
})

const logs = (text: string): Reply => ({
  say: 'I log it.',
  does: [{ do: 'ledger', tool: 'log_run', input: { text } }],
  tokens: tokens(10, 100, 5, 7),
})

/** Each of both keeps what it did: its files, its words, its checks, its tokens. */
export const insideAnother: Scenario = {
  name: 'inside another agent',
  inner: (agent) => (agent === claude ? codex : claude),
  sessions(repository, agent, start) {
    const isClaude = agent !== claude
    const command = start({
      prompt: 'Write inside.',
      ends: 'well',
      words: ['Logged inside.'],
      ...(isClaude && { verdict: 'verified' }),
      script: {
        replies: [
          writes(`${repository}/inner.txt`),
          // The commands of Codex begin with the PATH of a login shell.
          ...(isClaude ? [runs('conduct check exec --name inside -- true')] : []),
          logs('Logged inside.'),
          done('Inner is done.'),
        ],
      },
    })
    const hasLedger = agent === claude || agent === codex
    return [
      {
        prompt: 'Let another agent write.',
        ends: 'well',
        ...(hasLedger && { words: ['Logged outside.'] }),
        script: {
          replies: [
            writes(`${repository}/outer.txt`),
            // The run of the session is handed on to what it runs, and is not the run of the inner agent.
            runs(agent === claude ? `conduct exec -- ${command}` : command),
            ...(hasLedger ? [logs('Logged outside.')] : []),
            done('Both are done.'),
          ],
        },
      },
    ]
  },
}

/** The run of the command has its output, and what the agent's MCP server writes; the session has a run of its own. */
export const aroundAgent: Scenario = {
  name: 'inside conduct exec',
  only: ['claude', 'codex'],
  sessions: (repository) => [
    {
      prompt: 'Write within.',
      ends: 'well',
      around: { command: ['conduct', 'exec', '--'], words: ['Logged within.'] },
      script: { replies: [writes(`${repository}/within.txt`), logs('Logged within.'), done('It is written.')] },
    },
  ],
}
