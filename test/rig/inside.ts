import { claude } from './agents/claude.ts'
import { codex } from './agents/codex.ts'
import type { Reply } from './model/script.ts'
import { done, runs, tokens, writes } from './replies.ts'
import type { Scenario } from './scenarios.ts'

// Agents inside another agent, and inside a recorded command: which run gets what.

const logs = (text: string): Reply => ({
  say: 'I log it.',
  does: [{ do: 'ledger', tool: 'log_run', input: { text } }],
  tokens: tokens(10, 100, 5, 7),
})

/** Each of the two runs has its own files, texts, checks and tokens. */
export const insideAnother: Scenario = {
  name: 'inside another agent',
  inner: (agent) => (agent === claude ? codex : claude),
  sessions(repository, agent, start) {
    const isClaude = agent !== claude
    const command = start({
      prompt: 'Write inside.',
      ends: 'well',
      words: ['Logged inside.'],
      script: {
        replies: [
          writes(`${repository}/inner.txt`),
          // Codex starts commands in a login shell, which resets the PATH.
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
            // The environment of the command names the run of the outer session, which is not the run of the inner
            // agent.
            runs(agent === claude ? `conduct exec -- ${command}` : command),
            ...(hasLedger ? [logs('Logged outside.')] : []),
            done('Both are done.'),
          ],
        },
      },
    ]
  },
}

/** The run of the command has its output, and what the agent's MCP server writes. The session has its own run. */
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
