import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { commands } from '../../src/cli/commands/commands.ts'
import { freshFolder, homeOf } from './folder.ts'
import { programOf } from './program.ts'

test('the first help shows at most ten commands, and names the others', async (t) => {
  const { run } = programOf({ ...homeOf(freshFolder(t)), COLUMNS: '80' })
  const help = await run('--help')
  const shown = [...help.matchAll(/^ {2}([a-z]\w+) {2,}\w/gm)].map(([, name]) => name)
  assert.ok(shown.length <= 10, shown.join(', '))
  for (const [name, { group = 'more' }] of Object.entries(commands)) {
    assert.equal(shown.includes(name), group !== 'more', name)
    assert.match(help, new RegExp(`\\b${name}\\b`))
  }
})

test('the help of a noun and of a command matches the expected text', async (t) => {
  const { run } = programOf(homeOf(freshFolder(t)))
  const isText = { serializers: [(text: string) => text] }
  const expected = (name: string) => fileURLToPath(new URL(`expected/${name}`, import.meta.url))
  t.assert.fileSnapshot(await run('help spec'), expected('help-spec.txt'), isText)
  const help = await run('help check create')
  assert.equal(help, await run('check create --help'))
  t.assert.fileSnapshot(help, expected('help-check-create.txt'), isText)
})

test('every option of every command says what it is for', async () => {
  for (const [name, { load }] of Object.entries(commands)) {
    for (const [path, { options }] of below(await load(), [name])) {
      const silent = options.filter(({ description }) => description === '').map(({ flags }) => flags)
      assert.deepEqual(silent, [], path.join(' '))
    }
  }
})

/** Yields a command and all commands below it, each with its words. */
function* below(command: Command, path: string[]): Generator<[path: string[], command: Command]> {
  yield [path, command]
  for (const child of command.commands) yield* below(child, [...path, child.name()])
}

test('every command that a help text or a message names exists', async (t) => {
  const program = new Command()
  for (const [name, { load, summary }] of Object.entries(commands)) {
    const command = await load()
    program.addCommand(command)
    const listed = command.commands.length > 0 ? (/: (.*)$/.exec(summary)?.[1]?.split(', ') ?? []) : []
    for (const one of listed)
      assert.ok(
        command.commands.some((child) => child.name() === one),
        `${name} ${one}`,
      )
  }
  const { run } = programOf(homeOf(freshFolder(t)))
  const texts = new Map<string, string>()
  for (const [path] of below(program, [])) texts.set(path.join(' '), await run([...path, '--help'].join(' ')))
  const folder = fileURLToPath(new URL('../../src', import.meta.url))
  for (const file of globSync('{cli,terminal,place,verify,capture,mcp,web}/**/*.{ts,tsx}', { cwd: folder })) {
    const strings = readFileSync(join(folder, file), 'utf8').match(/'[^'\n]*'|`[^`]*`/g) ?? []
    texts.set(file, strings.join('\n'))
  }
  for (const [where, text] of texts) {
    for (const [, words = ''] of text.matchAll(/\bconduct ((?:[a-z][a-z0-9-]*)(?: [a-z][a-z0-9-]*)*)/g)) {
      let command = program
      for (const word of words.split(' ').filter((word) => word !== 'help')) {
        if (command.commands.length === 0) break
        const child = command.commands.find((one) => one.name() === word)
        // `conduct import ledger.ndjson`: a command with subcommands may also take an argument.
        if (!child && command.registeredArguments.length > 0) break
        assert.ok(child, `${where}: conduct ${words}`)
        command = child
      }
    }
  }
})

test('help about an unknown command is an error, with a suggestion', async (t) => {
  const { all } = programOf(homeOf(freshFolder(t)))
  for (const [words, said] of [
    ['help rnu', /unknown command 'rnu'\n\(Did you mean run\?\)/],
    ['rnu --help', /unknown command 'rnu'\n\(Did you mean run\?\)/],
    ['help run lst', /unknown command 'lst'\n\(Did you mean list\?\)/],
    ['-h spec nope', /unknown command 'nope'/],
  ] as const) {
    const { code, stdout, stderr } = await all(words)
    assert.deepEqual([code, stdout], [2, ''], words)
    assert.match(stderr, said)
  }
  assert.equal((await all('help help')).code, 0)
})

test('printing the version loads nothing else', () => {
  const main = readFileSync(new URL('../../src/cli/main.ts', import.meta.url), 'utf8')
  assert.doesNotMatch(main, /^import /m)
})
