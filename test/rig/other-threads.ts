import type { Place } from './place.ts'
import { done, runs, tokens, writes } from './replies.ts'
import type { Scenario, Session } from './scenarios.ts'
import { testing, writingBeside } from './verdict-threads.ts'

const withRules = (place: Place) => {
  place.write(place.repository, {
    'conduct.json': '{ "project": "greetings", "checks": { "tests": "npm test" } }\n',
  })
  place.git('commit', '-qa', '--amend', '--no-edit')
}
const tested = { verdict: 'verified', figures: () => ({ evidence: 'executed' }) } as const
const test = runs('npm test')

/** Sessions that do not end by themselves, that share a folder, or whose model wants two acts at once. */
export const otherThreads: Scenario[] = [
  {
    name: 'tests pass, then interrupted',
    sessions: (repository: string): Session[] => [
      {
        prompt: 'Test, then be interrupted.',
        ends: 'interrupted',
        ...tested,
        script: { replies: [writes(`${repository}/i.txt`), test, { hangs: true }] },
      },
    ],
  },
  {
    name: 'tests pass, then killed',
    sessions: (repository: string): Session[] => [
      {
        prompt: 'Test, then be killed.',
        ends: 'killed',
        ...tested,
        script: { replies: [writes(`${repository}/k.txt`), test, { hangs: true }] },
      },
    ],
  },
  {
    name: 'two sessions, the first tests',
    sessions: (repository: string): Session[] => [
      {
        prompt: 'Test it.',
        ends: 'well',
        verdict: 'verified',
        // The other's file does not move its work.
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
    name: 'an edit and tests in one reply',
    sessions: (repository: string): Session[] => [
      {
        prompt: 'Do both at once.',
        ends: 'well',
        script: {
          replies: [
            {
              say: 'Both.',
              does: [
                { do: 'write', path: `${repository}/both.txt`, content: 'One line.\n' },
                { do: 'shell', command: 'npm test', exits: 0 },
              ],
              tokens: tokens(10, 100, 5, 7),
            },
            test,
            done('Both are done.'),
          ],
        },
        ...tested,
      },
    ],
  },
].map((scenario) => ({ ...scenario, prepare: withRules }))
