import { done, runs, writes } from './replies.ts'
import type { Scenario } from './scenarios.ts'

// Sessions that Codex makes of other sessions, or in threads of their own.

/** The tokens of the session that it was forked from are not its own. */
export const fork: Scenario = {
  name: 'fork',
  only: ['codex'],
  sessions: () => [
    { prompt: 'Say one.', ends: 'well', script: { replies: [runs('echo one'), done('One is said.')] } },
    { prompt: 'Say two.', forks: true, ends: 'well', script: { replies: [runs('echo two'), done('Two is said.')] } },
  ],
}

/** Its requests are in the rollout of another thread. */
export const review: Scenario = {
  name: 'review',
  only: ['codex'],
  sessions: () => [
    {
      reviews: true,
      prompt:
        'Review the current code changes (staged, unstaged, and untracked files) and provide prioritized findings.',
      title: 'Review the current code changes (staged, unstaged, and untracked file…',
      answer: 'Nothing to object.',
      ends: 'well',
      script: {
        replies: [
          runs('git diff'),
          done(
            JSON.stringify({
              findings: [],
              overall_correctness: 'patch is correct',
              overall_explanation: 'Nothing to object.',
              overall_confidence_score: 0.9,
            }),
          ),
        ],
      },
    },
  ],
}

/** The user sends a message while the agent works. */
export const queued: Scenario = {
  name: 'queued message',
  // The others read no messages without a terminal.
  only: ['claude'],
  sessions: (repository) => [
    {
      prompt: 'Write one.',
      ends: 'well',
      script: {
        replies: [
          writes(`${repository}/one.txt`),
          { ...runs('ls'), types: 'Write two, too.' },
          writes(`${repository}/two.txt`),
          done('Both are written.'),
        ],
      },
    },
  ],
}
