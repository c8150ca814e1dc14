import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { claudeIn, hook, onlyRun, syncAll, workplace } from './session.ts'
import { gitIn, writeFiles } from './user.ts'

const rules = { 'conduct.json': '{ "project": "shop", "checks": { "tests": "npm test" } }\n' }

/** A session of Claude Code in a repository with a rule for checks, with the names of the checks of its run. */
async function checkedSession(t: TestContext) {
  const user = workplace(t)
  const { cwd, env, git } = user
  writeFiles(cwd, rules)
  git('commit', '-qam', 'rules')
  const claude = claudeIn(cwd, env)
  await claude.prompt('Fix the tests')
  const checks = async () => {
    await claude.stop()
    await syncAll(env)
    const { runId } = await onlyRun(user)
    return (await (await user.ledger()).listChecks({ runId })).checks.map(({ name }) => name)
  }
  /** A command that passes. The documents before and after it name these folders. */
  const ran = async (command: string, before: string, after = before) => {
    const about = { tool_name: 'Bash', tool_input: { command }, tool_use_id: `${command} in ${before}` }
    await claude.tell('PreToolUse', { ...about, cwd: before })
    await claude.tell('PostToolUse', { ...about, cwd: after, tool_response: { stdout: '', interrupted: false } })
  }
  return { ...user, claude, checks, ran }
}

test('a command in a worktree that the agent entered after it had written is no check of the session', async (t) => {
  const { cwd, claude, git, ran, checks } = await checkedSession(t)
  await claude.write('src/login.ts', 'answer(401)\n')
  const side = join(cwd, '.worktrees/fix')
  git('worktree', 'add', '-q', '-b', 'fix', side)
  await ran('cd .worktrees/fix', cwd, side)
  await ran('npm test', side)
  await ran(`cd ${side} && npm run test`, cwd, side)
  assert.deepEqual(await checks(), [])
})

test('a command in another repository is no check of the session, also by the rules there', async (t) => {
  const { cwd, ran, checks } = await checkedSession(t)
  const lib = join(cwd, '../lib')
  mkdirSync(lib)
  writeFiles(lib, rules)
  gitIn(lib)('init', '-q')
  await ran(`cd ${lib} && npm test`, cwd, lib)
  await ran('npm test', lib)
  await ran(`CI=1 npm test && cd ${cwd}`, lib, cwd)
  assert.deepEqual(await checks(), [])
})

test('a command in another folder without git is no check of a session without git', async (t) => {
  const user = workplace(t)
  const [here, there] = [join(user.folder, 'here'), join(user.folder, 'there')]
  for (const folder of [here, there]) {
    mkdirSync(folder)
    writeFiles(folder, rules)
  }
  const claude = claudeIn(here, user.env)
  await claude.prompt('Test')
  await claude.tell('PostToolUse', { tool_name: 'Bash', tool_input: { command: 'npm test' }, cwd: there })
  await claude.tell('PostToolUse', { tool_name: 'Bash', tool_input: { command: 'npm t' }, cwd: here })
  await claude.stop()
  await syncAll(user.env)
  const { runId } = await onlyRun(user)
  const { checks } = await (await user.ledger()).listChecks({ runId })
  assert.deepEqual(
    checks.map(({ command }) => command),
    ['npm t'],
  )
})

test('a command that returns to the folder of the session is a check', async (t) => {
  const { cwd, git, ran, checks } = await checkedSession(t)
  const side = join(cwd, '.worktrees/fix')
  git('worktree', 'add', '-q', '-b', 'fix', side)
  await ran(`cd ${cwd} && npm test`, side, cwd)
  assert.deepEqual(await checks(), ['tests'])
})

const parameters = ['dir_path', 'directory', 'workdir', 'working_directory', 'cwd']

test('a tool that runs its command in another folder records no check, and in this one it does', async (t) => {
  const { cwd, env, claude, checks } = await checkedSession(t)
  mkdirSync(join(cwd, 'other'))
  const told = { session_id: claude.session, transcript_path: claude.transcript, hook_event_name: 'PostToolUse', cwd }
  for (const [at, parameter] of parameters.entries()) {
    const input = { command: 'npm test', [parameter]: at % 2 ? 'other' : join(cwd, 'other') }
    const document = { ...told, tool_name: 'Bash', tool_input: input, tool_use_id: `t${at}`, tool_response: {} }
    await hook('claude', document, env)
  }
  assert.deepEqual(await checks(), [])
  const input = { command: 'npm test', directory: cwd }
  await hook('claude', { ...told, tool_name: 'Bash', tool_input: input, tool_use_id: 'here', tool_response: {} }, env)
  assert.deepEqual(await checks(), ['tests'])
})
