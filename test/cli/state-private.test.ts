import assert from 'node:assert/strict'
import { globSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import { claudeIn, onlyRun, secret, syncAll, turnsOf, workplace } from './session.ts'

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
