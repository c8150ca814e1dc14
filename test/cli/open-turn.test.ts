import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newCall } from '../../src/capture/spool/calls.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import { reap } from '../../src/nouns/run/take-lease.ts'
import { openStore } from '../../src/operations/open.ts'
import { olderServer, withoutOpenTurns } from '../support/older.ts'
import { adminKey, openServer } from '../support/server.ts'
import { programOf } from './program.ts'
import { claudeIn, letPass, onlyRun, secret, syncAll, turnsOf, workplace } from './session.ts'
import { type User, writeFiles } from './user.ts'

/** The open turn of the only run, after the next heartbeat. */
async function shown(user: User) {
  letPass(user.env, 5_000)
  await syncAll(user.env)
  return (await onlyRun(user)).turns.open
}

test('within a heartbeat after each hook, the ledger shows what the turn did so far', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt(`Use ${secret} to log in`)
  await syncAll(env)
  const { open } = (await onlyRun(user)).turns
  assert.deepEqual([open?.n, open?.open, open?.prompt], [1, true, 'Use [masked] to log in'])
  assert.ok(open?.startedAt)

  await claude.write('src/login.ts', 'answer(200)\n')
  assert.deepEqual((await shown(user))?.files, [{ path: 'src/login.ts' }])
  await claude.run(`exit 3 # ${secret}`)
  await claude.run('true')
  const { commands = [], tools, seenAt } = (await shown(user)) ?? {}
  assert.deepEqual(
    commands.map(({ command, exitCode }) => [command, exitCode]),
    [
      ['exit 3 # [masked]', 3],
      ['true', 0],
    ],
  )
  const text = await programOf(env, cwd).run('run get RUN-001')
  for (const words of ['turn 1 is open', '> Use [masked] to log in', '- ran `true`: exit 0', '- still open']) {
    assert.ok(text.includes(words), text)
  }
  assert.deepEqual(tools, [
    { name: 'Write', count: 1 },
    { name: 'Bash', count: 2, failed: 1 },
  ])
  const todos = [{ content: `Keep ${secret}`, status: 'in_progress' }]
  await claude.use('TodoWrite', { todos }, () => {})
  const now = await shown(user)
  assert.deepEqual(now?.plan, [{ text: 'Keep [masked]', status: 'in_progress' }])
  assert.ok(seenAt && now?.seenAt && now.seenAt > seenAt)

  await claude.stop()
  assert.equal(await shown(user), undefined)
  const [turn] = await turnsOf(user)
  assert.deepEqual([turn?.open, turn?.answer, turn?.commands?.length], [undefined, 'Done.', 2])
  assert.deepEqual(turn?.files, [{ path: 'src/login.ts', insertions: 1, deletions: 1 }])
})

test('a prompt that interrupts a turn closes it and opens the next', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await claude.run('true')
  await claude.prompt('Two')
  await claude.write('a.ts', '')
  const open = await shown(user)
  assert.deepEqual([open?.n, open?.prompt, open?.commands, open?.files], [2, 'Two', undefined, [{ path: 'a.ts' }]])
  const turns = await turnsOf(user)
  assert.deepEqual(
    turns.map(({ prompt, open }) => [prompt, open]),
    [
      ['One', undefined],
      ['Two', true],
    ],
  )
})

test('without its prompts, a session shows what its turn does', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "record": { "prompts": false } }' })
  const claude = claudeIn(cwd, env)
  await claude.prompt('Use the blue whale')
  await claude.run('true')
  const open = await shown(user)
  assert.deepEqual([open?.n, open?.prompt, open?.commands?.length], [1, undefined, 1])
})

test('a session that is killed keeps what was seen, and closes its turn when it is resumed', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const { prompt, run, session } = claudeIn(cwd, env)
  await prompt('Go')
  await run('true')
  await shown(user)
  // The whole machine is gone. The server notices that nobody renews the lease.
  const store = await openStore(env.CONDUCT_DATABASE_URL ?? '')
  await reap(store.db, new Date(Date.now() + 8 * 3_600_000).toISOString())
  await store.close()
  const lost = await onlyRun(user)
  assert.deepEqual([lost.status, lost.failure?.code], ['failed', 'LEASE_EXPIRED'])
  assert.deepEqual([lost.turns.open?.prompt, lost.turns.open?.commands?.length], ['Go', 1])

  const again = claudeIn(cwd, env, session)
  await again.prompt('Go on')
  const open = await shown(user)
  const resumed = await onlyRun(user)
  assert.deepEqual([resumed.status, resumed.turns.count, resumed.turns.last?.prompt], ['in_progress', 1, 'Go'])
  assert.deepEqual([open?.n, open?.prompt], [2, 'Go on'])
})

test('an opened turn is not sent once its end is', (t) => {
  const { env } = workplace(t)
  const state = stateOf(env)
  t.after(() => state.close())
  const place = { kind: 'local', databaseUrl: 'x', project: 'shop' } as const
  for (const name of ['claude-1', 'claude-2']) state.record({ name, kind: 'hook', place, cwd: '/' })
  const opens = (n: number) => newCall('appendTurn', { n, open: true })
  const turn = (n: number) => newCall('appendTurn', { n })
  const waiting = () => state.unsent().map(({ name, calls }) => [name, calls])
  state.queue('claude-2', opens(1))
  state.queue('claude-1', newCall('createRun', {}), opens(1))
  assert.deepEqual(waiting(), [
    ['claude-2', 1],
    ['claude-1', 2],
  ])
  state.queue('claude-1', turn(1), opens(2), turn(2), opens(3))
  assert.deepEqual(waiting(), [
    ['claude-2', 1],
    ['claude-1', 4],
  ])
})

test('an opened turn that the ledger does not take keeps nothing of the session back', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await syncAll(env)
  const { runId } = await onlyRun(user)
  const state = stateOf(env)
  t.after(() => state.close())
  const name = `claude-${claude.session}`
  const { leaseToken } = state.find(name) ?? {}
  assert.ok(leaseToken)
  // As if this machine had lost what it knew of the session.
  state.queue(name, newCall('appendTurn', { n: 1, open: true, prompt: 'Another' }))
  await syncAll(env)
  assert.equal((await onlyRun(user)).turns.open?.prompt, 'One')
  // Another recorder closes the turn.
  await (await user.ledger()).appendTurn({ runId, leaseToken, prompt: 'Theirs' })
  await claude.run('true')
  assert.equal(await shown(user), undefined)
  await claude.stop()
  await claude.prompt('Two')
  await syncAll(env)
  assert.deepEqual(
    (await turnsOf(user)).map(({ n, prompt, open }) => [n, prompt, open]),
    [
      [1, 'Theirs', undefined],
      [2, 'One', undefined],
      [3, 'Two', true],
    ],
  )
})

test('an older server gets the turns when they end, the activity and the lease', async (t) => {
  const { url } = await olderServer(t, (await openServer(t)).url, withoutOpenTurns)
  const { env, cwd } = workplace(t, { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
  const { run, json } = programOf(env, cwd)
  await run('project create --slug shop')
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await syncAll(env)
  letPass(env, 5_000)
  await claude.tell('PermissionRequest', { tool_name: 'Bash', tool_input: { command: 'deploy' } })
  letPass(env, 5_000)
  await syncAll(env)
  const [{ runId }] = (await json('run list')).runs
  const { activity, leaseExpiresAt, lastSeenAt, turns } = (await json(`run get ${runId}`)).run
  assert.deepEqual([activity.state, Date.parse(leaseExpiresAt) - Date.parse(lastSeenAt)], ['waiting', 7_200_000])
  assert.deepEqual(turns, { count: 0 })
  await claude.stop()
  await syncAll(env)
  assert.equal((await json(`run get ${runId}`)).run.turns.last.answer, 'Done.')
})
