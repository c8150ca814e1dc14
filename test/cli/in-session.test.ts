import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { observe } from '../../src/capture/hook/observe.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import { createClient } from '../../src/client/client.ts'
import { main } from '../support/program.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { conductHere, type ProgramEnv } from './program.ts'
import { claudeIn, syncAll, workplace } from './session.ts'
import { localUser, writeFiles } from './user.ts'

/** A folder in which the hooks of Claude Code have noted the first prompts of these sessions, and not sent them yet. */
async function prompted(t: TestContext, sessions: string[], more: ProgramEnv = {}) {
  const user = workplace(t, more)
  const { env, cwd } = user
  for (const session_id of sessions) {
    const transcript_path = `/projects/shop/${session_id}.jsonl`
    const prompt = `Work of ${session_id}`
    const document = { session_id, transcript_path, cwd, hook_event_name: 'UserPromptSubmit', prompt }
    const input = Readable.from([Buffer.from(JSON.stringify(document))], { objectMode: false })
    await observe('claude', input, env, { wake: () => {} })
  }
  const titled = async (title: string) => {
    const client = await user.ledger()
    const { runs } = await client.listRuns({ order: 'asc' })
    const { runId } = runs.find((run) => run.title === title) ?? assert.fail(`no run ${title}`)
    const { checks } = await client.listChecks({ runId })
    return { run: (await client.getRun({ runId })).run, checks, count: runs.length }
  }
  const of = (session: string) => ({ ...env, CLAUDE_CODE_SESSION_ID: session })
  return { ...user, titled, of }
}

test('a check without a run id belongs to the session that its agent names', async (t) => {
  const { cwd, of, titled, git } = await prompted(t, ['A', 'B'])
  const words = ['check', 'exec', '--name', 'tests', '--', 'sh', '-c', 'echo 3 pass; exit 4']
  const { code, stdout, stderr } = await conductHere(words, of('B'), cwd)
  assert.deepEqual([code, stdout], [4, '3 pass\n'])
  const { run, checks, count } = await titled('Work of B')
  assert.equal(stderr, `conduct check exec: recorded for ${run.runId}, the run of this session\n`)
  const told = checks.map(({ name, result, exitCode, commit }) => ({ name, result, exitCode, commit }))
  assert.deepEqual(told, [{ name: 'tests', result: 'fail', exitCode: 4, commit: git('rev-parse', 'HEAD') }])
  assert.deepEqual([run.verdict, run.evidence, count], ['failing', 'executed', 1], 'the other session is left alone')
  const dashes = await conductHere(['check', 'exec', '--', 'sh', '-c', 'echo "$0" "$@"', '--', 'a'], of('B'), cwd)
  assert.equal(dashes.stdout, '-- a\n')
})

test('after a check in a git hook, the run follows the commit within the turn', async (t) => {
  const { env, cwd, titled, git } = await prompted(t, ['A'])
  writeFiles(cwd, { '.git/hooks/pre-commit': `#!/bin/sh\n'${process.execPath}' ${main} check exec -- true\n` })
  chmodSync(join(cwd, '.git/hooks/pre-commit'), 0o755)
  git('config', 'user.name', 'Ada')
  git('config', 'user.email', 'ada@example.com')
  const claude = claudeIn(cwd, env, 'A')
  await claude.write('work.txt', 'work\n')
  git('add', '-A')
  const work = () => execFileSync('git', ['commit', '-qm', 'work'], { cwd, env, stdio: 'pipe' })
  await claude.use('Bash', { command: 'git commit -qm work' }, work)
  await syncAll(env)
  const { run } = await titled('Work of A')
  assert.deepEqual([run.verdict, run.git?.commit], ['verified', git('rev-parse', 'HEAD')])
})

test('after a check of a session that names its run, the run follows the next edit', async (t) => {
  const { cwd, env, of, titled } = await prompted(t, ['A'])
  await syncAll(env)
  const { run } = await titled('Work of A')
  await conductHere(['check', 'exec', run.runId, '--', 'true'], of('A'), cwd)
  assert.equal((await titled('Work of A')).run.verdict, 'verified')
  await claudeIn(cwd, env, 'A').write('work.txt', 'work\n')
  await syncAll(env)
  assert.equal((await titled('Work of A')).run.verdict, 'stale')
})

test('without a session id, a check belongs to the session of the agent above it, and with several it is refused', async (t) => {
  const { env, cwd, titled } = await prompted(t, ['A'])
  const words = ['check', 'exec', '--', 'touch', 'run-once']
  assert.equal((await conductHere(words, env, cwd)).code, 0)
  assert.equal((await titled('Work of A')).checks.length, 1)
  const state = stateOf(env)
  t.after(() => state.close())
  const { place, agentProcess } = state.find('claude-A') ?? assert.fail()
  state.record({ name: 'codex-B', kind: 'hook', place, cwd, session: 'B', agentProcess })
  state.update('codex-B', { runId: 'RUN-B' })
  const { code, stderr } = await conductHere(['check', 'exec', '--', 'touch', 'never'], env, cwd)
  assert.equal(code, 2)
  assert.match(
    stderr,
    /may belong to RUN-001 or RUN-B, or to a session that hooks do not record\. Name the run.*check exec RUN-001 --/,
  )
  assert.ok(!existsSync(join(cwd, 'never')))
})

test('outside a session, a check belongs to the run that ended on the commit and changed something, if the files are those of the commit', async (t) => {
  const { env, cwd, ledger, git } = await prompted(t, [])
  const client = await ledger()
  const commit = git('rev-parse', 'HEAD')
  const words = ['check', 'exec', '--name', 'ci', '--', 'true']
  const { code, stderr } = await conductHere(words, env, cwd)
  assert.equal(code, 0)
  assert.match(stderr, /No run .* made or ended on commit .* The check is not recorded\.\n$/)
  assert.deepEqual(await conductHere(['sync'], env, cwd), {
    code: 0,
    stdout: 'There is nothing to send.\n',
    stderr: '',
  })
  await client.createRun({ runId: 'OLD', status: 'completed', git: { commit } })
  await client.createRun({ runId: 'NEW', status: 'completed', git: { commit }, changes: { files: 1 } })
  const told = await conductHere(words, env, cwd)
  const found = `recorded for NEW, by commit ${commit.slice(0, 12)}`
  assert.equal(told.stderr, `conduct check exec: ${found}\n`)
  const { checks } = await client.listChecks({ name: 'ci' })
  assert.deepEqual(
    checks.map(({ runId, commit, dirty, tree }) => ({ runId, commit, dirty, tree })),
    [{ runId: 'NEW', commit, dirty: false, tree: git('rev-parse', 'HEAD^{tree}') }],
  )
  assert.equal((await client.getRun({ runId: 'NEW' })).run.verdict, 'verified')
  // The log of a pipeline grows beside the files of the commit; a commit that comes while it runs is not what it saw.
  const saw = async (command: string) => {
    await conductHere(['check', 'exec', 'NEW', '--name', 'ci', '--', 'sh', '-c', command], env, cwd)
    const { checks } = await client.listChecks({ runId: 'NEW' })
    const check = checks.toSorted((a, b) => a.checkId.localeCompare(b.checkId)).at(-1)
    return [check?.dirty, check?.tree === null, check?.commit === commit]
  }
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "npm test" } }\n' })
  git('add', 'conduct.json')
  git('commit', '-qm', 'rules')
  assert.deepEqual(await saw('echo ran >> test.log'), [false, true, false])
  assert.deepEqual(await saw('echo >> src/login.ts; git checkout -q src/login.ts; echo >> test.log'), [
    false,
    true,
    false,
  ])
  assert.deepEqual(
    await saw('git -c user.name=A -c user.email=a@b.c commit -q --allow-empty -m other; echo >> test.log'),
    [null, true, false],
  )
  writeFileSync(join(cwd, 'src/login.ts'), 'answer(200)\n')
  const dirty = await conductHere(['check', 'exec', '--', 'touch', 'never'], env, cwd)
  assert.deepEqual([dirty.code, existsSync(join(cwd, 'never'))], [2, false])
  assert.match(dirty.stderr, /because its files differ from commit [0-9a-f]{12}\. Name the run/)
  const without = await conductHere(['check', 'exec', '--', 'touch', 'never'], { ...env, PATH: join(cwd, 'none') }, cwd)
  assert.equal(without.code, 2)
  assert.match(
    without.stderr,
    /because git cannot read the working tree here \(there is no program git on the PATH\)\./,
  )
})

test('a check without a target or command is refused before anything runs', async (t) => {
  const { env, cwd } = localUser(t)
  const cases: [words: string[], told: RegExp][] = [
    [
      ['--', 'touch', 'never'],
      /neither in a session of this project that hooks record nor inside conduct exec for it.*this folder has no commit.*check exec RUN-001 -- npm test/,
    ],
    [['RUN-001', 'RUN-002', '--', 'touch', 'never'], /Only one run id may come before --; leave out 'RUN-002'/],
    [['RUN-001'], /There is no command to run/],
    [['touch', 'never'], /Put -- before the command: conduct check exec -- touch never/],
    [['RUN-001', '--'], /There is no command to run/],
    [[], /There is no command to run/],
  ]
  for (const [words, told] of cases) {
    const { code, stderr } = await conductHere(['check', 'exec', ...words], env, cwd)
    assert.equal(code, 2, words.join(' '))
    assert.match(stderr, told)
  }
  assert.ok(!existsSync(join(cwd, 'never')))
})

test("a check in a session is sent after the session's start, once the server is back", async (t) => {
  const port = await freePort()
  const more = { CONDUCT_URL: `http://127.0.0.1:${port}/conduct` }
  const { env, cwd, of, titled } = await prompted(t, ['A'], more)
  const keyed = { ...of('A'), CONDUCT_API_KEY: 'sk_admin_none' }
  const { code, stderr } = await conductHere(['check', 'exec', '--', 'true'], keyed, cwd)
  assert.equal(code, 0)
  assert.match(stderr, /It is stored, and conduct sync sends it/)
  await openServer(t, 'sqlite::memory:', { port })
  await createClient({ url: more.CONDUCT_URL, key: adminKey }).createProject({ slug: 'shop' })
  env.CONDUCT_API_KEY = adminKey
  await syncAll(env)
  assert.equal((await titled('Work of A')).checks.length, 1)
})

test("a command in a session is recorded in its run, and gets the run's id", async (t) => {
  const { env, cwd, of, titled } = await prompted(t, ['A'])
  await syncAll(env)
  const script = `printf '\\033[32m%s\\033[0m\\n' "\${CONDUCT_RUN_ID} \\\`\\\`\\\`"; exit 3`
  const { code, stdout, stderr } = await conductHere(['exec', '--', 'sh', '-c', script], of('A'), cwd)
  assert.deepEqual([code, stdout], [3, '\x1b[32mRUN-001 ```\x1b[0m\n'])
  assert.equal(stderr, 'conduct exec: recorded in RUN-001, the run of this session\n')
  const first = await titled('Work of A')
  assert.deepEqual([first.count, first.run.status], [1, 'in_progress'])
  assert.match(first.run.content, /It ended with exit code 3 after \d+m?s\.\n\n````text\nRUN-001 ```\n````\n$/)

  const inner = ['exec', '--', process.execPath, main, 'check', 'exec', '--', 'true']
  await conductHere(inner, { ...of('A'), CLAUDE_CODE_SESSION_ID: '' }, cwd)
  const second = await titled('Work of A')
  assert.deepEqual([second.count, second.checks.length], [1, 1])

  await conductHere(['exec', '--title', 'Apart', '--', 'true'], of('A'), cwd)
  const own = await titled('Apart')
  assert.deepEqual([own.count, own.run.status], [2, 'completed'], 'an option that describes a run asks for one')
})

test('a secret in a command of a session is masked', async (t) => {
  const { cwd, of, titled } = await prompted(t, ['A'])
  const token = `ghp_${'k7Qw2ZrT9xBn4LsVd8Mf'.repeat(2).slice(0, 36)}`
  await conductHere(['exec', '--', 'echo', token], of('A'), cwd)
  const { content } = (await titled('Work of A')).run
  assert.ok(content.includes('[masked]') && !content.includes('ghp_'), content)
})

test('a check that masking makes look like its rule is a claim', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "npm test" } }' })
  await claudeIn(cwd, env, 'A').prompt('Work')
  const line = 'npm test && export NPM_TOKEN=abcd1234efgh; true'
  const words = ['check', 'exec', '--name', 'tests', '--', 'sh', '-c', line]
  assert.equal((await conductHere(words, { ...env, CLAUDE_CODE_SESSION_ID: 'A' }, cwd)).code, 0)
  await syncAll(env)
  const { checks } = await (await user.ledger()).listChecks({})
  const [check, ...others] = checks.map(({ evidence, command }) => [evidence, command])
  assert.deepEqual([check, others], [['self', "sh -c 'npm test && export NPM_TOKEN=[masked] true'"], []])
})

test('in a job of a pipeline, a check of a session or of conduct exec clears the one before', async (t) => {
  const user = workplace(t, { GITHUB_RUN_ID: '4711', GITHUB_JOB: 'agent', GITHUB_RUN_ATTEMPT: '1' })
  const { env, cwd } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "test -e done" } }' })
  const claude = claudeIn(cwd, env, 'A')
  await claude.prompt('Work')
  const words = ['check', 'exec', '--name', 'tests', '--', 'test', '-e', 'done']
  await conductHere(words, { ...env, CLAUDE_CODE_SESSION_ID: 'A' }, cwd)
  await claude.write('done', '')
  await conductHere(words, { ...env, CLAUDE_CODE_SESSION_ID: 'A' }, cwd)
  await claude.end()
  await syncAll(env)
  const check = `'${process.execPath}' '${main}' ${words.join(' ')}`
  await conductHere(['exec', '--', 'sh', '-c', `rm done; ${check}; touch done; ${check}`], env, cwd)
  const { runs } = await (await user.ledger()).listRuns({})
  assert.deepEqual(
    runs.map(({ verdict, evidence }) => [verdict, evidence]),
    [
      ['verified', 'executed'],
      ['verified', 'executed'],
    ],
  )
})

test('in a session that began with unreadable rules, no recorder sees a check', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": 5 }, "required": ["tests"] }' })
  await claudeIn(cwd, env, 'A').prompt('Work')
  const words = ['check', 'exec', '--name', 'tests', '--', 'true']
  assert.equal((await conductHere(words, { ...env, CLAUDE_CODE_SESSION_ID: 'A' }, cwd)).code, 0)
  await syncAll(env)
  const client = await user.ledger()
  assert.deepEqual(
    (await client.listChecks({})).checks.map(({ evidence }) => evidence),
    ['self'],
  )
  assert.equal((await client.listRuns({})).runs[0]?.evidence, 'self')
})
