import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { newCall, type QueuedCall } from '../../src/capture/spool/calls.ts'
import { deliver } from '../../src/capture/spool/deliver.ts'
import type { NewRecording } from '../../src/capture/spool/recordings.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import type { Client } from '../../src/client/client.ts'
import type { Memo } from '../../src/recorder/memo.ts'
import { base, type Ledger, testLedger } from '../support/engines.ts'
import { freshFolder, homeOf } from './folder.ts'

const name = 'claude-1'
const turn = (n: number, prompt = `Prompt ${n}`) => newCall('appendTurn', { n, prompt })

/** Records a session on one machine. `after` runs after each response to a turn, and may throw to lose it. */
function machine(t: TestContext, { as }: Ledger, after = (_times: number) => {}) {
  const state = stateOf(homeOf(freshFolder(t)))
  t.after(() => state.close())
  state.record({
    name,
    kind: 'hook',
    place: { kind: 'server', url: base, profile: undefined, project: undefined },
    cwd: '/',
  })
  const inner = as({})
  let times = 0
  const appendTurn: Client['appendTurn'] = async (...words) => {
    const answer = await inner.appendTurn(...words)
    after(++times)
    return answer
  }
  const client = { ...inner, appendTurn }
  const send = () => deliver(state, name, { connect: async () => ({ client, async [Symbol.asyncDispose]() {} }) })
  const begin = (more = {}) => newCall('createRun', { leaseSeconds: 600, title: 'Go', ...more })
  return { state, send, begin }
}

async function prompts({ client }: Ledger) {
  const { turns } = await client.listTurns({ runId: 'RUN-001' })
  return turns.map(({ prompt }) => prompt)
}

testLedger('each turn arrives once, even if every other response is lost', async (ledger, t) => {
  const { state, send, begin } = machine(t, ledger, (times) => {
    if (times % 2 === 1) throw new Error('The connection is lost.')
  })
  state.queue(name, begin(), turn(1), turn(2), turn(3))
  for (let tries = 0; state.next(name); tries++) {
    await send()
    assert.ok(tries < 10)
  }
  assert.deepEqual(await prompts(ledger), ['Prompt 1', 'Prompt 2', 'Prompt 3'])
})

testLedger('a machine that numbers its turns from 1 again appends them to the others', async (ledger, t) => {
  const { state, send, begin } = machine(t, ledger)
  state.queue(name, begin(), turn(1), turn(2), turn(1, 'Again'), turn(2, 'And again'))
  assert.equal((await send()).outcome, 'sent')
  assert.deepEqual(await prompts(ledger), ['Prompt 1', 'Prompt 2', 'Again', 'And again'])
})

testLedger('a turn that gets another number takes its diffs with it', async (ledger, t) => {
  const { state, send, begin } = machine(t, ledger)
  const diffs = (n: number, path: string) =>
    newCall('addDiffs', { turn: n, diffs: [{ path, change: { status: 'added', patch: '@@ -0,0 +1 @@\n+x\n' } }] })
  state.queue(name, begin(), turn(1), diffs(1, 'a.ts'), turn(1, 'Again'), diffs(1, 'b.ts'))
  assert.equal((await send()).outcome, 'sent')
  assert.deepEqual(await prompts(ledger), ['Prompt 1', 'Again'])
  const { files } = await ledger.client.getDiff({ runId: 'RUN-001' })
  assert.deepEqual(
    files.map(({ path, turn }) => [path, turn]),
    [
      ['a.ts', 1],
      ['b.ts', 2],
    ],
  )
})

testLedger('a turn keeps its number if what is about it cannot get another one', async (ledger, t) => {
  const { state, send, begin } = machine(t, ledger)
  state.queue(name, begin(), turn(1))
  assert.equal((await send()).outcome, 'sent')
  state.queue(name, turn(1, 'Again'))
  const { renumber } = state
  state.renumber = () => {
    throw new Error('Killed.')
  }
  assert.equal((await send()).words, 'Killed.')
  assert.equal(state.next(name)?.input.n, 1)
  state.renumber = renumber
  assert.equal((await send()).outcome, 'sent')
  assert.deepEqual(await prompts(ledger), ['Prompt 1', 'Again'])
})

testLedger('turns that get other numbers keep their diffs apart, however late these are made', async (ledger, t) => {
  const { state, send, begin } = machine(t, ledger)
  const diffs = (n: number, path: string) =>
    newCall('addDiffs', { turn: n, diffs: [{ path, change: { status: 'added', patch: '@@ -0,0 +1 @@\n+x\n' } }] })
  state.queue(name, begin(), turn(1))
  assert.equal((await send()).outcome, 'sent')
  // The machine has lost its count, and its turns wait with their diffs.
  const note = { agent: 'claude', session: '1', cwd: '/', step: { kind: 'turn' } } as const
  const settle = (key: string, n: number, ...calls: QueuedCall[]) => {
    state.note({ ...state.find(name), name } as NewRecording, note, key, true)
    const ids = state.notes(name).map(({ id }) => id)
    assert.ok(state.settle(name, ids, calls, { memo: { n, open: n }, ended: false }, [{ n }]))
  }
  const pay = (...paths: string[]) => {
    for (const [index, owed] of state.owed().entries()) state.pay(owed, (n) => [diffs(n, paths[index] as string)])
  }
  settle('one', 1, turn(1, 'Again'))
  settle('two', 2, turn(2, 'And again'))
  assert.equal((await send()).outcome, 'sent')
  const { n, open } = (state.find(name)?.memo ?? {}) as Memo
  assert.deepEqual([n, open], [3, 3])
  settle('three', 4, turn(4, 'Last'))
  pay('b.ts', 'c.ts', 'd.ts')
  assert.equal((await send()).outcome, 'sent')
  assert.deepEqual(await prompts(ledger), ['Prompt 1', 'Again', 'And again', 'Last'])
  const { files } = await ledger.client.getDiff({ runId: 'RUN-001' })
  assert.deepEqual(
    files.map(({ path, turn }) => [path, turn]),
    [
      ['b.ts', 2],
      ['c.ts', 3],
      ['d.ts', 4],
    ],
  )
})

testLedger(
  'a check and a turn of a session are sent while it holds the lease, and after it has lost it',
  async (ledger, t) => {
    const { state, send, begin } = machine(t, ledger)
    state.queue(name, begin(), newCall('createCheck', { name: 'tests', result: 'pass' }), turn(1))
    assert.equal((await send()).outcome, 'sent')
    await ledger.client.updateRun({
      runId: 'RUN-001',
      status: 'failed',
      failure: { code: 'CANCELLED', message: 'Enough' },
    })
    state.queue(name, turn(2), newCall('updateRun', { status: 'completed' }))
    const { outcome, words } = await send()
    assert.equal(outcome, 'sent')
    assert.match(words ?? '', /The run stays as others left it\./)
    assert.deepEqual(await prompts(ledger), ['Prompt 1', 'Prompt 2'])
    const { run } = await ledger.client.getRun({ runId: 'RUN-001' })
    assert.deepEqual([run.status, run.verdict], ['failed', 'verified'])
  },
)

const iso = (ms: number) => new Date(ms).toISOString()

/** A run of a minute and a half with a turn of a minute, which began at that time, and its end. */
function lasting(from: number) {
  const { operation, input } = turn(1, 'Go')
  const commands = [{ command: 'ls', at: iso(from + 30_000) }]
  return {
    begin: { startedAt: iso(from), leaseSeconds: 86_400 },
    turn: newCall(operation, { ...input, startedAt: iso(from), endedAt: iso(from + 60_000), commands }),
    end: newCall('updateRun', { status: 'completed', endedAt: iso(from + 90_000) }),
  }
}

testLedger(
  'times of a machine that is 3 hours ahead of the server stay as far apart as they are',
  async (ledger, t) => {
    const { state, send, begin } = machine(t, ledger)
    ledger.advance(-3 * 3_600_000)
    const from = Date.now() - 100_000
    const calls = lasting(from)
    state.queue(name, begin(calls.begin))
    assert.equal((await send()).outcome, 'sent')
    // The server is away for so long that it would no longer refuse these times.
    ledger.advance(4 * 3_600_000)
    state.queue(name, calls.turn, calls.end)
    assert.equal((await send()).outcome, 'sent')
    const { run } = await ledger.client.getRun({ runId: 'RUN-001' })
    const { startedAt, endedAt, commands = [] } = run.turns.last ?? {}
    const times = [run.startedAt, startedAt, commands[0]?.at, endedAt, run.endedAt].map((time) => Date.parse(`${time}`))
    assert.deepEqual(
      times.map((time) => time - (times[0] as number)),
      [0, 0, 30_000, 60_000, 90_000],
    )
    assert.ok(Math.abs((times[0] as number) - (from - 3 * 3_600_000)) < 60_000, run.startedAt ?? '')
  },
)

testLedger('a machine whose clock was a day ahead for a while loses no run and no turn', async (ledger, t) => {
  const { state, send, begin } = machine(t, ledger)
  const from = Date.now() + 86_400_000
  const calls = lasting(from)
  state.queue(name, begin(calls.begin), calls.turn, calls.end)
  assert.equal((await send()).outcome, 'sent')
  assert.deepEqual(await prompts(ledger), ['Go'])
  const { run } = await ledger.client.getRun({ runId: 'RUN-001' })
  assert.equal(run.status, 'completed')
  assert.ok(run.startedAt && run.startedAt < iso(from) && run.endedAt && run.endedAt >= run.startedAt)
})

testLedger(
  'a machine that is always 3 hours ahead, and was a day more for a while, loses no run and no turn',
  async (ledger, t) => {
    const { state, send, begin } = machine(t, ledger)
    ledger.advance(-3 * 3_600_000)
    const calls = lasting(Date.now() + 86_400_000)
    state.queue(name, begin(calls.begin), calls.turn, calls.end)
    assert.equal((await send()).outcome, 'sent')
    assert.deepEqual(await prompts(ledger), ['Go'])
    assert.equal((await ledger.client.getRun({ runId: 'RUN-001' })).run.status, 'completed')
  },
)

testLedger(
  'a turn during which the clock was set forward has no times, and the next one has its own',
  async (ledger, t) => {
    const { state, send, begin } = machine(t, ledger)
    const hour = 3_600_000
    const from = Date.now() - 20_000
    state.queue(name, begin({ startedAt: iso(from), leaseSeconds: 86_400 }))
    assert.equal((await send()).outcome, 'sent')
    const set = from + hour
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + hour })
    ledger.advance(-hour)
    const { operation, input } = turn(2)
    const next = newCall(operation, { ...input, startedAt: iso(set + 10_000), endedAt: iso(set + 15_000) })
    const across = { startedAt: iso(from), endedAt: iso(set + 5_000), commands: [{ command: 'ls', at: iso(from) }] }
    state.queue(name, newCall(operation, { ...turn(1).input, ...across }), next)
    assert.equal((await send()).outcome, 'sent')
    const { turns } = await ledger.client.listTurns({ runId: 'RUN-001' })
    const [first, second] = turns.map(({ startedAt, endedAt, commands }) => [startedAt, endedAt, commands?.[0]?.at])
    assert.deepEqual(first, [undefined, undefined, undefined])
    assert.ok(second?.[0] && Math.abs(Date.parse(second[0]) - (from + 10_000)) < 5_000, second?.[0])
  },
)

testLedger(
  'a session that its machine forgot continues its run, or has a new one if that was deleted',
  async (ledger, t) => {
    const begin = (title: string) =>
      newCall('createRun', { leaseSeconds: 600, title, agent: 'codex', where: { session: 's-1' } }, name)
    const record = async (title: string) => {
      const { state, send } = machine(t, ledger)
      state.queue(name, begin(title), turn(1, title), newCall('updateRun', { status: 'completed' }))
      assert.equal((await send()).outcome, 'sent')
    }
    const { client } = ledger
    await record('One')
    // Another agent's session may have the same id.
    await client.createRun({ title: 'Other', agent: 'gemini', where: { session: 's-1' } })
    await record('Two')
    assert.deepEqual(await prompts(ledger), ['One', 'Two'])
    const { run: same } = await client.getRun({ runId: 'RUN-001' })
    assert.deepEqual([same.status, same.title], ['completed', 'One'])
    await client.deleteRun({ runId: 'RUN-001' })
    await record('Three')
    const { runs } = await client.listRuns({})
    assert.deepEqual(
      runs.map(({ title }) => title),
      ['Three', 'Other'],
    )
    const { run } = await client.getRun({ runId: runs[0]?.runId ?? '' })
    assert.deepEqual([run.status, run.turns.count], ['completed', 1])
  },
)
