import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hasHooks, withHooks } from '../../src/cli/init/entry.ts'
import { hookLine } from '../../src/cli/init/project-files.ts'
import { type HookFile, installs } from '../../src/recorder/agents/install.ts'
import fc from '../support/random.ts'
import { argumentsIn, readByCmd, variablesIn } from '../system/shells.ts'
import { freshFolder } from './folder.ts'

const agents = installs.flatMap(({ name, hooks }): { name: string; hooks: HookFile }[] =>
  'entry' in hooks ? [{ name, hooks }] : [],
)
const hooksOf = (agent: string) => agents.find(({ name }) => name === agent)?.hooks ?? assert.fail(agent)
const document = '{"prompt":"Grüße, 🙂 \\"$HOME\\" %PATH%"}\n'

/** A program of that name that writes what it gets. */
function programIn(folder: string, name: string, script: string) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

/** Runs a line as Claude Code does, on Windows by Git Bash. */
const inBash = (line: string, env: NodeJS.ProcessEnv, cwd: string) =>
  execFileSync('bash', ['--norc', '-c', line], { env, cwd, input: document, encoding: 'utf8' })

/** Names of folders that a shell could misread. */
const oddName = fc.string({
  unit: fc.constantFrom(...'aB \'"$`&|;%!\\(){}[]*?~#<>^=,ä🙂\n'),
  minLength: 1,
  maxLength: 8,
})

test('the line of Bash finds the launcher below any home folder, and hands it the whole document', (t: TestContext) => {
  const folder = freshFolder(t)
  const { command } = hookLine('claude', hooksOf('claude'), true)
  fc.assert(
    fc.property(oddName, fc.boolean(), (name, isData) => {
      const home = join(mkdtempSync(join(folder, 'home-')), name.replace(/^\.{1,2}$/, 'a'))
      const data = join(home, isData ? 'data' : '.local/share')
      programIn(join(data, 'conduct/bin'), 'conduct-ledger', 'echo "$*" > "$HOME/words"; cat > "$HOME/document"')
      const env = { HOME: home, PATH: '/usr/bin:/bin', ...(isData && { XDG_DATA_HOME: data }) }
      assert.equal(inBash(command, env, folder), '')
      assert.equal(readFileSync(join(home, 'words'), 'utf8'), 'hook claude\n')
      assert.equal(readFileSync(join(home, 'document'), 'utf8'), document)
    }),
    { numRuns: 40 },
  )
})

for (const { name, hooks } of agents) {
  const { command, windows } = hookLine(name, hooks, false, 'windows')
  const [, script = ''] = /^powershell -NoProfile -NonInteractive -Command "(.*)"$/.exec(windows) ?? []
  const words = ['powershell', '-NoProfile', '-NonInteractive', '-Command', script]

  test(`the line of Windows for ${name} means the same in cmd.exe, PowerShell and Bash`, (t) => {
    assert.equal(command, windows)
    // In double quotes, PowerShell reads only its own quotes, $ and `.
    assert.doesNotMatch(script, /["$`'“”„‘’%!^\\\r\n]/)
    assert.deepEqual(variablesIn(windows), [])
    assert.deepEqual(argumentsIn(readByCmd(windows)), words)
    const folder = freshFolder(t)
    programIn(folder, 'powershell', 'printf "%s\\0" "$@"; cat')
    const told = inBash(windows, { PATH: `${folder}:/usr/bin:/bin` }, folder)
    assert.deepEqual(told.split('\0'), [...words.slice(1), document])
  })

  test(`PowerShell starts the batch file of npm for ${name}, and ends well`, () => {
    const statements = script.split('; ')
    assert.equal(statements[0], `conduct-ledger.cmd hook ${name}`)
    assert.equal(statements.at(-1), 'exit 0')
    assert.equal(statements.length, hooks.drains ? 3 : 2)
  })

  test(`the file of a user of Windows for ${name} gets its line once, replaces an older one, and loses it again`, () => {
    const own = hookLine(name, hooks, false, 'windows')
    const shared = withHooks(undefined, name, hooks, hookLine(name, hooks, true))
    const written = withHooks(undefined, name, hooks, own)
    assert.ok(hasHooks(written, name, hooks))
    assert.equal(withHooks(written, name, hooks, own), written)
    assert.deepEqual(JSON.parse(withHooks(shared, name, hooks, own) ?? ''), JSON.parse(written ?? ''))
    assert.equal(withHooks(written, name, hooks, undefined), undefined)
  })
}

test('the files of a project are the same wherever init runs, with a line for Windows where an agent reads one', () => {
  for (const { name, hooks } of agents) {
    assert.deepEqual(hookLine(name, hooks, true, 'windows'), hookLine(name, hooks, true, 'posix'))
  }
  const entryOf = (agent: string) => JSON.stringify(hooksOf(agent).entry(hookLine(agent, hooksOf(agent), true), 'Stop'))
  assert.match(entryOf('codex'), /"commandWindows":"powershell -NoProfile/)
  assert.match(entryOf('copilot'), /"powershell":"powershell -NoProfile/)
  for (const agent of ['claude', 'cursor', 'gemini', 'qwen', 'droid']) assert.doesNotMatch(entryOf(agent), /powershell/)
})

test('init adds the line for Windows to a hook that an earlier version wrote', () => {
  const hooks = hooksOf('codex')
  const line = hookLine('codex', hooks, true)
  const now = withHooks(undefined, 'codex', hooks, line) ?? ''
  const before = JSON.stringify(
    JSON.parse(now, (key, value) => (key === 'commandWindows' ? undefined : value)),
    null,
    2,
  )
  assert.doesNotMatch(before, /powershell/)
  assert.deepEqual(JSON.parse(withHooks(before, 'codex', hooks, line) ?? ''), JSON.parse(now))
})
