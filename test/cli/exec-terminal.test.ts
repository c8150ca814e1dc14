import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { spawn } from '@lydell/node-pty'
import { main } from '../support/program.ts'
import { localUser, type User } from './user.ts'

/** Runs `conduct exec` at a terminal. Types each value of `typed` once its key has appeared. */
const atTerminal = (t: TestContext, user: User, words: string[], typed: Record<string, string> = {}) =>
  onTerminal(t, user, process.execPath, [main, 'exec', ...words], typed)

function onTerminal(
  t: TestContext,
  { env, cwd }: User,
  command: string,
  words: string[],
  typed: Record<string, string> = {},
) {
  const terminal = spawn(command, words, { cwd, env })
  t.after(() => terminal.kill('SIGKILL'))
  let screen = ''
  terminal.onData((text) => {
    screen += text
    for (const [shown, keys] of Object.entries(typed)) {
      if (!screen.includes(shown)) continue
      delete typed[shown]
      terminal.write(keys)
    }
  })
  return new Promise<{ code: number; screen: string }>((resolve) => {
    terminal.onExit(({ exitCode: code }) => resolve({ code, screen }))
  })
}

test('an interactive command has the terminal, and its output is not recorded', async (t) => {
  const user = localUser(t)
  const script = 'test -t 0 && test -t 1 && test -t 2 && printf "name? " && read name && echo "hello $name"'
  const { code, screen } = await atTerminal(t, user, ['--', 'sh', '-c', script], { 'name? ': 'you\r' })
  assert.equal(code, 0, screen)
  assert.match(screen, /hello you/)
  const { run } = await (await user.ledger()).getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.content], ['completed', ''])
})

test('with --capture the output is recorded, and the command has pipes', async (t) => {
  const user = localUser(t)
  const script = 'test -t 0 && ! test -t 1 && ! test -t 2 && echo piped'
  const { code, screen } = await atTerminal(t, user, ['--capture', '--', 'sh', '-c', script])
  assert.equal(code, 0, screen)
  const { run } = await (await user.ledger()).getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.content], ['completed', 'piped\n'])
})

for (const flags of [[], ['--capture']]) {
  test(`Ctrl-C reaches the command once ${flags.join('')}`, async (t) => {
    const user = localUser(t)
    const script = `let n = 0
      process.on('SIGINT', () => ++n === 1 && setTimeout(() => process.exit(40 + n), 500))
      setInterval(() => {}, 1000)
      console.log('ready')`
    const words = ['--', process.execPath, '-e', script]
    const { code, screen } = await atTerminal(t, user, [...flags, ...words], { ready: '\x03' })
    assert.equal(code, 41, screen)
    const { run } = await (await user.ledger()).getRun({ runId: 'RUN-001' })
    assert.deepEqual([run.status, run.failure?.code], ['failed', 'EXIT_41'])
  })
}

test('Ctrl-C ends a command that does not handle it, and the run says so', async (t) => {
  const user = localUser(t)
  const script = 'echo ready; exec sleep 30'
  const { code, screen } = await atTerminal(t, user, ['--', 'sh', '-c', script], { ready: '\x03' })
  assert.equal(code, 130, screen)
  const { run } = await (await user.ledger()).getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.failure?.code], ['failed', 'SIGNAL_SIGINT'])
})

test('a SIGINT to conduct exec in the background of a terminal reaches the command', async (t) => {
  const user = localUser(t)
  const command = `process.on('SIGINT', () => process.exit(41))
    setTimeout(() => process.exit(7), 20_000)
    console.log('ready')`
  writeFileSync(join(user.cwd, 'command.cjs'), command)
  const script = `set -m
    "$0" "$1" exec --capture -- "$0" command.cjs > out &
    until grep -q ready out; do sleep 0.1; done
    kill -INT $!
    wait $!
    echo "code $?"`
  const { screen } = await onTerminal(t, user, 'sh', ['-c', script, process.execPath, main])
  assert.match(screen, /code 41/)
})
