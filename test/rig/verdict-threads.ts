import { type Reply, subagentMark } from './model/script.ts'
import type { Place } from './place.ts'
import { done, runs, tokens, writes } from './replies.ts'
import type { Scenario, Session } from './scenarios.ts'
import { waitingTest } from './verdict-rows.ts'

// Cases of docs/verdict.md with more than one session, or with a session that does not end by itself.

const rules = ({ repository, write, git }: Place, script = 'node --test') => {
  const manifest = { name: 'greetings', private: true, type: 'module', scripts: { test: script } }
  write(repository, { 'package.json': JSON.stringify(manifest) })
  write(repository, { 'conduct.json': '{ "project": "greetings", "checks": { "tests": "npm test" } }\n' })
  git('commit', '-qa', '--amend', '--no-edit')
}
const test = runs('npm test')
const tested = { verdict: 'verified', figures: () => ({ evidence: 'executed' }) } as const

const one = (
  name: string,
  session: (repository: string, failure: Reply['fails']) => Omit<Session, 'prompt'>,
): Scenario => ({
  name,
  only: ['claude', 'codex'],
  prepare: (place) => rules(place),
  sessions: (repository, { failure }) => [{ prompt: `Play ${name}.`, ...session(repository, failure) }],
})

/** Two sessions in one folder. */
const beside = (name: string, script?: string): Omit<Scenario, 'sessions'> => ({
  name,
  only: ['claude', 'codex'],
  prepare: (place) => rules(place, script),
})

const meets = (reply: Reply, meeting: string): Reply => ({ ...reply, meets: meeting })

/** A session that tests its work before another one, in the same folder, writes. */
export const testing = (repository: string): Reply[] => [
  meets(writes(`${repository}/a.txt`), 'one'),
  test,
  meets(runs('ls'), 'two'),
  meets(done('Tested.'), 'four'),
]
/** The other one. */
export const writingBeside = (repository: string, ...more: Reply[]): Reply[] => [
  meets(runs('ls'), 'one'),
  meets(writes(`${repository}/b.txt`), 'two'),
  ...more,
  meets(done('Written.'), 'four'),
]

const inBackground = (exits: number): Reply => ({
  ...test,
  does: [{ do: 'shell', command: 'npm test', exits, input: { run_in_background: true } }],
})
const backgroundEnds = runs('touch "$HOME/done"; until test -e "$HOME/ended"; do sleep 0.1; done; sleep 1')
const begun = runs('until test -e "$HOME/begun"; do sleep 0.1; done')
/** The tests may end; the subagent works on. */
const letGo = runs('touch "$HOME/done"; for i in $(seq 60); do sleep 0.1; done')
const delegates: Reply = {
  say: 'I delegate.',
  does: [{ do: 'delegate', task: `${subagentMark} Work beside.` }],
  tokens: tokens(10, 9, 0, 4),
}
const awaits: Reply = { say: 'I wait.', does: [{ do: 'await' }], tokens: tokens(12, 1000, 50, 5) }
const finished: Reply = {
  say: 'Finished.',
  does: [{ do: 'finish', result: 'Finished.' }],
  tokens: tokens(7, 80, 0, 4),
}

const askedTest = (exits: number): Reply => ({
  ...test,
  does: [{ do: 'shell', command: 'npm test', exits, asks: true, input: { yield_time_ms: 500 } }],
})

/** Codex no longer waits for the tests, and the model never asks. */
const leftTest = (exits: number): Reply => ({
  ...test,
  does: [{ do: 'shell', command: 'npm test', exits, input: { yield_time_ms: 500 } }],
})

/** Claude Code tests in the background. If it has tested before, the tests fail. */
const background = (
  name: string,
  verdict: 'verified' | 'stale' | 'failing',
  replies: (repository: string) => Reply[],
): Scenario => ({
  ...one(name, (repository) => ({
    ends: 'well',
    verdict,
    figures: () => ({ evidence: 'executed' }),
    script: { replies: [writes(`${repository}/a.txt`), ...replies(repository), done('That was all.')] },
  })),
  only: ['claude'],
  prepare: (place) =>
    rules(
      place,
      verdict === 'failing'
        ? `test ! -e "$HOME/once" && touch "$HOME/once" || { ${untilDone}; touch "$HOME/ended"; exit 1; }`
        : `${untilDone}; touch "$HOME/ended"`,
    ),
})

const untilDone = 'until test -e "$HOME/done"; do sleep 0.1; done'

/** Codex no longer waits for the tests, and the model asks until they end. */
const asked = (name: string, script: string, exits: number, verdict: 'verified' | 'failing'): Scenario => ({
  ...one(name, (repository) => ({
    ends: 'well',
    verdict,
    script: { replies: [writes(`${repository}/a.txt`), askedTest(exits), done('That was all.')] },
  })),
  only: ['codex'],
  prepare: (place) => rules(place, script),
})

/** A subagent does that while the tests run. */
const whileTestsRun = (title: string, replies: (repository: string) => Reply[]): Scenario => ({
  ...one(title, () => ({ ends: 'well', script: { replies: [] } })),
  prepare: (place) => rules(place, waitingTest),
  sessions: (repository, { name, goesOnAfterSubagents }) => [
    {
      prompt: `Play ${title}.`,
      ends: 'well',
      verdict: 'stale',
      script: {
        replies: [
          delegates,
          test,
          awaits,
          ...(goesOnAfterSubagents ? [done('They are at it.')] : []),
          done('They did it.'),
        ],
        subagent: [begun, ...replies(repository), letGo, finished],
      },
      // In the order in which they end. Codex reads with a command.
      figures: () => ({
        commands: [begun, ...replies(repository), test, letGo]
          .flatMap(({ does = [] }) => does)
          .flatMap((act) => {
            if (act.do === 'shell') return [{ command: act.command, exitCode: 0 }]
            return act.do === 'read' && name === 'codex' ? [{ command: `cat ${act.path}`, exitCode: 0 }] : []
          }),
      }),
    },
  ],
})

export const verdictThreads: Scenario[] = [
  one('tests pass, then interrupted', (repository) => ({
    ends: 'interrupted',
    ...tested,
    script: { replies: [writes(`${repository}/i.txt`), test, { hangs: true }] },
  })),
  one('tests pass, then killed', (repository) => ({
    ends: 'killed',
    ...tested,
    script: { replies: [writes(`${repository}/k.txt`), test, { hangs: true }] },
  })),
  one('tests pass, then the API fails', (repository, fails) => ({
    ends: 'failed',
    ...tested,
    script: { replies: [writes(`${repository}/e.txt`), test, ...(fails ? [{ fails }] : [])] },
  })),
  one('a subagent edits and tests', (repository) => ({
    ends: 'well',
    ...tested,
    script: {
      replies: [delegates, awaits, { say: 'They are at it.', tokens: tokens(13, 1100, 0, 4) }, done('They did it.')],
      subagent: [writes(`${repository}/s.txt`), test, finished],
    },
  })),
  {
    ...one('7c fork of a tested session', () => ({ ends: 'well', script: { replies: [] } })),
    only: ['codex'],
    sessions: (repository) => [
      {
        prompt: 'Test it.',
        ends: 'well',
        ...tested,
        script: { replies: [writes(`${repository}/f.txt`), test, done('So.')] },
      },
      {
        prompt: 'Say two.',
        forks: true,
        ends: 'well',
        script: { replies: [done('Two is said.')] },
      },
    ],
  },
  whileTestsRun('31b a subagent edits while tests run', (repository) => [
    { say: 'I look.', does: [{ do: 'read', path: `${repository}/README.md` }], tokens: tokens(10, 100, 5, 7) },
    {
      say: 'I edit.',
      does: [{ do: 'edit', path: `${repository}/README.md`, from: '# Greetings\n', to: '# Greeted\n' }],
      tokens: tokens(10, 100, 5, 7),
    },
  ]),
  whileTestsRun('31c a subagent adds a test while tests run', (repository) => [writes(`${repository}/test/new.js`)]),
  background('31d background tests pass, a file meanwhile', 'stale', (repository) => [
    inBackground(0),
    writes(`${repository}/b.txt`),
    backgroundEnds,
  ]),
  background('31k background tests pass', 'verified', () => [inBackground(0), backgroundEnds]),
  background('31l tests pass, fail in the background', 'failing', () => [test, inBackground(1), backgroundEnds]),
  ...(['pass', 'fail'] as const).map((result): Scenario => {
    const exits = result === 'pass' ? 0 : 1
    const name = `31m tests pass, then ${result} left behind`
    return {
      ...one(name, (repository) => ({
        ends: 'well',
        verdict: result === 'pass' ? 'verified' : 'failing',
        script: { replies: [writes(`${repository}/a.txt`), test, leftTest(exits), runs('sleep 6'), done('So.')] },
      })),
      only: ['codex'],
      prepare: (place) => rules(place, `test ! -e "$HOME/once" && touch "$HOME/once" || { sleep 3; exit ${exits}; }`),
    }
  }),
  asked('31h tests outlast the patience of the agent', 'sleep 3', 0, 'verified'),
  asked('31i tests that outlast it fail', 'sleep 3; exit 1', 1, 'failing'),
  {
    ...asked('31j tests pass, then outlast it and fail', '', 1, 'failing'),
    prepare: (place) => rules(place, 'test ! -e "$HOME/once" && touch "$HOME/once" || { sleep 3; exit 1; }'),
    sessions: (repository) => [
      {
        prompt: 'Play 31j tests pass, then outlast it and fail.',
        ends: 'well',
        verdict: 'failing',
        script: { replies: [writes(`${repository}/a.txt`), test, askedTest(1), done('That was all.')] },
      },
    ],
  },
  one('31f tests and a new file in one reply', (repository) => ({
    ends: 'well',
    verdict: 'stale',
    script: {
      replies: [
        writes(`${repository}/a.txt`),
        { ...test, does: [...(test.does ?? []), ...(writes(`${repository}/b.txt`).does ?? [])] },
        done('That was all.'),
      ],
    },
  })),
  one('31g tests and a command in one reply', (repository) => ({
    ends: 'well',
    verdict: 'stale',
    script: {
      replies: [
        writes(`${repository}/a.txt`),
        { ...test, does: [...(test.does ?? []), { do: 'shell', command: 'echo 2 >> a.txt', exits: 0 }] },
        done('That was all.'),
      ],
    },
  })),
  {
    ...beside('31e the other session writes while tests run', 'sleep 4'),
    sessions: (repository) => [
      {
        prompt: 'Test it.',
        ends: 'well',
        verdict: 'stale',
        script: {
          replies: [meets(writes(`${repository}/a.txt`), 'one'), meets(test, 'two'), meets(done('Tested.'), 'four')],
        },
      },
      {
        prompt: 'Write beside.',
        ends: 'well',
        script: {
          replies: [
            meets(runs('sleep 1'), 'one'),
            meets(runs('sleep 1'), 'two'),
            writes(`${repository}/b.txt`),
            meets(done('Written.'), 'four'),
          ],
        },
      },
    ],
  },
  {
    ...beside('47a the other session writes after our tests'),
    sessions: (repository) => [
      {
        prompt: 'Test it.',
        ends: 'well',
        verdict: 'verified',
        // The other's file is not its work.
        figures: (place) => ({ evidence: 'executed', tree: place.tree(['b.txt']) }),
        script: { replies: testing(repository) },
      },
      {
        prompt: 'Write beside.',
        ends: 'well',
        script: { replies: writingBeside(repository) },
      },
    ],
  },
  {
    ...beside('47b the other session commits in the same folder'),
    sessions: (repository) => [
      {
        prompt: 'Test it.',
        ends: 'well',
        verdict: 'verified',
        // Neither is the other's commit.
        figures: (place) => ({
          evidence: 'executed',
          tree: place.tree(['b.txt']),
          commit: place.git('rev-parse', 'HEAD~1'),
          commits: [],
        }),
        script: { replies: testing(repository) },
      },
      {
        prompt: 'Commit beside.',
        ends: 'well',
        script: { replies: writingBeside(repository, runs('git add b.txt && git commit -qm Other')) },
      },
    ],
  },
  {
    name: '76b a linked worktree',
    only: ['claude', 'codex'],
    prepare(place) {
      rules(place)
      place.git('worktree', 'add', '-q', '-b', 'side', `${place.repository}-side`)
    },
    sessions: (repository) => [
      {
        prompt: 'Test in the tree.',
        folder: `${repository}-side`,
        tree: `${repository}-side`,
        ends: 'well',
        ...tested,
        script: { replies: [writes(`${repository}-side/w.txt`), test, done('Tested there.')] },
      },
    ],
  },
]
