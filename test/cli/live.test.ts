import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settleNotes } from '../../src/capture/hook/session.ts'
import { sendBeats } from '../../src/capture/spool/beat.ts'
import { reconnect } from '../../src/capture/spool/sender.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import { sync } from '../../src/capture/spool/sync.ts'
import type { Client } from '../../src/client/client.ts'
import type { Place } from '../../src/place/place.ts'
import { programOf } from './program.ts'
import { claudeIn, letPass, onlyRun, secret, syncAll, workplace } from './session.ts'
import { writeFiles } from './user.ts'

test('a run shows the activity of its session, and its lease is short while the agent works', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  using state = stateOf(env)
  const synced = async () => assert.ok(await sync(state, env, { again: true, say: () => {} }))
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await synced()
  const lease = async () => {
    const { leaseExpiresAt, lastSeenAt } = await onlyRun(user)
    return Math.round((Date.parse(leaseExpiresAt ?? '') - Date.parse(lastSeenAt ?? '')) / 1000)
  }
  assert.equal((await onlyRun(user)).activity?.state, 'working')
  assert.equal(await lease(), 600)
  const command = `deploy --token=${secret}`
  await claude.tell('PreToolUse', { tool_name: 'Bash', tool_input: { command }, tool_use_id: '1' })
  await synced()
  assert.equal((await onlyRun(user)).activity?.tool, undefined, 'it was told less than five seconds ago')
  t.mock.timers.tick(5_000)
  await synced()
  const { tool, target } = (await onlyRun(user)).activity ?? {}
  assert.deepEqual([tool, target], ['Bash', 'deploy --token=[masked]'])
  t.mock.timers.tick(5_000)
  await claude.tell('PermissionRequest', { tool_name: 'Bash', tool_input: { command: 'deploy' } })
  await synced()
  assert.equal((await onlyRun(user)).activity?.state, 'working', 'a rule may still answer')
  t.mock.timers.tick(1_000)
  await synced()
  assert.equal((await onlyRun(user)).activity?.state, 'waiting')
  assert.equal(await lease(), 7_200, 'a person may take their time')
  t.mock.timers.tick(5_000)
  await claude.stop()
  await synced()
  assert.equal((await onlyRun(user)).activity?.state, 'idle')
  await claude.end()
  await synced()
  assert.equal((await onlyRun(user)).activity, null)
})

test('one process at a time sends a heartbeat, with the newest activity', (t) => {
  const { env } = workplace(t)
  const state = stateOf(env)
  t.after(() => state.close())
  t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  state.record({
    name: 'claude-1',
    kind: 'hook',
    place: { kind: 'local', databaseUrl: 'x', project: 'shop' },
    cwd: '/',
  })
  state.update('claude-1', { runId: 'RUN-001' })
  const working = (tool: string) => state.heard('claude-1', { state: 'working', tool })
  assert.deepEqual([working('a'), working('b')], [true, false])
  const [beat] = state.beats()
  assert.ok(beat && beat.due <= Date.now())
  assert.equal(state.takeBeat(beat)?.tool, 'b')
  assert.equal(state.takeBeat(beat), undefined, 'another one took it')
  t.mock.timers.tick(1_000)
  assert.deepEqual([working('c'), working('d')], [true, false])
  assert.equal(state.beats()[0]?.due, beat.due + 5_000)
  t.mock.timers.tick(30_000)
  assert.deepEqual([working('e'), working('f')], [true, false], 'whoever was woken first was killed')
  t.mock.timers.setTime(Date.now() - 30 * 86_400_000)
  assert.equal(working('g'), true, 'the clock was ahead')
  assert.equal(state.beats()[0]?.due, Date.now() + 5_000)
  assert.equal(state.heard('claude-1', null), false)
  assert.deepEqual(state.beats(), [])
})

test('after the clock is set back, the next heartbeat is due within five seconds', (t) => {
  const { env } = workplace(t)
  const state = stateOf(env)
  t.after(() => state.close())
  const now = 1_800_000_000_000
  t.mock.timers.enable({ apis: ['Date'], now: now + 3_600_000 })
  const place = { kind: 'local', databaseUrl: 'x', project: 'shop' } as const
  state.record({ name: 'claude-1', kind: 'hook', place, cwd: '/' })
  state.update('claude-1', { runId: 'RUN-001' })
  const working = () => state.heard('claude-1', { state: 'working' })
  const take = () => state.takeBeat(state.beats()[0] ?? assert.fail('no heartbeat is due'))
  working()
  take()
  // One heartbeat was sent, and then another was due, by the wrong clock.
  for (const isDue of [false, true]) {
    if (isDue) working()
    t.mock.timers.setTime(now)
    assert.equal(working(), true)
    assert.ok((state.beats()[0]?.due ?? 0) <= now + 5_000)
    assert.equal(working(), false)
    t.mock.timers.setTime(now + 3_600_000)
    take()
  }
})

test('the end of a session that comes during a heartbeat is sent after it', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await syncAll(env)
  letPass(env, 5_000)
  await claude.tell('PreToolUse', { tool_name: 'Read', tool_input: { file_path: 'a' }, tool_use_id: '1' })
  const [state, other] = [stateOf(env), stateOf(env)]
  t.after(() => {
    state.close()
    other.close()
  })
  let isEnded = false
  const connect = async (place: Place) => {
    const line = await reconnect(place, env)
    const { client } = line
    const heartbeat: Client['heartbeat'] = async (...words) => {
      isEnded = true
      await claude.stop()
      await claude.end()
      assert.equal(await sync(other, env, { again: false, say: () => {} }), false, 'this process is sending')
      return client.heartbeat(...words)
    }
    return { ...line, client: { ...client, heartbeat } }
  }
  await sendBeats(state, { connect, leave: assert.fail, waits: true })
  assert.ok(isEnded)
  assert.equal((await onlyRun(user)).status, 'completed')
})

test('no heartbeat overtakes the end of a turn that cannot be sent now', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await syncAll(env)
  await claude.stop()
  letPass(env, 5_000)
  const state = stateOf(env)
  t.after(() => state.close())
  await settleNotes(state, env, () => {})
  const sent: string[] = []
  const connect = async (place: Place) => {
    const line = await reconnect(place, env)
    const { client } = line
    const appendTurn: Client['appendTurn'] = async () => {
      sent.push('appendTurn')
      throw new Error('The connection is lost.')
    }
    const heartbeat: Client['heartbeat'] = (...words) => {
      sent.push('heartbeat')
      return client.heartbeat(...words)
    }
    return { ...line, client: { ...client, appendTurn, heartbeat } }
  }
  assert.equal(state.beats().length, 1)
  await sendBeats(state, { connect, leave: assert.fail, waits: true })
  assert.deepEqual(sent, ['appendTurn', 'appendTurn'])
})

test('a command that matches a rule of conduct.json is a check of the tree after it', async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  const checks = { tests: 'sh test.sh*', lint: ['true lint'] }
  writeFiles(cwd, {
    'conduct.json': JSON.stringify({ project: 'shop', checks }),
    'test.sh': 'grep -q 401 src/login.ts\n',
  })
  git('add', '-A')
  git('commit', '-q', '-m', 'rules')
  const claude = claudeIn(cwd, env)
  const told = async () => {
    await syncAll(env)
    const { runId, verdict, evidence } = await onlyRun(user)
    const { checks } = await (await user.ledger()).listChecks({ runId })
    const all = checks.map(({ name, result, exitCode, command }) => [name, result, exitCode, command])
    return { verdict, evidence, checks: all.sort() }
  }
  await claude.prompt('Go')
  await claude.run('sh test.sh')
  const failed = ['tests', 'fail', 1, 'sh test.sh']
  assert.deepEqual(await told(), { verdict: 'failing', evidence: 'executed', checks: [failed] })
  await claude.run('sh test.sh | cat')
  await claude.write('src/login.ts', 'answer(401)\n')
  await claude.run('true lint')
  await claude.run('sh test.sh')
  await claude.stop()
  const passed = [['lint', 'pass', 0, 'true lint'], failed, ['tests', 'pass', 0, 'sh test.sh']]
  const verified = { verdict: 'verified', evidence: 'executed', checks: passed }
  assert.deepEqual(await told(), verified)
  await claude.prompt('Commit it')
  await claude.run('git commit -q -a -m fixed')
  await claude.stop()
  assert.deepEqual(await told(), verified, 'the very tree that was tested')
  await claude.prompt('One thing more')
  await claude.write('src/login.ts', 'answer(401, again)\n')
  await claude.stop()
  assert.equal((await told()).verdict, 'stale')
})

test('a wrong rule in conduct.json loses nothing of the session', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": 7 } }' })
  await claude.run('true')
  await claude.stop()
  await syncAll(env)
  assert.deepEqual((await onlyRun(user)).turns.last?.tools, [{ name: 'Bash', count: 1 }])
  const { code, stdout } = await programOf(env, cwd).all('doctor')
  assert.equal(code, 1)
  assert.match(stdout, /^fail +settings +\S+conduct\.json: "checks": "tests" must be a command .*, not 7$/m)
})

test('a session that a mistyped conduct.json keeps back is reported, and sent once that is corrected', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const { all, run } = programOf(env, cwd)
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "record": { "answer": false } }' })
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await claude.stop()
  const fault = /\/conduct\.json: "record" must have "answers", "prompts" or "changes", not "answer"/
  const synced = await all('sync')
  assert.equal(synced.code, 7)
  assert.match(synced.stdout, fault)
  assert.doesNotMatch(synced.stdout, /nothing to send/)
  const told = await all('doctor')
  assert.equal(told.code, 1)
  assert.match(told.stdout, new RegExp(`^fail +settings +\\S+${fault.source}$`, 'm'))
  assert.match(told.stdout, new RegExp(`^warn +unsent +1 recording waits .*Last attempt: \\S+${fault.source}$`, 'm'))
  assert.match(await run('status'), new RegExp(`^unsent: +1 recording waits .*${fault.source}$`, 'm'))
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "record": { "answers": false } }' })
  await syncAll(env)
  assert.equal((await onlyRun(user)).turns.count, 1)
  assert.match(await run('doctor'), /^ok +unsent +there is nothing to send$/m)
  assert.equal(await run('sync'), 'There is nothing to send.\n')
})
