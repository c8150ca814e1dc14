import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import type { Finding } from '../../src/cli/commands/doctor-folder.ts'
import { createClient } from '../../src/client/client.ts'
import { main } from '../support/program.ts'
import { adminKey } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { freshFolder, homeOf, smallDisk } from './folder.ts'
import { conductHere, type ProgramEnv, programOf } from './program.ts'
import { gitIn, localUser, serverUser } from './user.ts'

/** What status and doctor say and how they end. Neither shows a stack, nor a key that the environment has. */
async function look(env: ProgramEnv) {
  const status = await conductHere(['status'], env)
  const doctor = await conductHere(['doctor', '--json'], env)
  const findings: Finding[] = JSON.parse(doctor.stdout)
  for (const text of [status.stdout, status.stderr, doctor.stdout, doctor.stderr]) {
    assert.doesNotMatch(text, /^ +at .*:\d+/m)
    if (env.CONDUCT_API_KEY) assert.ok(!text.includes(env.CONDUCT_API_KEY.slice(0, 30)), text)
  }
  assert.equal(doctor.code, findings.some(({ state }) => state === 'fail') ? 1 : 0)
  const failed = findings.filter(({ state }) => state === 'fail').map(({ about, told }) => `${about}: ${told}`)
  return { status, failed }
}

const noAddress = 'is the address right, and does it include the base path?'

/** A server that is no Conduct. */
async function otherServer(t: TestContext): Promise<string> {
  const server = createServer((_, response) => response.writeHead(404).end('nothing here')).listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a wrong address is named, with what answers there', async (t) => {
  const { env } = await serverUser(t)
  for (const url of [`${env.CONDUCT_URL}x`, new URL('/', env.CONDUCT_URL).origin, await otherServer(t)]) {
    const { status, failed } = await look({ ...env, CONDUCT_URL: url })
    const words = `${url}: it returned 404, and is not a Conduct server; ${noAddress}`
    assert.deepEqual([status.code, status.stderr], [7, `conduct: ${words}\n`])
    assert.match(status.stdout, new RegExp(`^ledger: +${url} \\(CONDUCT_URL\\)$`, 'm'))
    assert.deepEqual(failed, [`server: ${words}`])
  }
})

test('the address of the page, with its slash at the end, is the address of the server', async (t) => {
  const { env } = await serverUser(t)
  const asOfPage = { ...env, CONDUCT_URL: `${env.CONDUCT_URL}/` }
  const { status, failed } = await look(asOfPage)
  assert.deepEqual([status.code, status.stderr, failed], [0, '', []])
  const { stdout, stderr } = await conductHere(['open', '--print'], asOfPage)
  assert.ok(stdout.startsWith(`${env.CONDUCT_URL}/#code=`), stderr)
})

test('a server that is down, or speaks no TLS, is named', async (t) => {
  const { env } = await serverUser(t)
  const down = `http://127.0.0.1:${await freePort()}/conduct`
  const silent = await look({ ...env, CONDUCT_URL: down })
  assert.equal(silent.status.code, 7)
  assert.match(silent.status.stderr, /^conduct: No response from http:\S+: is the server running there\?$/m)
  assert.match(silent.status.stdout, new RegExp(`^ledger: +${down} \\(CONDUCT_URL\\)$`, 'm'))
  assert.match(silent.failed.join(), /^server: http:\S+: connect ECONNREFUSED/)

  const secure = await look({ ...env, CONDUCT_URL: env.CONDUCT_URL?.replace('http:', 'https:') })
  assert.equal(secure.status.code, 7)
  assert.match(
    secure.status.stderr,
    /No secure connection to https:\S+: ERR_SSL_\w+\. Does the server speak TLS there\?/,
  )
  assert.match(secure.failed.join(), /^server: https:\S+: ERR_SSL_\w+\. Does the server speak TLS there\?$/)
})

test('a missing, wrong or revoked key is named once, with what to do', async (t) => {
  const { env } = await serverUser(t)
  const client = createClient({ url: env.CONDUCT_URL as string, key: adminKey })
  const { key, secret } = await client.createKey({ name: 'old', permissions: ['read'] })
  await client.revokeKey({ id: key.id })
  const advice = 'Set CONDUCT_API_KEY to a valid key, or add one with conduct profile add.'
  const odd = 'CONDUCT_API_KEY has a space, a line break or another character that no key has: copy the key again.'
  const keys: [key: string | undefined, code: number, words: RegExp, advice: string][] = [
    [undefined, 3, /^conduct: Send a key/, advice],
    ['hello', 3, /^conduct: A key is sk_/, advice],
    [`${secret.slice(0, -4)}0000`, 3, /^conduct: /, advice],
    [secret, 3, /^conduct: This key is unknown, revoked or expired/, advice],
    [`${secret}\n${secret}`, 2, /^conduct: CONDUCT_API_KEY has a space/, odd],
    ['schlüssel…', 2, /^conduct: CONDUCT_API_KEY has a space/, odd],
  ]
  for (const [CONDUCT_API_KEY, code, words, last] of keys) {
    const { status, failed } = await look({ ...env, CONDUCT_API_KEY })
    assert.equal(status.code, code, status.stderr)
    assert.match(status.stderr, words)
    assert.match(status.stdout, /^ledger: +http/)
    assert.equal(failed.length, 1, failed.join('\n'))
    assert.match(failed[0] ?? '', /^key: /)
    assert.ok(failed[0]?.endsWith(last), failed[0])
  }
  for (const words of ['exec', 'check exec RUN-001']) {
    const { code, stderr } = await programOf({ ...env, CONDUCT_API_KEY: undefined }).all(`${words} -- true`)
    assert.equal(code, 0)
    assert.ok(stderr.includes(`: Send a key: Authorization: Bearer sk_… ${advice}\n`), stderr)
  }
  const { stdout: whole } = await conductHere(['doctor'], { ...env, CONDUCT_API_KEY: undefined })
  assert.equal(whole.split(advice).length, 2, whole)
  const trailing = await look({ ...env, CONDUCT_API_KEY: `${adminKey}\n` })
  assert.deepEqual([trailing.status.code, trailing.failed], [0, []])
})

test('a database that cannot be opened is named, with the cause', async (t) => {
  const { env } = localUser(t)
  const port = await freePort()
  const url = `postgres://127.0.0.1:${port}/none`
  const away = await look({ ...env, CONDUCT_DATABASE_URL: url })
  assert.equal(away.status.code, 7)
  const cause = `(connect ECONNREFUSED 127.0.0.1:${port})`
  assert.ok(away.status.stderr.startsWith(`conduct: ${url} cannot be opened: `), away.status.stderr)
  for (const text of [away.status.stderr, away.failed.join()]) assert.ok(text.includes(cause), text)
  assert.match(away.failed.join(), /^database: .*\nto use another database, set CONDUCT_DATABASE_URL$/)

  const file = join(env.HOME, 'text.db')
  writeFileSync(file, 'no database'.repeat(2_000), { mode: 0o600 })
  const text = await look({ ...env, CONDUCT_DATABASE_URL: `sqlite:${file}` })
  assert.equal(text.status.code, 7)
  assert.match(text.status.stderr, /^conduct: sqlite:\S+text\.db cannot be opened: file is not a database$/m)
  assert.match(text.failed.join(), /^database: file is not a database/)
})

test('a state folder that cannot be written is named', async (t) => {
  const { env } = localUser(t)
  // The log of a new ledger is not sealed yet, so there would be nothing to remember.
  await conductHere(['verify'], env)
  const file = join(env.HOME, 'file')
  writeFileSync(file, '')
  const { status, failed } = await look({ ...env, XDG_STATE_HOME: file })
  const words = `${file} is not a folder: hooks record nothing, and other records are lost unless they are sent at once`
  assert.deepEqual([status.code, failed], [0, [`state: ${words}`]])
  assert.ok(status.stdout.split('\n').includes(`state:   ${words}`), status.stdout)
})

test('a damaged state file is named once, with what to do', async (t) => {
  for (const damage of ['no database', '']) {
    const { env } = localUser(t)
    const folder = join(env.HOME, '.local/state/conduct')
    const file = join(folder, 'state.db')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (damage === '') mkdirSync(file)
    else writeFileSync(file, damage.repeat(2_000))
    const { status, failed } = await look(env)
    const cause = damage === '' ? 'unable to open database file' : 'file is not a database'
    const words = `${file} cannot be read (${cause}): hooks record nothing, and other records are lost unless they are sent at once. Move it and the files beside it away; the next record creates a new one.`
    assert.deepEqual([status.code, failed], [0, [`state: ${words}`]])
    assert.ok(status.stdout.split('\n').includes(`state:   ${words}`), status.stdout)
    assert.ok(existsSync(file))
  }
})

test('a full disk is named, and the state file on it is not called damaged', async (t) => {
  const home = freshFolder(t)
  const small = smallDisk(t, '512k')
  if (!small) return
  const env = { ...homeOf(home), XDG_STATE_HOME: small }
  stateOf(env).close()
  const filler = join(small, 'filler')
  assert.throws(() => writeFileSync(filler, Buffer.alloc(1_000_000)), { code: 'ENOSPC' })
  const { status, failed } = await look(env)
  const words = `The disk of ${small}/conduct is full: hooks record nothing, and other records are lost unless they are sent at once. Free some space there; what is stored stays, and recording continues.`
  assert.deepEqual([status.code, failed], [0, [`state: ${words}`]])
  assert.ok(status.stdout.split('\n').includes(`state:   ${words}`), status.stdout)
  rmSync(filler)
  assert.deepEqual((await look(env)).failed, [])
})

test('the doctor does not say that an agent was never heard from if it cannot read the state', async (t) => {
  const { env, cwd } = localUser(t)
  await conductHere(['init', '--agents', 'claude'], env, cwd)
  const heard = async () => {
    const findings: Finding[] = JSON.parse((await conductHere(['doctor', '--json'], env, cwd)).stdout)
    assert.ok(findings.some(({ about, state }) => about === 'hooks' && state === 'ok'))
    return findings.filter(({ about }) => about === 'heard').length
  }
  assert.equal(await heard(), 1)
  const folder = join(env.HOME, '.local/state/conduct')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'state.db'), 'no database'.repeat(2_000))
  assert.equal(await heard(), 0)
})

test('in a folder that was deleted, a command says so', (t) => {
  const home = homeOf(freshFolder(t))
  const script = 'mkdir gone && cd gone && rmdir ../gone && "$0" "$1" run list'
  const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, main], { cwd: home.HOME, env: home })
  assert.deepEqual(
    [status, String(stderr)],
    [1, 'conduct: The current folder no longer exists: change to another one.\n'],
  )
})

test('where nothing may be written to the folder for temporary files, commands run and say why', async (t) => {
  const { env, cwd, ledger } = await serverUser(t)
  const git = gitIn(cwd)
  git('init', '--quiet')
  git('commit', '--quiet', '--allow-empty', '--message', 'Begin')
  const { run } = await (await ledger()).createRun({})
  const [file, loop] = [join(cwd, 'a-file'), join(cwd, 'a-loop')]
  writeFileSync(file, '')
  symlinkSync(loop, loop)
  for (const [folder, code] of [
    [file, 'ENOTDIR'],
    [loop, 'ELOOP'],
  ] as const) {
    const program = programOf({ ...env, TMPDIR: folder }, cwd)
    assert.equal((await program.all('exec -- false')).code, 1)
    assert.equal((await program.all(`check exec ${run.runId} --name ${code} -- false`)).code, 1)
    const [newest] = (await (await ledger()).listChecks({})).checks
    assert.deepEqual([newest?.name, newest?.command], [code, 'false'])
    const unknown = await program.all('check exec -- true')
    assert.equal(unknown.code, 2)
    assert.ok(unknown.stderr.includes(`because git cannot read the working tree here (${code}`), unknown.stderr)
    assert.match((await program.all('doctor')).stdout, new RegExp(`^warn +git +.*${code}`, 'm'))
  }
})
