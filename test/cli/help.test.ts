import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commands } from '../../src/cli/commands/commands.ts'
import { freshFolder, homeOf } from './folder.ts'
import { programOf } from './program.ts'

test('the first help shows ten commands at most, and names the rest', async (t) => {
  const { run } = programOf({ ...homeOf(freshFolder(t)), COLUMNS: '80' })
  const help = await run('--help')
  const shown = [...help.matchAll(/^ {2}([a-z]\w+) {2,}\w/gm)].map(([, name]) => name)
  assert.ok(shown.length <= 10, shown.join(', '))
  for (const [name, { group }] of Object.entries(commands)) {
    assert.equal(shown.includes(name), group !== 'more', name)
    assert.match(help, new RegExp(`\\b${name}\\b`))
  }
})

test('the help of a noun and of a command, as people read it', async (t) => {
  const { run } = programOf(homeOf(freshFolder(t)))
  const isText = { serializers: [(text: string) => text] }
  const expected = (name: string) => fileURLToPath(new URL(`expected/${name}`, import.meta.url))
  t.assert.fileSnapshot(await run('help spec'), expected('help-spec.txt'), isText)
  const help = await run('help check create')
  assert.equal(help, await run('check create --help'))
  t.assert.fileSnapshot(help, expected('help-check-create.txt'), isText)
})

test('the version is told without anything else being loaded', () => {
  const main = readFileSync(new URL('../../src/cli/main.ts', import.meta.url), 'utf8')
  assert.doesNotMatch(main, /^import /m)
})
