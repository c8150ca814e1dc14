import type { Reply } from './model/script.ts'
import { done, runs, writes } from './replies.ts'
import type { Scenario, Session } from './scenarios.ts'

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

const queues = (name: string, words: Partial<Session>, replies: (repository: string) => Reply[]): Scenario => ({
  name,
  // The others were not played.
  only: ['claude', 'codex'],
  sessions: (repository) => [
    { prompt: 'Write one.', ends: 'well', ...words, script: { replies: replies(repository) } },
  ],
})

const test = runs('npm test')
const long = runs('for i in $(seq 45); do sleep 0.1; done')
/** Codex no longer waits for a command when the message comes. Meanwhile the command ends. */
const rest = runs('for i in $(seq 40); do sleep 0.1; done')

/** The user sends a message while the agent works. */
export const queued: Scenario[] = [
  queues('queued message', {}, (repository) => [
    writes(`${repository}/one.txt`),
    { ...long, types: 'Write two, too.' },
    rest,
    writes(`${repository}/two.txt`),
    done('Both are written.'),
  ]),
  queues('queued message, then a commit', { verdict: 'verified' }, (repository) => [
    writes(`${repository}/one.txt`),
    test,
    { ...long, types: 'Commit it.' },
    rest,
    runs('git add -A && git commit -qm Work'),
    done('It is committed.'),
  ]),
  {
    ...queues('queued message while tests run', { verdict: 'verified' }, (repository) => [
      writes(`${repository}/one.txt`),
      { ...test, types: 'Commit it.' },
      rest,
      runs('git add -A && git commit -qm Work'),
      done('It is committed.'),
    ]),
    prepare({ git, repository, write }) {
      write(repository, { 'package.json': '{ "name": "greetings", "scripts": { "test": "sleep 5" } }\n' })
      git('commit', '-qa', '--amend', '--no-edit')
    },
  },
  queues('queued message, then an edit', { verdict: 'stale' }, (repository) => [
    writes(`${repository}/one.txt`),
    test,
    { ...long, types: 'Write two, too.' },
    rest,
    writes(`${repository}/two.txt`),
    done('Both are written.'),
  ]),
]

/** Codex waits half a second for the command. The file tells when it has ended. */
const goesOn = (seconds: number): Reply => ({
  ...runs(`sleep ${seconds}`),
  does: [{ do: 'shell', command: `sleep ${seconds}`, exits: 0, input: { yield_time_ms: 500 } }],
})

const leaves = (name: string, replies: Reply[], figures: Record<string, unknown>): Scenario => ({
  name,
  only: ['codex'],
  sessions: () => [{ prompt: 'Begin.', ends: 'well', figures: () => figures, script: { replies } }],
})

const unknownEnd = (command: string) => ({ commands: [{ command }], durations: 0 })
const ofFirstTurn = (command: string) => ({ 'turns.0.commands.0.command': command, 'turns.1.commands': null })

/** A hook of somebody else does not let a command run. */
export const blocked: Scenario = {
  name: 'command blocked by a hook',
  only: ['codex'],
  prepare({ home, write }) {
    const hook = { type: 'command', command: "if grep -q 'rm -rf'; then echo 'Not here.' >&2; exit 2; fi" }
    const hooks = { PreToolUse: [{ matcher: 'Bash', hooks: [hook] }] }
    write(home, { '.codex/hooks.json': JSON.stringify({ hooks }) })
  },
  sessions: () => [
    {
      prompt: 'Clean up.',
      ends: 'well',
      script: {
        replies: [
          { ...runs(''), does: [{ do: 'shell', command: 'rm -rf src', refused: true }] },
          runs('ls'),
          done('It was not allowed.'),
        ],
      },
    },
  ],
}

/** Codex no longer waits for a command, which goes on. */
export const left: Scenario[] = [
  leaves('command left behind, ends in its turn', [goesOn(3), runs('sleep 6'), done('That was all.')], {}),
  leaves('command left behind, ends with the session', [goesOn(20), done('That was all.')], unknownEnd('sleep 20')),
  leaves(
    'command left behind, ends after its turn',
    [goesOn(9), { ...done('Said.'), types: 'Say more.' }, done('Said more.')],
    { ...unknownEnd('sleep 9'), ...ofFirstTurn('sleep 9') },
  ),
  leaves(
    'command left behind, ends in the next turn',
    [goesOn(6), { ...done('Said.'), types: 'Say more.' }, runs('sleep 5'), done('Said more.')],
    {
      commands: [{ command: 'sleep 6' }, { command: 'sleep 5', exitCode: 0 }],
      durations: 1,
      'turns.0.commands.0.command': 'sleep 6',
      'turns.1.commands.0.command': 'sleep 5',
    },
  ),
  leaves('queued message, the command outlasts it', [{ ...runs('sleep 6'), types: 'Say more.' }, done('Said more.')], {
    ...unknownEnd('sleep 6'),
    ...ofFirstTurn('sleep 6'),
  }),
]
