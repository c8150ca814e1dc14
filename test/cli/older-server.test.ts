import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { olderServer } from '../support/older.ts'
import { adminKey, openServer } from '../support/server.ts'
import { programOf } from './program.ts'
import { claudeIn, letPass, syncAll, workplace } from './session.ts'
import { gitIn, remoteUser } from './user.ts'

const waits = /The server runs an older Conduct, which does not know .+: upgrade the server\./

/** A user in a repository whose server answers as version 0.1 until it is upgraded. */
async function userOfOlder(t: TestContext) {
  const { url, upgrade } = await olderServer(t, (await openServer(t)).url)
  const { env, cwd } = remoteUser(t, url)
  const git = gitIn(cwd)
  git('init', '-q')
  git('commit', '-q', '--allow-empty', '-m', 'one')
  return { env, cwd, upgrade, ...programOf(env, cwd) }
}

test('a command runs before a server that is too old to record it, and is recorded after its upgrade', async (t) => {
  const { all, json, upgrade } = await userOfOlder(t)
  const { code, stdout, stderr } = await all("exec -- sh -c 'echo hi; exit 3'")
  assert.deepEqual([code, stdout], [3, 'hi\n'], stderr)
  assert.match(stderr, waits)
  assert.match(stderr, /command, contentType, required, git\.tree/)
  assert.match((await all('status')).stdout, /^unsent: +1 recording waits to be sent/m)
  const again = await all('sync --quiet')
  assert.equal(again.code, 7)
  upgrade()
  assert.equal((await all('sync --quiet')).code, 0)
  const { runs } = await json('run list')
  assert.deepEqual(
    runs.map(({ status, exitCode }: { status: string; exitCode: number }) => [status, exitCode]),
    [['failed', 3]],
  )
})

test('a check waits for the upgrade of the server', async (t) => {
  const { all, run, json, upgrade } = await userOfOlder(t)
  await run('run create --run-id RUN-007 --title x')
  const { code, stderr } = await all('check exec RUN-007 --name tests -- true')
  assert.equal(code, 0)
  assert.match(stderr, waits)
  upgrade()
  await run('sync --quiet')
  const { checks } = await json('check list --run-id RUN-007')
  assert.deepEqual(
    checks.map(({ result }: { result: string }) => result),
    ['pass'],
  )
})

test('a session waits for the upgrade of the server, with its turns', async (t) => {
  const { url, upgrade } = await olderServer(t, (await openServer(t)).url)
  const { env, cwd } = workplace(t, { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
  const { all, run, json } = programOf(env, cwd)
  await run('project create --slug shop')
  const { prompt, stop, end } = claudeIn(cwd, env)
  await prompt('Fix it')
  const prompted = new Date().toISOString()
  await stop()
  await end()
  const waiting = await all('sync')
  assert.equal(waiting.code, 7)
  assert.match(waiting.stdout, waits)
  upgrade()
  await run('sync --quiet')
  const { runs } = await json('run list')
  assert.equal(runs.length, 1)
  assert.ok(runs[0].startedAt <= prompted && prompted < runs[0].createdAt, 'it keeps its times')
  const { turns } = await json(`run turns ${runs[0].runId}`)
  assert.equal(turns[0].prompt, 'Fix it')
})

test('a session that began on an older server renews its lease there, without its activity', async (t) => {
  const { url, upgrade, downgrade } = await olderServer(t, (await openServer(t)).url)
  const { env, cwd } = workplace(t, { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
  const { all, run, json } = programOf(env, cwd)
  await run('project create --slug shop')
  upgrade()
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await syncAll(env)
  const [{ runId }] = (await json('run list')).runs
  const seen = async () => {
    const { lastSeenAt, leaseExpiresAt, activity } = (await json(`run get ${runId}`)).run
    return { lease: Date.parse(leaseExpiresAt) - Date.parse(lastSeenAt), activity }
  }
  assert.equal((await seen()).lease, 600_000)
  downgrade()
  letPass(env, 5_000)
  await claude.tell('PermissionRequest', { tool_name: 'Bash', tool_input: { command: 'deploy' } })
  letPass(env, 1_000)
  await all('sync')
  assert.deepEqual([(await seen()).lease, (await seen()).activity.state], [7_200_000, 'working'])
})

test('a command that the server is too old for says so', async (t) => {
  const { all } = await userOfOlder(t)
  for (const words of ['run turns RUN-001', 'run create --author Ada']) {
    const { stderr } = await all(words)
    assert.match(stderr, /^If the address is right, the server runs an older Conduct than this command: upgrade it\.$/m)
  }
})
