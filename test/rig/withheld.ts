import { done, writes } from './replies.ts'
import type { Scenario } from './scenarios.ts'

// Scenarios for `"record"` in conduct.json, which excludes texts from recording.

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
