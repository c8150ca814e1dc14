import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { checkRules, recordRules } from '../../src/cli/place/rules.ts'
import { freshFolder } from './folder.ts'

/** A folder in a project whose conduct.json has that text. */
function folderIn(t: TestContext, text: string): string {
  const root = freshFolder(t)
  writeFileSync(join(root, 'conduct.json'), text)
  mkdirSync(join(root, 'src'))
  return join(root, 'src')
}

test('rules name checks by their commands; without rules there are no checks, and everything is recorded', (t) => {
  const folder = folderIn(
    t,
    `{ "project": "shop", "checks": { "tests": "npm test*", "lint": ["npm run lint", "biome *"] }, "record": { "answers": false } }`,
  )
  assert.deepEqual(checkRules(folder), [
    { name: 'tests', patterns: ['npm test*'] },
    { name: 'lint', patterns: ['npm run lint', 'biome *'] },
  ])
  assert.deepEqual(recordRules(folder), { answers: false, prompts: true })
  for (const without of [freshFolder(t), folderIn(t, '{ "project": "shop" }')]) {
    assert.deepEqual(checkRules(without), [])
    assert.deepEqual(recordRules(without), { answers: true, prompts: true })
  }
})

test('the error for a wrong rule names its file', (t) => {
  const wrong: [text: string, words: RegExp][] = [
    ['{ "checks": ', /conduct\.json: .*JSON/],
    ['[]', /conduct\.json: the file must be an object/],
    ['{ "checks": [] }', /conduct\.json: "checks" must be an object/],
    ['{ "checks": null }', /"checks" must be an object/],
    ['{ "checks": { "tests": 1 } }', /"checks": "tests" must be a command like "npm test\*", or a list .*, not 1$/],
    ['{ "checks": { "tests": [] } }', /"tests" must be a command .*not \[\]$/],
    ['{ "checks": { "tests": [""] } }', /"tests" must be a command .*not \[""\]$/],
    ['{ "checks": { "": "npm test" } }', /names of 1 to 200 characters, not ""/],
    [
      JSON.stringify({ checks: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [n, 'x'])) }),
      /at most 50 checks, not 51/,
    ],
  ]
  for (const [text, words] of wrong) assert.throws(() => checkRules(folderIn(t, text)), words, text)
  const wrongRecord: [text: string, words: RegExp][] = [
    ['{ "record": true }', /"record" must be an object/],
    ['{ "record": { "answer": false } }', /"record" must have "answers" or "prompts", not "answer"/],
    ['{ "record": { "answers": "no" } }', /"record": "answers" must be true or false, not "no"/],
  ]
  for (const [text, words] of wrongRecord) assert.throws(() => recordRules(folderIn(t, text)), words, text)
})
