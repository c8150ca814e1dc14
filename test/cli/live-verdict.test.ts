import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { main } from '../support/program.ts'
import { openServer } from '../support/server.ts'
import { conductHere } from './program.ts'
import { claudeIn, onlyRun, syncAll, workplace } from './session.ts'
import { gitIn, localUser, remoteUser, writeFiles } from './user.ts'

/** A workplace whose command `true` is the check `tests`, in which a session has begun. */
async function checkedWorkplace(t: Parameters<typeof workplace>[0]) {
  const user = workplace(t)
  const { cwd, env, git } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "true*" } }\n' })
  git('commit', '-qam', 'checks')
  const claude = claudeIn(cwd, env)
  await claude.prompt('Fix the login')
  const run = async () => {
    await syncAll(env)
    return onlyRun(user)
  }
  const verdict = async () => (await run()).verdict
  return { ...user, claude, run, verdict }
}

test('during a turn, the verdict is on the files as they are, not as they were when the turn began', async (t) => {
  const { claude, verdict } = await checkedWorkplace(t)
  await claude.write('src/login.ts', 'answer(401)\n')
  assert.equal(await verdict(), 'unchecked')
  await claude.run('true')
  assert.equal(await verdict(), 'verified')
  await claude.write('src/login.ts', 'answer(403)\n')
  assert.equal(await verdict(), 'stale')
  await claude.run('true')
  assert.equal(await verdict(), 'verified')
  await claude.run('echo >> src/login.ts')
  assert.equal(await verdict(), 'stale')
  await claude.run('true')
  await claude.stop()
  assert.equal(await verdict(), 'verified')
})

test('a check that the agent itself records also tells the files that it tested', async (t) => {
  const { claude, env, cwd, verdict } = await checkedWorkplace(t)
  await claude.write('src/login.ts', 'answer(401)\n')
  await syncAll(env)
  const command = 'conduct check exec --name tests -- true'
  await claude.tell('PreToolUse', { tool_name: 'Bash', tool_input: { command }, tool_use_id: 'own' })
  const words = ['check', 'exec', '--name', 'tests', '--', 'true']
  assert.equal((await conductHere(words, { ...env, CLAUDE_CODE_SESSION_ID: claude.session }, cwd)).code, 0)
  await claude.tell('PostToolUse', {
    tool_name: 'Bash',
    tool_input: { command },
    tool_use_id: 'own',
    tool_response: {},
  })
  assert.equal(await verdict(), 'verified')
  await claude.write('src/login.ts', 'answer(403)\n')
  assert.equal(await verdict(), 'stale')
})

test('the commits of earlier turns stay when a check tells the files', async (t) => {
  const { claude, git, run } = await checkedWorkplace(t)
  const base = git('rev-parse', 'HEAD')
  await claude.write('src/login.ts', 'answer(401)\n')
  await claude.run('git commit -qam login')
  await claude.stop()
  const commit = git('rev-parse', 'HEAD')
  assert.deepEqual((await run()).git?.commits, [commit])
  await claude.prompt('Now the logout')
  await claude.write('src/login.ts', 'answer(403)\n')
  await claude.run('true')
  const live = await run()
  assert.deepEqual([live.verdict, live.git?.base, live.git?.commits], ['verified', base, [commit]])
  await claude.stop()
  assert.deepEqual((await run()).git?.commits, [commit])
})

test('a session without checks tells its files only at the ends of its turns', async (t) => {
  const { claude, run } = await checkedWorkplace(t)
  const before = await run()
  await claude.write('src/login.ts', 'answer(401)\n')
  await claude.run('echo >> src/login.ts')
  const after = await run()
  assert.deepEqual([after.version, after.git?.tree], [before.version, before.git?.tree])
})

test('a check inside conduct exec is on the files as they are, not as they were when the command began', async (t) => {
  const { cwd, env, ledger } = localUser(t)
  const git = gitIn(cwd)
  git('init', '-q')
  writeFiles(cwd, { file: 'one\n', '.gitignore': 'seen.json\n' })
  git('add', '.')
  git('commit', '-qm', 'first')
  const conductLine = `"${process.execPath}" "${main}"`
  const check = `echo two > file; ${conductLine} check exec -- true; ${conductLine} run get RUN-001 --json > seen.json`
  const { code, stderr } = await conductHere(['exec', '--', 'sh', '-c', `${check}; echo three > file`], env, cwd)
  assert.equal(code, 0, stderr)
  const { run: during } = JSON.parse(readFileSync(join(cwd, 'seen.json'), 'utf8'))
  const { run: after } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.deepEqual([during.status, during.verdict, after.verdict], ['in_progress', 'verified', 'stale'])
  assert.equal(during.git.base, after.git?.base)
})

test('a check inside conduct exec is stored before it asks for the run', async (t) => {
  const { url } = await openServer(t)
  // Kills the check when it asks for the run, which it does to tell its files.
  const between = createServer((incoming, response) => {
    const isAsking = incoming.method === 'GET' && incoming.url === '/v1/runs/RUN-001'
    if (isAsking) return process.kill(Number(readFileSync(join(cwd, 'pid'), 'utf8')), 'SIGKILL')
    const { method, headers } = incoming
    const onward = request(url + incoming.url, { method, headers }, (answer) =>
      answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)),
    )
    return incoming.pipe(onward)
  })
  await once(between.listen(0, '127.0.0.1'), 'listening')
  t.after(() => between.close().closeAllConnections())
  const { port } = between.address() as AddressInfo
  const { cwd, env, ledger } = remoteUser(t, `http://127.0.0.1:${port}`)
  const git = gitIn(cwd)
  git('init', '-q')
  writeFiles(cwd, { file: 'one\n', '.gitignore': 'pid\n' })
  git('add', '.')
  git('commit', '-qm', 'first')
  const check = `"${process.execPath}" "${main}" check exec --name tests -- sh -c 'echo $PPID > pid'`
  const { code, stderr } = await conductHere(['exec', '--', 'sh', '-c', `echo two > file; ${check}`], env, cwd)
  assert.equal(code, 128 + 9, stderr)
  await syncAll(env)
  const { checks } = await (await ledger()).listChecks({ runId: 'RUN-001' })
  const [found, ...others] = checks.map(({ name, result }) => `${name}: ${result}`)
  assert.deepEqual([found, others], ['tests: pass', []])
})
