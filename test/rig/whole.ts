import { done, tokens } from './replies.ts'
import type { Scenario } from './scenarios.ts'

const polite = "export const greet = (name) => 'Good day, ' + name\n"
const rude = "export const greet = (name) => 'What, ' + name + '?'\n"
const first = "export const greet = (name) => 'Hi ' + name\n"

/** A prompt of two lines, edits, a failing test, a fix, a passing test, a commit, a final answer. */
export const whole: Scenario = {
  name: 'whole session',
  sessions: (repository) => [
    {
      prompt: 'Greet politely\nand keep the tests green.',
      ends: 'well',
      verdict: 'verified',
      isPatched: true,
      script: {
        replies: [
          {
            say: 'A plan first.',
            does: [{ do: 'plan', items: ['Greet politely', 'Run the tests'] }],
            tokens: tokens(1000, 0, 5000, 50),
          },
          {
            say: 'I look.',
            does: [{ do: 'read', path: `${repository}/src/greet.js` }],
            tokens: tokens(20, 5000, 300, 30),
          },
          {
            say: 'I change it.',
            does: [{ do: 'edit', path: `${repository}/src/greet.js`, from: first, to: rude }],
            tokens: tokens(21, 5300, 200, 40),
          },
          { say: 'I test.', does: [{ do: 'shell', command: 'npm test', exits: 1 }], tokens: tokens(22, 5500, 100, 25) },
          {
            say: 'I mend it.',
            does: [{ do: 'edit', path: `${repository}/src/greet.js`, from: rude, to: polite }],
            tokens: tokens(23, 5600, 200, 41),
          },
          {
            say: 'I note it.',
            does: [{ do: 'write', path: `${repository}/NOTES.md`, content: '# Notes\n\nPolite now.\n' }],
            tokens: tokens(24, 5800, 100, 35),
          },
          {
            say: 'Once more.',
            does: [{ do: 'shell', command: 'npm test', exits: 0 }],
            tokens: tokens(25, 5900, 100, 26),
          },
          {
            say: 'I commit.',
            does: [{ do: 'shell', command: 'git add -A && git commit -qm "Greet politely"', exits: 0 }],
            tokens: tokens(26, 6000, 100, 45),
          },
          {
            say: 'The greeting is polite now.\n\nAll tests pass, and it is committed.',
            tokens: tokens(27, 6100, 0, 33),
          },
        ],
      },
    },
  ],
}

/** The same with a second turn, during which the dashboard must show the first one. */
export const watched: Scenario = {
  name: 'watched in a browser',
  isWatched: true,
  sessions: (...given) =>
    whole.sessions(...given).map((session) => ({
      ...session,
      next: ['Say what you did.'],
      script: { replies: [...session.script.replies, done('I made it polite.')] },
    })),
}

/** Copilot also runs the hooks of Claude Code. */
export const beside: Scenario = {
  ...whole,
  name: 'beside Claude Code',
  only: ['copilot'],
  setUp: ['claude', 'copilot'],
}
