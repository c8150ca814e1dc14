import assert from 'node:assert/strict'
import { globSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isAbsolute } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { stateFile, stateOf } from '../../src/capture/spool/state-file.ts'
import { folders } from '../../src/place/folders.ts'
import { claudeIn, onlyRun, secret, syncAll, turnsOf, workplace } from './session.ts'

const newer = createRequire(import.meta.url)('../../bin/newer.cjs') as { home(): string }

/** One in the names of a branch and a file, which the state needs as they are. */
const named = `ghp_${'m3Xc7VbN1qWe5RtY9uIo'.repeat(2).slice(0, 36)}`

test('nothing of a secret remains in the state once its session is sent', async (t) => {
  const { env, cwd, git, ledger } = workplace(t)
  git('checkout', '-q', '-b', `fix-${named}`)
  const claude = claudeIn(cwd, env)
  await claude.prompt(`Push with ${secret}`)
  await claude.run(`echo ${secret}`)
  // An agent that gives its tools no ids.
  await claude.tell('PreToolUse', { tool_name: 'Bash', tool_input: { command: `true ${secret}` } })
  await claude.tell('PostToolUse', { tool_name: 'Bash', tool_input: { command: `true ${secret}` }, tool_response: {} })
  await claude.write(`notes-${named}.txt`, 'hello\n')
  await claude.stop(`Pushed with ${secret}`)
  await claude.end()
  await syncAll(env)
  const files = globSync(`${stateFile(env)}*`)
  assert.ok(files.length > 0)
  for (const file of files) {
    assert.equal(statSync(file).mode & 0o077, 0, `${file} is private`)
    assert.ok(!readFileSync(file, 'latin1').includes(secret), `${file} has the secret`)
  }
  const all = JSON.stringify([await onlyRun({ ledger }), await turnsOf({ ledger })])
  assert.ok(!all.includes(secret) && !all.includes(named), all)
  assert.match(all, /fix-\[masked\]/)
})

test('an empty HOME names no folder below the working folder', (t) => {
  const { HOME } = process.env
  t.after(() => {
    process.env.HOME = HOME
  })
  process.env.HOME = ''
  assert.ok([folders.config({}), folders.state({ HOME: '' }), newer.home()].every(isAbsolute))
})

test('what is sent is gone from the write-ahead log, also while another process has the state open', async (t) => {
  const { env, cwd } = workplace(t)
  const claude = claudeIn(cwd, env)
  const open = stateOf(env)
  t.after(() => open.close())
  // Only this file: to read another one would release the locks of the open connection.
  const log = () => readFileSync(`${stateFile(env)}-wal`, 'latin1')
  await claude.prompt('Say okapi')
  await claude.stop('Said okapi')
  assert.ok(log().includes('Said okapi'))
  await syncAll(env)
  assert.equal(log().length, 0)
})

test('emptying the write-ahead log waits for nobody, and fails for nobody', async (t) => {
  const { env } = workplace(t)
  const [state, other] = [stateOf(env), new DatabaseSync(stateFile(env))]
  t.after(() => {
    other.close()
    state.close()
  })
  other.exec("begin immediate; update recordings set cwd = ''")
  const began = performance.now()
  state.emptyLog()
  assert.ok(performance.now() - began < 4_500, 'less than the wait for a writer')
  other.exec('commit')
  state.emptyLog()
  assert.equal(statSync(`${stateFile(env)}-wal`).size, 0)
})
