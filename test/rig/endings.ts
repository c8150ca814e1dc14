import { done, runs, tokens, writes } from './replies.ts'
import type { Scenario } from './scenarios.ts'

// Ways in which turns and sessions end and continue.

export const apiError: Scenario = {
  name: 'API error',
  sessions: (repository, { failure }) => [
    {
      prompt: 'Write until the API fails.',
      ends: 'failed',
      script: { replies: [writes(`${repository}/e.txt`), { fails: failure }] },
    },
  ],
}

/** The next prompt comes at once, so the end of the failed turn is not the end of the transcript. */
export const apiErrorThenResume: Scenario = {
  name: 'API error, then resume',
  // The other agents have no hook for the error, or retry for too long.
  only: ['claude', 'codex'],
  sessions: (repository, { failure }) => [
    {
      prompt: 'Write until the API fails.',
      next: ['Go on.'],
      ends: 'well',
      script: {
        replies: [
          writes(`${repository}/e.txt`),
          { fails: failure },
          writes(`${repository}/f.txt`),
          done('Both are written.'),
        ],
      },
    },
  ],
}

export const interruption: Scenario = {
  name: 'interruption',
  sessions: (repository) => [
    {
      prompt: 'Write, then be interrupted.',
      ends: 'interrupted',
      script: { replies: [writes(`${repository}/i.txt`), { hangs: true }] },
    },
  ],
}

export const kill: Scenario = {
  name: 'kill',
  sessions: (repository) => [
    {
      prompt: 'Write, then be killed.',
      ends: 'killed',
      script: { replies: [writes(`${repository}/k.txt`), { hangs: true }] },
    },
  ],
}

/** The agent drops the hooks of the project, because the commit does not have them. */
export const withoutHooks: Scenario = {
  name: 'checkout without hooks',
  // The others were not played.
  only: ['claude', 'codex'],
  sessions: (repository) => [
    {
      prompt: 'Test the past.',
      ends: 'well',
      verdict: 'stale',
      script: {
        replies: [
          runs('git checkout -q HEAD~1'),
          runs('npm test'),
          runs('git checkout -q main'),
          writes(`${repository}/n.txt`),
          done('The past is well.'),
        ],
      },
    },
  ],
}

/** No hook can run in the folder that is gone. */
export const ownWorktree: Scenario = {
  name: 'removes its worktree',
  // The others were not played.
  only: ['claude', 'codex'],
  prepare: ({ git, repository }) => void git('worktree', 'add', '-q', '-b', 'side', `${repository}-side`),
  sessions: (repository, { name }) => [
    {
      prompt: 'Merge and tidy up.',
      folder: `${repository}-side`,
      ends: 'well',
      verdict: 'verified',
      changes: ['n.txt'],
      script: {
        replies: [
          runs("echo 'One line.' > n.txt"),
          runs('npm test'),
          runs('git add -A && git commit -qm Work'),
          runs(`cd ${repository} && git merge -q side && git worktree remove --force ${repository}-side`),
          done('It is merged.'),
        ],
      },
      // Codex hears no hook after the last command.
      figures: () => ({ branch: 'side', ...(name === 'codex' && { durations: 3 }) }),
    },
  ],
}

export const resume: Scenario = {
  name: 'resume',
  sessions: (repository) => [
    {
      prompt: 'Write one.',
      next: ['Write two.'],
      ends: 'well',
      script: {
        replies: [
          writes(`${repository}/one.txt`),
          done('One is written.'),
          writes(`${repository}/two.txt`),
          done('Two is written.'),
        ],
      },
    },
  ],
}

export const compaction: Scenario = {
  name: 'compaction',
  // The others have no command for it that a script can send.
  only: ['claude'],
  sessions: (repository) => [
    {
      prompt: 'Write one.',
      next: ['/compact', 'Write two.'],
      compactions: 1,
      ends: 'well',
      script: {
        replies: [
          writes(`${repository}/one.txt`),
          done('One is written.'),
          // Claude Code asks twice for a summary.
          done('A summary: one.txt is written.'),
          done('A summary: one.txt is written.'),
          writes(`${repository}/two.txt`),
          done('Two is written.'),
        ],
      },
    },
  ],
}

export const compactionByItself: Scenario = {
  name: 'compaction by itself',
  // The others do not compact at a size that a script can set, or do not report it.
  only: ['codex'],
  sessions: (repository) => [
    {
      prompt: 'Write more than fits.',
      contextTokens: 3_000,
      compactions: 1,
      ends: 'well',
      script: {
        replies: [
          { ...writes(`${repository}/one.txt`), tokens: tokens(5_000, 0, 0, 50) },
          done('A summary: one.txt is written.'),
          done('It fits now.'),
        ],
      },
    },
  ],
}
