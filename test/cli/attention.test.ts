import assert from 'node:assert/strict'
import { programOf } from './program.ts'
import { testPlaces } from './user.ts'

testPlaces('what was put off says until when, and a run that needs nothing says so', async ({ env, cwd }) => {
  const { run, all } = programOf(env, cwd)
  await run('run create --run-id A --status failed')
  await run('run create --run-id B --status completed')
  const until = new Date(Date.now() + 36.5 * 3_600_000).toISOString()
  await run(`attention update A --until ${until}`)
  assert.match(await run('attention list --state put-off'), /^RUN +REASON +STATE +UNTIL .*\nA +failed +put-off +in 1d /)
  assert.match(await run('attention list --state put-off --utc'), new RegExp(until))
  await run('attention update A --until 37h')
  assert.match(await run('attention list --state put-off'), /put-off +in 1d /)
  await run('attention update A --clear until')
  assert.doesNotMatch(await run('attention list'), /UNTIL/)
  const { code, stdout, stderr } = await all('attention update B --resolved true')
  assert.deepEqual([code, stdout, stderr], [0, '', 'None of these runs needs attention.\n'])
})

testPlaces('a list says whose run it is and who looks at it', async ({ env, cwd }) => {
  const { run } = programOf(env, cwd)
  await run("run create --run-id A --status failed --author 'Ada <ada@example.com>'")
  await run("attention update A --assignee 'Ben <ben@example.com>'")
  assert.match(await run('attention list'), /AUTHOR +ASSIGNEE .*\n.* Ada +Ben /)
})

testPlaces('all groups are one line each as JSON', async ({ env, cwd }) => {
  const { run } = programOf(env, cwd)
  for (const spec of ['S-1', 'S-2']) await run(`run create --spec-id ${spec} --status failed`)
  const lines = (await run('attention list --group spec --all --json')).trim().split('\n')
  assert.deepEqual(lines.map((line) => JSON.parse(line).key).sort(), ['S-1', 'S-2'])
})

testPlaces('a list of runs says what live ones are doing', async ({ env, cwd }) => {
  const { run } = programOf(env, cwd)
  await run('run create --run-id DONE --status completed')
  assert.doesNotMatch(await run('run list'), /NOW/)
  for (const state of ['working', 'waiting', 'idle']) {
    await run(`run create --run-id ${state} --status in_progress`)
    await run(`run heartbeat ${state} --activity-state ${state} --activity-tool Bash`)
  }
  const rows = (await run('run list')).split('\n').map((line) => line.split(/ {2,}/).slice(0, 3))
  assert.deepEqual(rows.slice(0, 4), [
    ['RUN', 'STATUS', 'NOW'],
    ['idle', 'in_progress', 'idle'],
    ['waiting', 'in_progress', 'waiting: Bash'],
    ['working', 'in_progress', 'working'],
  ])
})
