import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import type { Finding } from '../../src/cli/commands/doctor-folder.ts'
import { createClient } from '../../src/client/client.ts'
import { engines } from '../support/engines.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere, type ProgramEnv, programOf } from './program.ts'
import { untilNobodyRuns, workplace } from './session.ts'
import { localUser, writeFiles } from './user.ts'

/** The findings of the doctor by topic, and its exit code. */
async function examine(env: ProgramEnv) {
  const { code, stdout } = await programOf(env).all('doctor --json')
  const findings: Finding[] = JSON.parse(stdout)
  return { code, of: (about: string) => findings.filter((finding) => finding.about === about) }
}

test('on a new machine the doctor and the status find no problem, and create nothing', async (t) => {
  const folder = freshFolder(t)
  const { run, json } = programOf(homeOf(folder))
  const told = await run('doctor')
  assert.match(told, new RegExp(`^ok +node +${process.versions.node.replaceAll('.', '\\.')},`, 'm'))
  assert.match(told, /^note +database +the first run creates it$/m)
  assert.match(await run('status'), /^running: nothing; the first run creates the database$/m)
  assert.equal((await json('status')).running, null)
  assert.ok(!existsSync(join(folder, '.local')))
})

test('a folder that cannot be written is a failure, and named', async (t) => {
  const folder = freshFolder(t)
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const none = await examine({ ...homeOf(folder), XDG_STATE_HOME: file })
  assert.equal(none.code, 1)
  const [state] = none.of('state')
  assert.equal(state?.state, 'fail')
  assert.ok(state?.told.startsWith(`${file} is not a folder: hooks record nothing`), state?.told)
  assert.equal(none.of('database')[0]?.state, 'note')
  const database = await examine({ ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${file}/conduct.db` })
  assert.deepEqual(database.of('database'), [{ about: 'database', state: 'fail', told: `${file} is not a folder` }])
})

test('the doctor does not tell anybody to close a folder that was named as the database', async (t) => {
  const folder = freshFolder(t)
  const { code, of } = await examine({ ...homeOf(folder), CONDUCT_DATABASE_URL: 'sqlite:/tmp' })
  assert.deepEqual([code, of('data')], [1, []])
  assert.match(of('database')[0]?.told ?? '', /^\/tmp is a folder: name a file in it\n/)
})

test('the doctor names what it ignores in conduct.json: a star, and unknown entries', async (t) => {
  const { env, cwd } = workplace(t)
  const checks = { tests: ['npm test*', 'npm test'], lint: 'eslint src/*.js' }
  writeFiles(cwd, { 'conduct.json': JSON.stringify({ project: 'shop', checks, recrod: {} }) })
  const { stdout } = await conductHere(['doctor', '--json'], env, cwd)
  const told = 'In conduct.json, the * of "npm test*" is ignored. Write each command as it is run.'
  const findings = (JSON.parse(stdout) as Finding[]).filter(({ state, told }) => state === 'warn' && /json/.test(told))
  const unknown = 'Conduct ignores "recrod" in conduct.json. It knows "project", "checks", "required" and "record".'
  assert.deepEqual(findings, [
    { about: 'checks', state: 'warn', told },
    { about: 'settings', state: 'warn', told: unknown },
  ])
})

test('the doctor says why git shows nothing of a folder', async (t) => {
  const { env, git, cwd } = workplace(t)
  const about = async (more: ProgramEnv = {}, tries = 2): Promise<Finding[]> => {
    const { stdout } = await conductHere(['doctor', '--json'], { ...env, ...more }, cwd)
    const found = (JSON.parse(stdout) as Finding[]).filter(({ about }) => about === 'git')
    return tries > 1 && found[0]?.told.includes('it takes too long') ? about(more, tries - 1) : found
  }
  assert.deepEqual(await about(), [{ about: 'git', state: 'ok', told: git('rev-parse', '--show-toplevel') }])
  const [foreign] = await about({ GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' })
  assert.equal(foreign?.state, 'ok', 'it runs nothing of a repository that belongs to somebody else')
  const [without] = await about({ PATH: join(cwd, 'none') })
  assert.match(without?.told ?? '', /^git cannot read the working tree here \(there is no program git on the PATH\): /)
  mkdirSync(join(cwd, 'broken'))
  const said = 'git: error while loading shared libraries: libz.so.1: cannot open shared object file'
  writeFileSync(join(cwd, 'broken/git'), `#!/bin/sh\necho '${said}' >&2\nexit 127\n`, { mode: 0o755 })
  const [broken] = await about({ PATH: join(cwd, 'broken') })
  assert.match(broken?.told ?? '', /^git cannot read the working tree here \(git: error while loading shared libraries/)
  writeFiles(cwd, { '.gitattributes': '*.u working-tree-encoding=UTF-16\n', 'x.u': 'abc' })
  const why = /^git cannot read the working tree here \(.*x\.u.*\): runs here have no commits/
  assert.match((await about())[0]?.told ?? '', why)
  rmSync(join(cwd, '.git/HEAD'))
  mkdirSync(join(cwd, '.git/HEAD'))
  assert.match((await about())[0]?.told ?? '', /HEAD is not a regular file/)
  rmSync(join(cwd, '.git'), { recursive: true })
  assert.deepEqual(await about(), [])
})

test('the doctor warns of readable files, unknown settings and unsent recordings', async (t) => {
  const folder = freshFolder(t)
  const env = { ...homeOf(folder), CONDUCT_PROFILE: 'work' }
  await programOf(env).run('run create')
  chmodSync(join(folder, '.local/share/conduct/conduct.db'), 0o644)
  const state = stateOf(env)
  state.record({ name: 'exec-1', kind: 'exec', place: { kind: 'local', databaseUrl: 'x', project: 'x' }, cwd: '/' })
  state.queue('exec-1', { operation: 'createRun', input: {}, key: 'k' })
  state.update('exec-1', { trouble: 'No answer.' })
  state.record({ name: 'exec-2', kind: 'exec', place: { kind: 'local', databaseUrl: 'x', project: 'x' }, cwd: '/' })
  state.queue('exec-2', { operation: 'createCheck', input: {}, key: 'k' })
  state.update('exec-2', { refused: 'There is no run.' })
  state.close()
  mkdirSync(join(folder, '.claude'))
  writeFileSync(
    join(folder, '.claude/settings.json'),
    '{ "hooks": { "Stop": [{ "hooks": [{ "type": "command", "command": "conduct hook claude" }] }] } }',
  )
  const { code, of } = await examine(env)
  assert.equal(code, 0, 'a warning is no failure')
  assert.match(of('data')[0]?.told ?? '', /mode 644: other users can read it; run chmod go=/)
  assert.match(of('settings')[0]?.told ?? '', /^CONDUCT_PROFILE is not a setting/)
  assert.match(
    of('unsent')[0]?.told ?? '',
    /^1 recording waits to be sent; conduct sync sends it\. Last attempt: No answer\.$/,
  )
  const refused = /^1 recording refused; exec-2: There is no run\. To retry: conduct sync\. .*--discard exec-2$/
  assert.match(of('unsent')[1]?.told ?? '', refused)
  assert.match(
    await programOf(env).run('status'),
    /^unsent:\s+1 recording waits to be sent.*\nunsent:\s+1 recording refused/m,
  )
  assert.match(of('hooks')[0]?.told ?? '', /\.claude\/settings\.json/)
  assert.deepEqual(of('database'), [{ about: 'database', state: 'ok', told: 'opens, and has no damage' }])
})

test('the doctor says when it last heard from each agent, and from which it never has', async (t) => {
  const { env, cwd } = localUser(t)
  const json = async () => JSON.parse((await conductHere(['doctor', '--json'], env, cwd)).stdout) as Finding[]
  const told = async (about: string) =>
    (await json()).flatMap((finding) => (finding.about === about ? [`${finding.state} ${finding.told}`] : []))
  assert.deepEqual(await told('hooks'), [
    'note none in this project or your home, where conduct init adds them; a plugin has its own',
  ])
  assert.deepEqual(await told('heard'), [])
  await conductHere(['init', '--agents', 'claude,codex'], env, cwd)
  assert.match(
    (await told('heard')).join('\n'),
    /^note Claude Code: never in the last 30 days\. .*\nnote Codex: never .*\/hooks/,
  )
  const session = { session_id: 's-1', transcript_path: '/projects/shop/s-1.jsonl', prompt_id: 'p', cwd }
  const document = { ...session, hook_event_name: 'UserPromptSubmit', prompt: 'Go' }
  await conductHere(['hook', 'claude'], env, cwd, JSON.stringify(document))
  untilNobodyRuns(env.HOME)
  assert.match((await told('heard')).join('\n'), /^ok Claude Code: (?:\d+s ago|just now|now)\nnote Codex: never/)
  const status = await conductHere(['status'], env, cwd)
  assert.match(status.stdout, /^heard: +Claude Code \S/m)

  const missed = join(env.HOME, '.local/state/conduct/hook-missed.json')
  const keep = (agent: string, at: number) => writeFileSync(missed, JSON.stringify({ agent, at, reason: 'no Node.js' }))
  keep('claude', Date.now() - 3_600_000)
  assert.equal((await told('heard')).length, 2, 'Claude Code was heard since')
  const own = { ...document, agent: 'my-own-agent', session_id: 's-2', prompt_id: 'q' }
  await conductHere(['hook', 'claude'], env, cwd, JSON.stringify(own))
  untilNobodyRuns(env.HOME)
  assert.match((await conductHere(['status'], env, cwd)).stdout, /^heard: .*\bmy-own-agent \S/m)
  keep('codex', Date.now() - 3_600_000)
  assert.match((await told('heard')).at(-1) ?? '', /^warn 1h ago a hook of Codex recorded nothing: no Node\.js$/)
  assert.match((await conductHere(['status'], env, cwd)).stdout, /^missed: +1h ago a hook of Codex recorded nothing/m)
})

test('the doctor says when a plugin last ran, which leaves no hooks in files', async (t) => {
  const { env, cwd } = localUser(t)
  writeFileSync(join(cwd, 'conduct.json'), '{"project":"shop"}')
  const document = { session_id: 's-1', cwd, hook_event_name: 'UserPromptSubmit', prompt: 'Go', agent: 'my-own-agent' }
  await conductHere(['hook', 'claude'], env, cwd, JSON.stringify(document))
  untilNobodyRuns(env.HOME)
  const { stdout } = await conductHere(['doctor'], env, cwd)
  assert.match(stdout, /^note +hooks +none in this project or your home.*\n(?:.*\n)*ok +heard +my-own-agent: /m)
})

test('the doctor says that sessions of Claude Code in a subfolder are not recorded, until they are', async (t) => {
  const { env, cwd } = localUser(t)
  mkdirSync(join(cwd, 'src'))
  const hooks = async (folder: string) =>
    (JSON.parse((await conductHere(['doctor', '--json'], env, folder)).stdout) as Finding[])
      .filter(({ about }) => about === 'hooks')
      .map(({ state, told }) => `${state} ${told}`)
  await conductHere(['init', '--agents', 'claude'], env, cwd)
  assert.match(
    (await hooks(cwd))[1] ?? '',
    /^note Claude Code sessions started in a subfolder are not recorded; .*conduct init --user/,
  )
  assert.match(
    (await hooks(join(cwd, 'src')))[1] ?? '',
    /^warn Claude Code sessions started in this folder are not recorded/,
  )
  await conductHere(['init', '--user', '--agents', 'claude'], env, cwd)
  for (const folder of [cwd, join(cwd, 'src')]) {
    assert.deepEqual(await hooks(folder), [
      `ok ${join(cwd, '.claude/settings.json')}, ${join(env.HOME, '.claude/settings.json')}`,
    ])
  }
})

test('the doctor names entries of another version, until init has updated them', async (t) => {
  const { env, cwd } = localUser(t)
  const entries = async () =>
    (JSON.parse((await conductHere(['doctor', '--json'], env, cwd)).stdout) as Finding[])
      .filter(({ about }) => about === 'entries')
      .map(({ state, told }) => `${state} ${told}`)
  const init = (...words: string[]) =>
    conductHere(['init', '--yes', '--agents', 'claude,codex,gemini', ...words], env, cwd)
  await init()
  await init('--user')
  assert.deepEqual(await entries(), [])
  const old = 'command -v conduct >/dev/null 2>&1 && conduct hook claude || cat >/dev/null'
  const hooks = { Stop: [{ hooks: [{ type: 'command', command: old }] }] }
  const server = { command: 'npx', args: ['-y', 'conduct-ledger@0.1.0', 'mcp'] }
  const files = {
    '.claude/settings.json': JSON.stringify({ hooks }),
    '.mcp.json': JSON.stringify({ mcpServers: { conduct: server } }),
    '.codex/config.toml': '[mcp_servers.conduct]\ncommand = "npx"\nargs = [ "-y", "conduct-ledger@0.1.0", "mcp" ]\n',
  }
  writeFiles(cwd, files)
  writeFiles(env.HOME, { '.claude/settings.json': JSON.stringify({ hooks }) })
  const paths = Object.keys(files).map((path) => join(cwd, path))
  assert.deepEqual(await entries(), [
    `warn different from what this Conduct writes, in ${paths.join(', ')}; to update them: conduct init`,
    `warn different from what this Conduct writes, in ${join(env.HOME, '.claude/settings.json')}; to update them: conduct init --user`,
  ])
  await init()
  await init('--user')
  assert.deepEqual(await entries(), [])
  writeFiles(cwd, { '.mcp.json': '{ "mcpServers": { "conduct": { "command": "other" } } }' })
  assert.deepEqual(await entries(), [], 'a server of somebody else')
})

for (const engine of engines) {
  test(`a database that opens is fine (${engine.name})`, async (t) => {
    const { code, of } = await examine({ ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: await engine.freshUrl(t) })
    // Only the first run creates an SQLite file.
    assert.deepEqual([code, of('database')[0]?.state], [0, engine.name === 'sqlite' ? 'note' : 'ok'])
  })
}

test('a damaged database is a failure', async (t) => {
  const folder = freshFolder(t)
  const env = homeOf(folder)
  await programOf(env).run('spec create -', 'word '.repeat(20_000))
  const path = join(folder, '.local/share/conduct/conduct.db')
  const bytes = readFileSync(path)
  bytes.fill(0xff, bytes.length - 60_000, bytes.length - 20_000)
  writeFileSync(path, bytes)
  const { code, of } = await examine(env)
  assert.deepEqual([code, of('database')[0]?.state], [1, 'fail'])
})

test("the doctor reports a server's version, the key with its expiry, and the project", async (t) => {
  const { url } = await openServer(t)
  const client = createClient({ url, key: adminKey })
  const expiresAt = new Date(Date.now() + 3 * 86_400_000 + 60_000).toISOString()
  const { secret } = await client.createKey({ name: 'short', permissions: ['agent'], expiresAt })
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: secret }
  const { code, of } = await examine(env)
  assert.equal(code, 0)
  assert.match(of('server')[0]?.told ?? '', /runs Conduct \d/)
  assert.deepEqual(
    of('key').map(({ state, told }) => [state, told]),
    [
      ['ok', 'short may agent'],
      ['warn', 'expires in 3d'],
    ],
  )
  const lost = await examine({ ...env, CONDUCT_PROJECT: 'nowhere' })
  assert.deepEqual([lost.code, lost.of('project')[0]?.state], [1, 'fail'])
  await client.createRun({ title: 'Log in', status: 'in_progress', agent: 'ci' })
  const status = await programOf(env).run('status')
  assert.match(
    status,
    /^ledger: +http\S+ \(CONDUCT_URL\)\nproject: default\nkey: +short \(sk_agent_.{4}…\), agent, expires in 3d\n/,
  )
  assert.match(status, /\n\nRUN +STATUS[^\n]*\nRUN-001 +in_progress +/)
})

test('the doctor reports a dead server, another program and a wrong clock', async (t) => {
  const folder = freshFolder(t)
  const at = (url: string) => examine({ ...homeOf(folder), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
  const dead = await at(`http://127.0.0.1:${await freePort()}/conduct`)
  assert.deepEqual([dead.code, dead.of('server')[0]?.state], [1, 'fail'])
  assert.match(dead.of('server')[0]?.told ?? '', /ECONNREFUSED.*is the address right/)
  const other = await at(await answering(t, { name: 'something else' }))
  assert.match(other.of('server')[0]?.told ?? '', /returned 200, and is not a Conduct server/)
  const late = await at(await answering(t, { info: { title: 'Conduct', version: '9.9.9' } }, 90_000))
  assert.match(late.of('server')[0]?.told ?? '', /runs Conduct 9\.9\.9; its clock is (8[5-9]|90) s ahead/)
})

/** A server that returns one answer, and whose clock is ahead. */
async function answering(t: TestContext, answer: unknown, aheadMs = 0): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString())
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
