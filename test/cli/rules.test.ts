import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { declaredProject } from '../../src/place/project.ts'
import { checkRules, recordRules, requiredChecks, starredCommands } from '../../src/place/rules.ts'
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
    { name: 'tests', commands: ['npm test'] },
    { name: 'lint', commands: ['npm run lint', 'biome'] },
  ])
  assert.deepEqual(recordRules(folder), { answers: false, prompts: true, changes: true })
  for (const without of [freshFolder(t), folderIn(t, '{ "project": "shop" }')]) {
    assert.deepEqual(checkRules(without), [])
    assert.deepEqual(recordRules(without), { answers: true, prompts: true, changes: true })
  }
})

test('a conduct.json may begin with a byte order mark, as editors of Windows write it', (t) => {
  const folder = folderIn(t, '\ufeff{ "project": "shop", "checks": { "tests": "npm test" } }')
  assert.equal(declaredProject(folder), 'shop')
  assert.deepEqual(checkRules(folder), [{ name: 'tests', commands: ['npm test'] }])
})

test('the error for a wrong rule names its file', (t) => {
  const wrong: [text: string, words: RegExp][] = [
    ['{ "project": "x", "checks": ', /conduct\.json: .*JSON/],
    ['[]', /conduct\.json: the file must be an object/],
    ['{ "project": "x", "checks": [] }', /conduct\.json: "checks" must be an object/],
    ['{ "project": "x", "checks": null }', /"checks" must be an object/],
    [
      '{ "project": "x", "checks": { "tests": 1 } }',
      /"checks": "tests" must be a command like "npm test", or a list .*, not 1$/,
    ],
    ['{ "project": "x", "checks": { "tests": [] } }', /"tests" must be a command .*not \[\]$/],
    ['{ "project": "x", "checks": { "tests": [""] } }', /"tests" must be a command .*not \[""\]$/],
    ['{ "project": "x", "checks": { "": "npm test" } }', /names of 1 to 200 bytes, not ""/],
    [`{ "project": "x", "checks": { "${'テ'.repeat(67)}": "npm test" } }`, /names of 1 to 200 bytes, not "テ/],
    ['{ "project": "x", "checks": { "a\\u0000": "npm test" } }', /names of 1 to 200 bytes, not "a/],
    [
      JSON.stringify({ project: 'x', checks: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [n, 'x'])) }),
      /at most 50 checks, not 51/,
    ],
  ]
  for (const [text, words] of wrong) assert.throws(() => checkRules(folderIn(t, text)), words, text)
  const wrongRecord: [text: string, words: RegExp][] = [
    ['{ "project": "x", "record": true }', /"record" must be an object/],
    [
      '{ "project": "x", "record": { "answer": false } }',
      /"record" must have "answers", "prompts" or "changes", not "answer"/,
    ],
    ['{ "project": "x", "record": { "answers": "no" } }', /"record": "answers" must be true or false, not "no"/],
  ]
  for (const [text, words] of wrongRecord) assert.throws(() => recordRules(folderIn(t, text)), words, text)
})

test('the names that a verdict needs are those listed, else tests', (t) => {
  const cases: [rules: object, names: string[]][] = [
    [{}, []],
    [{ checks: { lint: 'npm run lint' } }, []],
    [{ checks: { lint: 'npm run lint', tests: 'npm test' } }, ['tests']],
    [{ checks: { tests: 'npm test' }, required: [] }, []],
    [{ checks: { tests: 'npm test' }, required: ['tests', 'review'] }, ['tests', 'review']],
  ]
  for (const [rules, names] of cases) {
    assert.deepEqual(requiredChecks(folderIn(t, JSON.stringify({ project: 'shop', ...rules }))), names)
  }
  for (const required of ['tests', null, [''], [1], ['テ'.repeat(67)], ['a\0'], ['\ud800']]) {
    const folder = folderIn(t, JSON.stringify({ project: 'shop', required }))
    assert.throws(
      () => requiredChecks(folder),
      /"required" must be a list of .* names of checks, like \["tests"\], not /,
    )
  }
})

test('a star at the end of a command is ignored, and named', (t) => {
  const checks = { tests: ['npm test*', 'pytest *', 'make  **'], lint: 'eslint src/*.js', all: '*' }
  const folder = folderIn(t, JSON.stringify({ project: 'shop', checks }))
  assert.deepEqual(checkRules(folder), [
    { name: 'tests', commands: ['npm test', 'pytest', 'make'] },
    { name: 'lint', commands: ['eslint src/*.js'] },
    { name: 'all', commands: ['*'] },
  ])
  assert.deepEqual(starredCommands(folder), ['npm test*', 'pytest *', 'make  **'])
})

test('a conduct.json without a project names none, and what it says otherwise breaks nothing', (t) => {
  const text = JSON.stringify({ version: 1, checks: ['a'], required: 1, record: { all: true } })
  const folder = folderIn(t, text)
  assert.equal(declaredProject(folder), undefined)
  assert.deepEqual([checkRules(folder), requiredChecks(folder), starredCommands(folder)], [[], [], []])
  assert.deepEqual(recordRules(folder), { answers: true, prompts: true, changes: true })
  assert.deepEqual(checkRules(folderIn(t, '{ "checks": { "tests": "npm test" } }')), [
    { name: 'tests', commands: ['npm test'] },
  ])
  assert.throws(() => declaredProject(folderIn(t, '{ "project": 1 }')), /must be \{ "project"/)
})
