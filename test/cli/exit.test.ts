import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { type Code, ConductError, statusOf } from '../../src/contract/error.ts'
import { exitCodeOf } from '../../src/terminal/exit.ts'
import { main } from '../support/program.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { freshFolder, homeOf } from './folder.ts'
import { programOf } from './program.ts'

test('each error code has an exit code for its kind', () => {
  const wanted: Partial<Record<number, number>> = {
    400: 2,
    401: 3,
    403: 3,
    404: 4,
    409: 5,
    410: 5,
    412: 5,
    422: 2,
    429: 6,
    503: 7,
  }
  for (const [code, status] of Object.entries(statusOf)) {
    assert.equal(exitCodeOf(new ConductError(code as Code, 'x')), wanted[status] ?? 1, code)
  }
  assert.equal(exitCodeOf(new Error('x')), 1)
})

async function withServer(t: TestContext, rateLimit = 0) {
  const folder = freshFolder(t)
  const server = await openServer(t, 'sqlite::memory:', { rateLimit })
  const home = { ...homeOf(folder), CONDUCT_URL: server.url, CONDUCT_API_KEY: adminKey }
  const client = createClient({ url: server.url, key: adminKey })
  return { server, home, folder, client, as: (more: object) => programOf({ ...home, ...more }, folder) }
}

/** Asserts that the command exits with that code, prints nothing, and reports an error that matches `said`. */
async function fails(program: ReturnType<typeof programOf>, words: string, code: number, said: RegExp, input?: string) {
  const ended = await program.all(words, input)
  assert.equal(ended.code, code, `${words}: ${ended.stderr}`)
  assert.match(ended.stderr, said, words)
  assert.equal(ended.stdout, '', words)
}

test('an error about a command, flag, value or file says what would be right, and exits with 2', async (t) => {
  const program = programOf(homeOf(freshFolder(t)))
  await fails(program, 'rnu list', 2, /unknown command 'rnu'\n\(Did you mean run\?\)/)
  await fails(program, 'run lst', 2, /Did you mean list\?/)
  await fails(program, 'run npm test', 2, /To record a command: conduct exec -- npm test/)
  await fails(program, 'run list --statsu failed', 2, /Did you mean --status\?/)
  await fails(program, 'run list --status fialed', 2, /--status.*'fialed'.*pending, in_progress, completed, failed/)
  await fails(program, 'run list --limit 1e1', 2, /--limit.*'1e1'.*whole number/)
  await fails(program, 'run link RUN-001', 2, /missing required argument 'features'/)
  await fails(program, 'check create --run-id RUN-001', 2, /required option '--result <result>'/)
  await fails(program, 'run create nothing.md', 2, /no file nothing\.md.*- for standard input/)
  await fails(program, 'run create /', 2, /\/ is a folder/)
  await fails(program, 'run update RUN-001', 2, /Nothing to change/)
  await fails(program, 'run update RUN-001 --clear title --title x', 2, /both set and cleared/)
  await fails(program, 'run list --profile nowhere', 2, /no profile 'nowhere'\. There are: local/)
  await fails(program, 'run list --all --cursor x', 2, /--all and --cursor exclude each other/)
  await fails(program, 'run list --all-projects --project x', 2, /--all-projects and --project exclude each other/)
})

test('an error of the API names the flag, and in JSON the field', async (t) => {
  const { as } = await withServer(t)
  const program = as({})
  await fails(program, 'run create --failure-code E1 --status failed', 2, /^conduct: --failure-message is required/)
  await fails(program, "run create --run-id 'a b'", 2, /^conduct: --run-id must be 1 to 128 of .*, not 'a b'$/m)
  await fails(program, 'run list --cursor x', 2, /cursor 'x'/)
  const { stderr } = await program.all("run create --run-id 'a b' --json")
  const { code, issues } = JSON.parse(stderr)
  assert.deepEqual([code, issues[0].path], ['VALIDATION_ERROR', 'runId'])
})

test('a file that is not text is refused', async (t) => {
  const folder = freshFolder(t)
  writeFileSync(join(folder, 'x.bin'), Buffer.from([0xff, 0xfe, 0x00]))
  await fails(programOf(homeOf(folder), folder), 'run create x.bin', 2, /x\.bin does not contain UTF-8 text/)
})

test('a conduct.json that is no JSON is refused with the place of the fault', async (t) => {
  const folder = freshFolder(t)
  writeFileSync(join(folder, 'conduct.json'), '{bad')
  await fails(programOf(homeOf(folder), folder), 'run list', 2, /conduct\.json must be .* it is not JSON \(line 1/)
})

test('only a key of Conduct among the arguments is taken for one', async (t) => {
  const folder = freshFolder(t)
  await fails(programOf(homeOf(folder), folder), 'run get sk_live_0123456789', 4, /sk_live_0123456789/)
})

test('a key among the arguments is refused, and not repeated', async (t) => {
  const program = programOf(homeOf(freshFolder(t)))
  for (const words of [`profile add work http://localhost ${adminKey}`, `run list --key=${adminKey}`, adminKey]) {
    const { code, stderr } = await program.all(words)
    assert.equal(code, 2, words)
    assert.match(stderr, /the arguments contain a key \(sk_admin_0123…\)/)
    assert.ok(!stderr.includes(adminKey))
  }
})

test('a missing, a revoked and a weak key exit with 3', async (t) => {
  const { as, client } = await withServer(t)
  await fails(as({ CONDUCT_API_KEY: undefined }), 'run list', 3, /conduct profile add/)
  const { key, secret } = await client.createKey({ name: 'weak', permissions: ['read'] })
  const weak = as({ CONDUCT_API_KEY: secret })
  await fails(weak, 'run create', 3, /^conduct: /)
  await client.revokeKey({ id: key.id })
  await fails(weak, 'run list', 3, /revoked[\s\S]*CONDUCT_API_KEY/)
})

test('a missing item exits with 4; a taken id, an old version and a lease exit with 5', async (t) => {
  const { as, client } = await withServer(t)
  const program = as({})
  await fails(program, 'run get RUN-009', 4, /RUN-009/)
  await client.createRun({ runId: 'R-1', status: 'pending' })
  await fails(program, 'run create --run-id R-1', 5, /R-1/)
  await client.updateRun({ runId: 'R-1', status: 'failed' })
  await fails(
    program,
    'run update R-1 --title x --if-version 1',
    5,
    /If-Match names 1, but the current version is 2 .*: read it again/,
  )
  const changed = await program.json('run update R-1 --title x --if-version 2')
  assert.equal(changed.run.version, 3)
  await client.createRun({ runId: 'R-2', leaseSeconds: 60 })
  await fails(program, 'run delete R-2', 5, /lease/)
})

test('too many requests exit with 6 at once, with the time to wait', async (t) => {
  const { as, client } = await withServer(t, 1)
  await client.me()
  await fails(as({}), 'run list', 6, /Try again in \d+ s\./)
})

test('a server or a database that does not respond exits with 7', async (t) => {
  const port = await freePort()
  const folder = freshFolder(t)
  const dead = { ...homeOf(folder), CONDUCT_URL: `http://127.0.0.1:${port}/conduct`, CONDUCT_API_KEY: adminKey }
  await fails(programOf(dead), 'run list', 7, /No response from http:.*\n.*conduct doctor/)
  const noDatabase = { ...homeOf(folder), CONDUCT_DATABASE_URL: `postgres://u:hidden@127.0.0.1:${port}/x` }
  const { code, stderr } = await programOf(noDatabase).all('run list')
  assert.equal(code, 7, stderr)
  assert.match(stderr, /postgres:\/\/u:…@127.* cannot be opened/)
  assert.ok(!stderr.includes('hidden'))
})

test('options may stand before the command', async (t) => {
  const program = programOf(homeOf(freshFolder(t)))
  assert.equal((await program.json('--project shop run create')).run.project, 'shop')
  await fails(program, '--profile nowhere run list', 2, /no profile 'nowhere'/)
})

test('a full disk for the output is one line, and exits with 1', { skip: !existsSync('/dev/full') }, (t) => {
  const env = homeOf(freshFolder(t))
  const ended = (words: string) =>
    spawnSync('sh', ['-c', `'${process.execPath}' '${main}' ${words} > /dev/full`], {
      env,
      encoding: 'utf8',
      input: '',
    })
  for (const words of ['completion bash', '--version']) {
    const { status, stderr } = ended(words)
    assert.deepEqual(
      [status, stderr],
      [1, 'conduct: Cannot write the output: ENOSPC: no space left on device, write\n'],
    )
  }
  const hook = ended('hook cursor')
  assert.deepEqual([hook.status, hook.stderr], [0, ''])
  const json = ended('status --json')
  assert.equal(json.status, 1)
  assert.match(JSON.parse(json.stderr).error, /Cannot write the output/)
})

test('an import of a file that cannot be read does nothing, whatever is in the database', async (t) => {
  const folder = freshFolder(t)
  const path = join(folder, 'new.db')
  const program = programOf({ ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${path}` }, folder)
  await fails(program, 'import nothing.ndjson', 2, /^conduct: Cannot read nothing\.ndjson: ENOENT/)
  assert.ok(!existsSync(path))
  await program.run('run create')
  await fails(program, 'import nothing.ndjson', 2, /^conduct: Cannot read nothing\.ndjson: ENOENT/)
  await fails(program, `import ${folder} --check`, 2, /^conduct: Cannot read \S+: EISDIR/)
})
