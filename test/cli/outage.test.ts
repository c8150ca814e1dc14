import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { wakeSync } from '../../src/capture/hook/senders.ts'
import { stateFile, stateOf } from '../../src/capture/spool/state-file.ts'
import { size } from '../proof/size.ts'
import { engines } from '../support/engines.ts'
import { assertTrueGaps } from '../support/numbered.ts'
import { startServer } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { waitingIn } from './folder.ts'
import { conduct, conductHere, type ProgramEnv, start } from './program.ts'
import { untilNobodyRuns } from './session.ts'
import { remoteUser } from './user.ts'

/** A server that the test can kill, and start again at the same address. */
async function server(t: TestContext) {
  const port = String(await freePort())
  const { url: databaseUrl } = await (engines[0] as (typeof engines)[0]).ledger(t)
  return { url: `http://127.0.0.1:${port}/conduct`, start: () => startServer(t, databaseUrl, { CONDUCT_PORT: port }) }
}

const numbered = (to: number) => Array.from({ length: to }, (_, i) => `line ${i}\n`).join('')

/** A script that writes numbered lines up to each of these numbers, and then waits for a file. */
const steps = (...to: number[]) =>
  `i=0; ${to.map((n) => `while [ $i -lt ${n} ]; do echo line $i; i=$((i+1)); done; : > at${n}; while [ ! -e past${n} ]; do sleep 0.05; done;`).join(' ')}`

async function until(path: string) {
  while (!existsSync(path)) await sleep(20)
}

/** Waits until that line waits to be sent: lines are queued in batches, every half second. */
async function queued(env: ProgramEnv, line: string) {
  const db = new DatabaseSync(stateFile(env), { readOnly: true })
  const find = db.prepare('select 1 from calls where instr(input, ?) > 0')
  while (!find.get(`${line}\\n`)) await sleep(20)
  db.close()
}

test('a check that waits is sent before the next one', { timeout: 120_000 }, async (t) => {
  const place = await server(t)
  const first = await place.start()
  const { env, cwd, ledger } = remoteUser(t, place.url)
  const { runId } = (await (await ledger()).createRun({ title: 'run' })).run
  await first.end('SIGKILL')
  const check = (...words: string[]) => conduct(['check', 'exec', runId, '--name', 'tests', '--', ...words], env, cwd)
  assert.match((await check('false')).stderr, /The record is not sent yet/)
  await place.start()
  await check('true')
  const { checks } = await (await ledger()).listChecks({ runId })
  assert.deepEqual(
    checks.map(({ result }) => result),
    ['pass', 'fail'],
  )
})

test('a server that was killed and started again receives every line once, and the real end', {
  timeout: 120_000,
}, async (t) => {
  const place = await server(t)
  const first = await place.start()
  const { env, cwd, ledger } = remoteUser(t, place.url)
  const { child, ran } = start(['exec', '--', 'sh', '-c', steps(100, 250, 300)], env, cwd)
  let told = ''
  child.stderr?.on('data', (piece) => {
    told += piece
  })
  const go = (n: number) => writeFileSync(join(cwd, `past${n}`), '')
  await until(join(cwd, 'at100'))
  await first.end('SIGKILL')
  go(100)
  await until(join(cwd, 'at250'))
  await queued(env, 'line 249')
  while (!told.includes('No response')) await sleep(20)
  await place.start()
  go(250)
  await until(join(cwd, 'at300'))
  go(300)
  const { code, stdout, stderr } = await ran
  assert.deepEqual([code, stdout], [0, numbered(300)])
  assert.match(stderr, /^conduct exec: No response from/)
  await conductHere(['sync'], env)
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.failure, run.content], ['completed', null, numbered(300)])
  assert.equal((await (await ledger()).listRuns({})).runs.length, 1)
})

test('without a server the command runs, and sync sends its recording', async (t) => {
  const place = await server(t)
  const { env, cwd, ledger } = remoteUser(t, place.url)
  const { code, stdout, stderr } = await conduct(
    ['exec', '--', 'sh', '-c', 'echo "run [$CONDUCT_RUN_ID]"; exit 3'],
    { ...env, CONDUCT_RUN_ID: 'RUN-777' },
    cwd,
  )
  assert.deepEqual([code, stdout], [3, 'run []\n'], 'the id of another run is not handed on')
  assert.match(stderr, /No response from .*\n.*The command runs anyway.*\n.*conduct sync sends it/)
  const check = await conductHere(['check', 'exec', 'RUN-001', '--', 'echo', 'fine'], env, cwd)
  assert.deepEqual([check.code, check.stdout], [0, 'fine\n'])

  const waiting = await conductHere(['sync'], env)
  assert.equal(waiting.code, 7)
  assert.match(
    waiting.stdout,
    /^exec-\S+: 3 calls to send, still waiting. No response.*\nexec-\S+ \(RUN-001\): 1 call /,
  )
  assert.deepEqual(await conductHere(['sync', '--quiet'], env), { code: 7, stdout: '', stderr: '' })
  await place.start()
  const sent = await conductHere(['sync'], env)
  assert.equal(sent.code, 0)
  assert.match(sent.stdout, /^exec-\S+ \(RUN-001\): sent 3 calls\.\nexec-\S+ \(RUN-001\): sent 1 call\.\n$/)
  assert.equal((await conductHere(['sync'], env)).stdout, 'There is nothing to send.\n')
  const client = await ledger()
  const { run } = await client.getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.failure?.code, run.content], ['failed', 'EXIT_3', 'run []\n'])
  assert.equal((await client.getCheck({ checkId: 'CHECK-001' })).check.result, 'pass')
})

test('a server that accepts connections and never responds delays the command only briefly', {
  timeout: 60_000,
}, async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const { env, cwd } = remoteUser(t, `http://127.0.0.1:${port}/conduct`)
  const started = performance.now()
  const { code, stdout, stderr } = await conductHere(['exec', '--', 'echo', 'hi'], env, cwd)
  assert.deepEqual([code, stdout], [0, 'hi\n'])
  assert.match(stderr, /The command runs anyway.*\n.*no response within 5 seconds.*\n.*conduct sync sends it/)
  assert.ok(performance.now() - started < 30_000)
  const check = () => conduct(['check', 'exec', 'RUN-001', '--', 'true'], env, cwd)
  await check()
  const next = performance.now()
  await check()
  assert.ok(performance.now() - next < 25_000, 'another check waits')
})

test('a sync in the background sends without further commands', async (t) => {
  const place = await server(t)
  const { env, cwd, ledger } = remoteUser(t, place.url)
  await conductHere(['exec', '--', 'echo', 'hi'], env, cwd)
  await place.start()
  wakeSync(env)
  const state = stateOf(env)
  t.after(() => state.close())
  while (waitingIn(state).length > 0) await sleep(50)
  assert.equal((await (await ledger()).getRun({ runId: 'RUN-001' })).run.status, 'completed')
  untilNobodyRuns(env.HOME)
})

test('sync sends what a killed exec had recorded', async (t) => {
  const place = await server(t)
  const { env, cwd, ledger } = remoteUser(t, place.url)
  const { child, ran } = start(['exec', '--', 'sh', '-c', steps(100)], env, cwd)
  await until(join(cwd, 'at100'))
  await queued(env, 'line 99')
  child.kill('SIGKILL')
  writeFileSync(join(cwd, 'past100'), '')
  await ran
  await place.start()
  // Sync cannot send until the claim of the killed process expires.
  while ((await conductHere(['sync', '--quiet'], env)).code !== 0) await sleep(500)
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.content], ['in_progress', numbered(100)])
})

test('sync reports a refused recording, retries it on request, and can discard it', async (t) => {
  const place = await server(t)
  const { env, cwd, ledger } = remoteUser(t, place.url)
  /** Records a check that the server refuses. */
  const refuse = async () => {
    await conductHere(['check', 'exec', 'RUN-001', '--', 'true'], env, cwd)
    using state = stateOf(env)
    const name = state.unsent().find(({ refused }) => refused === null)?.name ?? ''
    state.update(name, { refused: 'It cannot be.' })
    return name
  }
  const [, again] = [await refuse(), await refuse()]
  assert.equal((await conductHere(['sync', '--quiet'], env)).code, 7)
  await place.start()
  await (await ledger()).createRun({ runId: 'RUN-001' })
  assert.equal((await conductHere(['sync', '--quiet'], env)).code, 7, 'only on request')
  assert.equal((await conductHere(['sync', '--discard', again], env)).stdout, `Discarded ${again}.\n`)
  assert.match((await conductHere(['sync'], env)).stdout, /^exec-\S+ \(RUN-001\): sent 1 call\b/)
  assert.equal((await conductHere(['sync'], env)).stdout, 'There is nothing to send.\n')
  const unknown = await conductHere(['sync', '--discard', again], env)
  assert.deepEqual(
    [unknown.code, unknown.stderr],
    [2, `conduct: There is no recording '${again}': conduct sync lists those that wait.\n`],
  )
})

test('a check of a run that is not there is not kept, since a later run may get its id', async (t) => {
  const place = await server(t)
  await place.start()
  const { env, cwd, ledger } = remoteUser(t, place.url)
  const { code, stderr } = await conductHere(['check', 'exec', 'RUN-001', '--', 'true'], env, cwd)
  assert.deepEqual(
    [code, stderr],
    [0, "conduct check exec: There is no run 'RUN-001' in project 'default'. The check is not recorded.\n"],
  )
  await (await ledger()).createRun({ title: 'Another' })
  assert.equal((await conductHere(['sync'], env)).stdout, 'There is nothing to send.\n')
  assert.deepEqual((await (await ledger()).listChecks({})).checks, [])
})

test('a check of a run that waits on this machine is kept until the run is sent', async (t) => {
  const place = await server(t)
  const { env, cwd, ledger } = remoteUser(t, place.url)
  await conductHere(['exec', '--', 'true'], env, cwd)
  await place.start()
  await conductHere(['check', 'exec', 'RUN-001', '--name', 'tests', '--', 'true'], env, cwd)
  await conductHere(['sync'], env)
  const { checks } = await (await ledger()).listChecks({ runId: 'RUN-001' })
  assert.deepEqual(
    checks.map(({ name }) => name),
    ['tests'],
  )
})

const megabytes = size(16, 50)
/** The number up to which `seq` counts to write that much. */
const last = Math.round(megabytes * 130_000)

for (const isThere of [true, false]) {
  const name = `${megabytes} MB of output leave memory and disk flat, with a server that is ${isThere ? 'there' : 'away'}`
  test(name, { timeout: 180_000 }, async (t) => {
    const place = await server(t)
    if (isThere) await place.start()
    const { env, cwd, ledger } = remoteUser(t, place.url)
    const { child, ran } = start(['exec', '--', 'seq', '1', String(last)], env, cwd)
    // This reader does not buffer; the test measures only the memory of the command.
    child.stdout?.removeAllListeners('data').resume()
    let most = 0
    const timer = setInterval(() => {
      const status = existsSync(`/proc/${child.pid}/status`) ? readFileSync(`/proc/${child.pid}/status`, 'utf8') : ''
      most = Math.max(most, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0))
    }, 50)
    t.after(() => clearInterval(timer))
    const started = performance.now()
    assert.equal((await ran).code, 0)
    t.diagnostic(`${Math.round(performance.now() - started)} ms, at most ${Math.round(most / 1024)} MiB`)
    assert.ok(most / 1024 < 400, `${most / 1024} MiB`)
    const onDisk = statSync(join(env.HOME, '.local/state/conduct/state.db')).size
    assert.ok(onDisk < 6_000_000, `${onDisk} bytes on disk`)
    if (!isThere) {
      await place.start()
      assert.equal((await conduct(['sync'], env)).code, 0)
    }
    const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
    assert.equal(run.status, 'completed')
    const head = Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join('')
    assert.ok(run.content.startsWith(head), 'the head')
    const newest = Array.from({ length: 90_000 }, (_, i) => `${last - 90_000 + i + 1}\n`).join('')
    assert.ok(run.content.endsWith(newest), run.content.slice(-200))
    const whole = Array.from({ length: last }, (_, i) => `${i + 1}\n`).join('')
    const { gaps } = await assertTrueGaps(await ledger(), 'RUN-001', whole)
    assert.equal(gaps.length, 1)
  })
}
