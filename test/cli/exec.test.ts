import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertTrueGaps } from '../support/numbered.ts'
import { main } from '../support/program.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { conduct, start } from './program.ts'
import { syncAll } from './session.ts'
import { gitIn, localUser, serverUser, testPlaces } from './user.ts'

testPlaces('a command becomes a run, and its output passes through unchanged', async ({ env, cwd, ledger }) => {
  const script = 'printf "one\\ntwo"; printf "\\0\\377 err\\n" >&2; echo "$CONDUCT_RUN_ID" > id'
  const words = [
    '--spec-id',
    'AUTH-001',
    '--agent',
    'me',
    '--label',
    'team=web',
    '--label',
    'a=b=c',
    '--',
    'sh',
    '-c',
    script,
  ]
  const { code, stdout, stderr } = await conduct(['exec', ...words], env, cwd)
  assert.deepEqual([code, stdout, stderr], [0, 'one\ntwo', '\0\uFFFD err\nconduct exec: recorded as RUN-001\n'])
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.equal(run.status, 'completed')
  assert.equal(run.failure, null)
  assert.equal(run.leaseExpiresAt, null)
  assert.equal(run.title, `sh -c '${script.replaceAll("'", `'\\''`)}'`)
  assert.deepEqual([run.specId, run.agent, run.where], ['AUTH-001', 'me', { host: hostname(), cwd }])
  assert.deepEqual(run.labels, { team: 'web', a: 'b=c' })
  assert.deepEqual([run.command, run.exitCode, run.contentType], [run.title, 0, 'text/x-terminal'])
  assert.ok(run.content.includes('one\n') && run.content.includes('two'), run.content)
  assert.ok(run.content.includes('\uFFFD\uFFFD err\n'), run.content)
  assert.equal(readFileSync(join(cwd, 'id'), 'utf8'), 'RUN-001\n')
})

testPlaces('a command needs the checks that conduct.json requires', async ({ env, cwd, ledger }) => {
  writeFileSync(join(cwd, 'conduct.json'), '{ "project": "default", "checks": { "tests": "npm test" } }')
  const command = `'${process.execPath}' ${main} check exec --name review -- true`
  await conduct(['exec', '--', 'sh', '-c', command], env, cwd)
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.required, run.verdict], [['tests'], 'unchecked'])
})

testPlaces('a command that is that of a rule is a check of its run', async ({ env, cwd, ledger }) => {
  const rules = { tests: 'test -f work', lint: 'true' }
  writeFileSync(join(cwd, 'conduct.json'), JSON.stringify({ project: 'default', checks: rules, required: ['tests'] }))
  for (const words of [
    ['init', '-q'],
    ['add', '.'],
    ['commit', '-qm', 'first'],
  ])
    gitIn(cwd)(...words)
  for (const line of ['test -f work', 'touch work', 'test -f work', 'true']) {
    await conduct(['exec', '--', ...line.split(' ')], env, cwd)
  }
  const client = await ledger()
  const { runs } = await client.listRuns({ order: 'asc' })
  assert.deepEqual(
    runs.map(({ verdict, evidence }) => `${verdict} ${evidence}`),
    ['failing executed', 'unchecked null', 'verified executed', 'unchecked null'],
  )
  const { checks } = await client.listChecks({ order: 'asc' })
  const commit = gitIn(cwd)('rev-parse', 'HEAD')
  assert.deepEqual(
    checks.map((check) => [check.name, check.command, check.exitCode, check.evidence, check.commit === commit]),
    [
      ['tests', rules.tests, 1, 'executed', true],
      ['tests', rules.tests, 0, 'executed', true],
      ['lint', rules.lint, 0, 'executed', true],
    ],
  )
})

test('of a line of commands, a check is what it proves, and none if a signal ended it', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const rules = { tests: 'test -f work', killed: "sh -c 'kill -TERM $$'" }
  writeFileSync(join(cwd, 'conduct.json'), JSON.stringify({ project: 'default', checks: rules, required: ['tests'] }))
  writeFileSync(join(cwd, 'work'), '')
  for (const words of [
    ['init', '-q'],
    ['add', '.'],
    ['commit', '-qm', 'first'],
  ])
    gitIn(cwd)(...words)
  for (const line of ['test -f work && echo a > new', 'test -f work; true', 'kill -TERM $$']) {
    await conduct(['exec', '--', 'sh', '-c', line], env, cwd)
  }
  const client = await ledger()
  const { runs } = await client.listRuns({ order: 'asc' })
  assert.deepEqual(
    runs.map(({ verdict, evidence }) => `${verdict} ${evidence}`),
    ['stale executed', 'unchecked null', 'unchecked null'],
  )
  assert.equal((await client.listChecks()).checks.length, 1)
})

testPlaces('a command that can never be recorded is refused before it runs', async ({ env, cwd, ledger }) => {
  const refused = [
    [['--retry-of', 'RUN-099'], /no run 'RUN-099'/],
    [['--spec-id', 'a b'], /^conduct: --spec-id must be 1 to 128 of .*, not 'a b'$/m],
    [['--label', 'no value'], /name=value/],
    [['--profile', 'nowhere'], /no profile 'nowhere'/],
  ] as const
  await Promise.all(
    refused.map(async ([flags, words]) => {
      const { code, stderr } = await conduct(['exec', ...flags, '--', 'touch', 'done'], env, cwd)
      assert.equal(code, 2, stderr)
      assert.match(stderr, words)
    }),
  )
  assert.ok(!existsSync(join(cwd, 'done')))
  assert.deepEqual((await (await ledger()).listRuns()).runs, [])
  assert.equal((await conduct(['sync'], env)).stdout, 'There is nothing to send.\n')
})

const onUnix = { skip: process.platform === 'win32' }

test('a command can open /dev/stdout and /dev/stderr', onUnix, async (t) => {
  const { env, cwd } = localUser(t)
  const script = 'set -e; echo checking > /dev/stderr; echo one > /dev/stdout; echo two | tee /dev/stderr'
  const { code, stdout, stderr } = await conduct(['exec', '--', 'sh', '-c', script], env, cwd)
  assert.deepEqual([code, stdout, stderr], [0, 'one\ntwo\n', 'checking\ntwo\nconduct exec: recorded as RUN-001\n'])
  const checked = await conduct(['check', 'exec', 'RUN-001', '--', 'sh', '-c', script], env, cwd)
  assert.deepEqual(checked, { code: 0, stdout: 'one\ntwo\n', stderr: 'checking\ntwo\n' })
})

test("the exit code is the command's, and a failed run says what ended the command", async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const failed = await conduct(['exec', '--title', 'Three', '--', 'sh', '-c', 'exit 3'], env, cwd)
  assert.equal(failed.code, 3)
  const killed = await conduct(['exec', '--retry-of', 'RUN-001', '--', 'sh', '-c', 'kill -TERM $$'], env, cwd)
  assert.equal(killed.code, 128 + 15)
  const missing = await conduct(['exec', '--', 'no-such-command'], env, cwd)
  assert.deepEqual(
    [missing.code, missing.stderr],
    [127, "conduct exec: There is no command 'no-such-command'.\nconduct exec: recorded as RUN-003\n"],
  )
  const { runs } = await (await ledger()).listRuns({ order: 'asc' })
  assert.deepEqual(
    runs.map(({ status, failure }) => [status, failure?.code]),
    [
      ['failed', 'EXIT_3'],
      ['failed', 'SIGNAL_SIGTERM'],
      ['failed', 'EXIT_127'],
    ],
  )
  assert.deepEqual(
    runs.map(({ command, exitCode }) => [command, exitCode]),
    [
      ["sh -c 'exit 3'", 3],
      ["sh -c 'kill -TERM $$'", 143],
      ['no-such-command', 127],
    ],
  )
  assert.deepEqual([runs[0]?.title, runs[1]?.retryOf, runs[1]?.attempt], ['Three', 'RUN-001', 2])
  assert.match(runs[2]?.failure?.message ?? '', /no command 'no-such-command'/)
})

testPlaces('a command that cannot be started fails its run or check', async ({ env, cwd, ledger }) => {
  writeFileSync(join(cwd, 'file'), '')
  const commands = [[''], ['./file/below'], ['./file']]
  for (const [at, words] of commands.entries()) {
    const runId = `RUN-00${at + 1}`
    const ran = await conduct(['exec', '--', ...words], env, cwd)
    assert.equal(ran.code, 126, ran.stderr)
    assert.match(ran.stderr, new RegExp(`^conduct exec: '${words[0]}' .*\\nconduct exec: recorded as ${runId}\\n$`))
    const { code, stderr } = await conduct(['check', 'exec', runId, '--', ...words], env, cwd)
    assert.equal(code, 126, stderr)
  }
  const client = await ledger()
  const { runs } = await client.listRuns({})
  assert.deepEqual(new Set(runs.map(({ status, exitCode }) => `${status} ${exitCode}`)), new Set(['failed 126']))
  const { checks } = await client.listChecks({})
  assert.deepEqual(
    checks.map(({ result, exitCode }) => [result, exitCode]),
    commands.map(() => ['fail', 126]),
  )
})

test('times are those of this machine, even if the ledger learns of them later', async (t) => {
  const port = await freePort()
  const user = localUser(t, { CONDUCT_URL: `http://127.0.0.1:${port}/conduct`, CONDUCT_API_KEY: adminKey })
  const { env, cwd, ledger } = user
  const before = Date.now()
  await conduct(['exec', '--', 'sleep', '0.3'], env, cwd)
  const after = Date.now()
  await openServer(t, 'sqlite::memory:', { port })
  await syncAll(env)
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  const [started, ended] = [Date.parse(run.startedAt ?? ''), Date.parse(run.endedAt ?? '')]
  assert.ok(before <= started && started + 300 <= ended && ended <= after, `${run.startedAt} ${run.endedAt}`)
})

test('times of a machine whose clock is behind are those of the server', async (t) => {
  const { env, cwd, ledger } = await serverUser(t)
  const clock = `const { now } = Date
    globalThis.Date = class extends Date {
      constructor(...given) { super(...(given.length > 0 ? given : [now() - 86_400_000])) }
      static now = () => now() - 86_400_000
    }`
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(clock)}`
  const before = Date.now()
  await conduct(['exec', '--', 'sleep', '0.3'], { ...env, NODE_OPTIONS }, cwd)
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  const [started, ended] = [Date.parse(run.startedAt ?? ''), Date.parse(run.endedAt ?? '')]
  assert.ok(
    before <= started && started + 300 <= ended && ended <= Date.now() + 1_000,
    `${run.startedAt} ${run.endedAt}`,
  )
})

test('secrets in title and output are masked, even across batches and streams', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const token = `ghp_${'k7Qw2ZrT9xBn4LsVd8MfYh3JcPg6RaUe5XtH'}`
  // In two writes, in different batches; at the end of a line of 70,000 characters; and across the border of 64 KiB.
  const script = `printf '${token.slice(0, 20)}'; sleep 0.7; echo '${token.slice(20)}'
    head -c 70000 /dev/zero | tr '\\0' x; echo ' ${token}'
    head -c 65515 /dev/zero | tr '\\0' y; printf ' ${token} '; head -c 90000 /dev/zero | tr '\\0' z; echo ' ${adminKey}'`
  const { stdout } = await conduct(['exec', '--title', `by ${token}`, '--', 'sh', '-c', script], env, cwd)
  assert.ok(stdout.includes(`${token}\n`), 'passed through as it is')
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.equal(run.title, 'by [masked]')
  assert.ok(run.command?.includes('[masked]') && !run.command.includes(adminKey), run.command ?? '')
  assert.ok(!/ghp_|sk_admin_01234/.test(run.content), run.content.replace(/x{9,}|y{9,}|z{9,}/g, '…'))
  assert.ok(run.content.includes('zzz') && run.content.length > 220_000)
})

/** A command that prints a file of that many numbered lines, with a pause after each copy. */
function printer(cwd: string, lines: number, copies = 1) {
  const text = Array.from({ length: lines }, (_, n) => `${n} ${'é'.repeat(45)}\n`).join('')
  writeFileSync(join(cwd, 'big.log'), text)
  return { words: ['sh', '-c', 'cat big.log; sleep 1; '.repeat(copies)], whole: text.repeat(copies) }
}

test('of output beyond the limit, the log has the beginning and the end, and says once what is missing between', async (t) => {
  for (const copies of [1, 2]) {
    const { env, cwd, ledger } = localUser(t)
    const { words, whole } = printer(cwd, 24_000 / copies, copies)
    assert.equal((await conduct(['exec', '--', ...words], env, cwd)).code, 0)
    const { gaps, kept } = await assertTrueGaps(await ledger(), 'RUN-001', whole)
    assert.equal(gaps.length, 1)
    assert.ok(Buffer.byteLength(kept) > 900_000, `${kept.length}`)
    assert.match(gaps[0]?.kept ?? '', /\n$/, 'a line is whole')
  }
})

test("of output that fits a local ledger's own limit, nothing is missing, however fast it comes", async (t) => {
  const { env, cwd, ledger } = localUser(t, { CONDUCT_CONTENT_LIMIT: '16000000' })
  const { words, whole } = printer(cwd, 30_000)
  assert.equal((await conduct(['exec', '--', ...words], env, cwd)).code, 0)
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.ok(run.content === whole, `${run.content.length} of ${whole.length} characters`)
})

test('check exec records the command and its result, and exits with its code', async (t) => {
  const { env, cwd, ledger } = await serverUser(t)
  await conduct(['exec', '--', 'true'], env, cwd)
  const passed = await conduct(
    ['check', 'exec', 'RUN-001', '--name', 'tests', '--', 'sh', '-c', 'echo 3 pass'],
    env,
    cwd,
  )
  assert.deepEqual([passed.code, passed.stdout, passed.stderr], [0, '3 pass\n', ''])
  const script = `i=0; while [ $i -lt 9000 ]; do echo "line $i of the output"; i=$((i+1)); done; exit 4`
  const failed = await conduct(['check', 'exec', 'RUN-001', '--agent', 'ci', '--', 'sh', '-c', script], env, cwd)
  assert.equal(failed.code, 4)
  const client = await ledger()
  const { check } = await client.getCheck({ checkId: 'CHECK-001' })
  assert.deepEqual(
    [check.name, check.result, check.exitCode, check.command, check.content, check.contentType, check.commit],
    ['tests', 'pass', 0, "sh -c 'echo 3 pass'", '3 pass\n', 'text/x-terminal', null],
  )
  const { check: other } = await client.getCheck({ checkId: 'CHECK-002' })
  assert.deepEqual([other.name, other.result, other.exitCode, other.agent], ['check', 'fail', 4, 'ci'])
  assert.match(other.content, /^\[[\d,]+ bytes dropped here: [\d,]+ lines\]\n[\s\S]*line 8999 of the output\n$/)
  assert.ok(other.content.length < 132_000)
  assert.deepEqual((await client.getRun({ runId: 'RUN-001' })).run.evidence, 'self')
})

test('a run records the commit where it began, the commit at its end, and all changes, also in new files', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const git = gitIn(cwd)
  git('init', '-q', '-b', 'work')
  git('config', 'user.name', 'Ada')
  git('config', 'user.email', 'ada@example.com')
  git('remote', 'add', 'origin', 'https://user:pass@example.com/acme/shop.git')
  writeFileSync(join(cwd, 'kept'), 'one\ntwo\n')
  writeFileSync(join(cwd, '.gitignore'), 'ignored\n')
  git('add', '.')
  git('commit', '-qm', 'first')
  const base = git('rev-parse', 'HEAD')
  writeFileSync(join(cwd, 'before'), 'was there\n')
  const objects = () =>
    execFileSync('find', ['.git/objects', '-type', 'f'], { cwd, encoding: 'utf8' }).split('\n').length
  const stored = objects()

  await conduct(
    ['exec', '--', 'sh', '-c', 'echo three >> kept; echo a > new; echo b > ignored; echo c >> before'],
    env,
    cwd,
  )
  assert.equal(objects(), stored, 'the repository stays as it was')
  const commit = 'git add kept && git -c user.name=a -c user.email=a@b commit -qm second'
  await conduct(['exec', '--', 'sh', '-c', commit], env, cwd)
  const { runs } = await (await ledger()).listRuns({ order: 'asc' })
  const [first, second] = runs
  const same = { repository: 'https://example.com/acme/shop.git', branch: 'work', base, dirty: true }
  const trees = runs.map((run) => run.git?.tree)
  assert.equal(trees[0], trees[1], 'a commit changes no file')
  const treeOf = (commit: string) => git('rev-parse', `${commit}^{tree}`)
  const changed = { count: 3, paths: ['before', 'kept', 'new'] }
  const began = { commit: base, commitTree: treeOf(base), uncommitted: changed }
  assert.deepEqual(first?.git, { ...same, ...began, tree: trees[0] })
  assert.equal(first?.author, 'Ada <ada@example.com>')
  assert.deepEqual(first?.changes, { files: 3, insertions: 3, deletions: 0 })
  const head = git('rev-parse', 'HEAD')
  const made = { commit: head, commits: [head], commitTree: treeOf(head), uncommitted: { count: 0, paths: [] } }
  assert.deepEqual(second?.git, { ...same, ...made, tree: trees[0], dirty: false })
  assert.deepEqual(second?.changes, { files: 0, insertions: 0, deletions: 0 })
  assert.equal((await (await ledger()).listRuns({ project: ['acme.shop'] })).runs.length, 2)
})

test('what git brings from elsewhere during a command is no change of its run', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const git = gitIn(cwd)
  for (const words of [
    ['init', '-q', '-b', 'main'],
    ['commit', '-q', '--allow-empty', '-m', 'first'],
    ['checkout', '-q', '-b', 'bens'],
  ])
    git(...words)
  writeFileSync(join(cwd, 'bens.txt'), 'one\n')
  git('add', '.')
  git('-c', 'user.name=Ben', '-c', 'user.email=ben@example.com', 'commit', '-qm', 'bens')
  git('checkout', '-q', 'main')
  const bens = git('rev-parse', 'bens')
  await conduct(['exec', '--', 'sh', '-c', 'git merge -q bens; echo a > own.txt'], env, cwd)
  git('reset', '-q', '--hard', 'HEAD~1')
  await conduct(['exec', '--', 'git', 'merge', '-q', 'bens'], env, cwd)
  const client = await ledger()
  const { runs } = await client.listRuns({ order: 'asc' })
  assert.deepEqual(
    runs.map(({ changes, git }) => [changes?.files, changes?.insertions, git?.commit === bens]),
    [
      [1, 1, true],
      [0, 0, true],
    ],
  )
})

test('what a command commits and leaves is no change at its end, and without a reflog all of it is', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const git = gitIn(cwd)
  git('init', '-q', '-b', 'main')
  for (const [name, value] of Object.entries({ 'user.name': 'Ada', 'user.email': 'ada@example.com' })) {
    git('config', name, value)
  }
  git('commit', '-q', '--allow-empty', '-m', 'first')
  const save = 'echo a > a.txt && git add -A && git commit -qm a'
  await conduct(['exec', '--', 'sh', '-c', `git checkout -qb x && ${save} && git checkout -q main`], env, cwd)
  git('config', 'core.logAllRefUpdates', 'false')
  rmSync(join(cwd, '.git/logs'), { recursive: true })
  await conduct(['exec', '--', 'sh', '-c', save], env, cwd)
  const { runs } = await (await ledger()).listRuns({ order: 'asc' })
  assert.deepEqual(
    runs.map(({ changes }) => [changes?.files, changes?.insertions, changes?.deletions]),
    [
      [0, 0, 0],
      [1, 1, 0],
    ],
  )
})

test('a check does not verify what the command committed on a branch that it left', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const git = gitIn(cwd)
  writeFileSync(join(cwd, 'conduct.json'), '{ "project": "default", "checks": { "tests": "true" } }')
  for (const words of [
    ['init', '-q', '-b', 'main'],
    ['add', '.'],
    ['commit', '-qm', 'first'],
  ])
    git(...words)
  const save = (name: string) => `echo a > ${name} && git add . && git -c user.name=a -c user.email=a@b commit -qm a`
  const check = `'${process.execPath}' ${main} check exec "$CONDUCT_RUN_ID" --name tests -- true`
  const line = ['git checkout -qb one', save('one'), 'git checkout -q main', save('two'), check].join(' && ')
  assert.equal((await conduct(['exec', '--', 'sh', '-c', line], env, cwd)).code, 0)
  const [run] = (await (await ledger()).listRuns()).runs
  assert.deepEqual([run?.verdict, run?.git?.uncommitted], ['stale', { count: 1, paths: ['one'] }])
})

test('if nobody can say which files a command leaves, its run does not keep those from before', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const git = gitIn(cwd)
  writeFileSync(join(cwd, 'conduct.json'), '{ "project": "default", "checks": { "tests": "true" } }')
  writeFileSync(join(cwd, 'kept'), 'one\n')
  for (const words of [
    ['init', '-q', '-b', 'work'],
    ['config', 'user.name', 'Ada'],
    ['add', '.'],
    ['commit', '-qm', 'first'],
  ])
    git(...words)
  const base = git('rev-parse', 'HEAD')
  const check = `'${process.execPath}' ${main} check exec "$CONDUCT_RUN_ID" --name tests -- true`
  // Git could not read such a file in time.
  const command = `${check}; echo two > kept; truncate -s 2G large`
  await conduct(['exec', '--', 'sh', '-c', command], env, cwd)
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.git, run.changes], [{ branch: 'work', base, commit: base, uncommitted: null }, null])
  assert.equal(run.verdict, 'stale')
})

test('names in git that are longer than the ledger takes do not stop the command', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const git = gitIn(cwd)
  const branch = `users/${'b'.repeat(120)}/${'ü'.repeat(70)}`
  writeFileSync(join(cwd, 'conduct.json'), '{ "project": "default" }')
  git('init', '-q', '-b', branch)
  git('remote', 'add', 'origin', `https://example.com/${'ü'.repeat(300)}`)
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'first', '--allow-empty')
  const folder = Array.from({ length: 6 }, () => 'd'.repeat(180)).join('/')
  const words = ['exec', '--', 'sh', '-c', `mkdir -p ${folder} && touch ${folder}/long && touch short`]
  const { code, stderr } = await conduct(words, env, cwd)
  assert.deepEqual([code, stderr], [0, 'conduct exec: recorded as RUN-001\n'])
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.equal(run.git?.branch, `users/${'b'.repeat(120)}/${'ü'.repeat(64)}`)
  assert.equal(run.git?.repository, `https://example.com/${'ü'.repeat(246)}`)
  assert.deepEqual(run.git?.uncommitted, { count: 2, paths: ['short'] })
})

test('a signal to conduct exec reaches the command', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const signals = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 } as const
  const ends = Object.entries(signals).map(async ([signal, number]) => {
    const script = `trap 'echo got ${number}; exit 7' ${number}; echo ready; while :; do sleep 0.05; done`
    const { child, ran } = start(['exec', '--', 'sh', '-c', script], env, cwd)
    child.stdout?.once('data', () => child.kill(signal as keyof typeof signals))
    const { code, stdout } = await ran
    assert.deepEqual([code, stdout], [7, `ready\ngot ${number}\n`], signal)
  })
  await Promise.all(ends)
  const { runs } = await (await ledger()).listRuns({})
  assert.deepEqual(new Set(runs.map(({ failure }) => failure?.code)), new Set(['EXIT_7']))
})

test('if the reader of the output stops, the command notices, and the run ends with it', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const { child, ran } = start(['exec', '--', 'yes'], env, cwd)
  child.stdout?.once('data', () => child.stdout?.destroy())
  const { code } = await ran
  assert.ok(code, `${code}`)
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.exitCode], ['failed', code])
})

test('exec does not wait for a process that the command leaves behind', async (t) => {
  const { env, cwd, ledger } = localUser(t)
  const started = performance.now()
  const { code, stdout } = await conduct(['exec', '--', 'sh', '-c', 'sleep 30 & echo done'], env, cwd)
  assert.deepEqual([code, stdout], [0, 'done\n'])
  assert.ok(performance.now() - started < 15_000)
  assert.equal((await (await ledger()).getRun({ runId: 'RUN-001' })).run.content, 'done\n')
})

test('two commands at once become two runs', async (t) => {
  const { env, cwd, ledger } = await serverUser(t)
  const count = `i=0; while [ $i -lt 300 ]; do echo $0 $i; i=$((i+1)); done`
  await Promise.all(
    ['a', 'b'].map((name) => conduct(['exec', '--title', name, '--', 'sh', '-c', count, name], env, cwd)),
  )
  const client = await ledger()
  for (const { runId } of (await client.listRuns({})).runs) {
    const { run } = await client.getRun({ runId })
    const lines = Array.from({ length: 300 }, (_, i) => `${run.title} ${i}\n`).join('')
    assert.equal(run.content, lines)
  }
})
