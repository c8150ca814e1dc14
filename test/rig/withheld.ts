import { done, writes } from './replies.ts'
import type { Scenario } from './scenarios.ts'

// What `"record"` of conduct.json keeps out of the ledger.

const without = (withheld: 'answers' | 'prompts'): Scenario => ({
  name: `without ${withheld}`,
  prepare({ git, repository, write }) {
    write(repository, { 'conduct.json': JSON.stringify({ project: 'greetings', record: { [withheld]: false } }) })
    git('commit', '-qa', '--amend', '--no-edit')
  },
  sessions: (repository) => [
    {
      prompt: 'Write what nobody may read.',
      withheld,
      ends: 'well',
      script: { replies: [writes(`${repository}/p.txt`), done('Nobody may read this either.')] },
    },
  ],
})

export const withoutAnswers = without('answers')
export const withoutPrompts = without('prompts')
