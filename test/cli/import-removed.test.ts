import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { testLedger } from '../support/engines.ts'
import { age, claudeSession, entered, exchange, project } from './past-sessions.ts'

const agent = 'claude-code'

testLedger('an import does not bring back a recorded session whose texts were erased', async (ledger, t) => {
  const { run } = entered(t, ledger)
  await ledger.client.createProject({ slug: project })
  const client = ledger.as({ project })
  await client.createRun({ title: 'Add a greeting', agent, where: { cwd: '/secret', session: claudeSession } })
  await client.erase({ runId: 'RUN-001' })
  assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 0, 'sessions already recorded': 1 })
  const { runs } = await client.listRuns({})
  assert.deepEqual(
    runs.map(({ title, where }) => [title, where]),
    [['[erased]', { cwd: '[erased]', session: claudeSession }]],
  )
})

testLedger('an import does not bring back a session whose texts its project dropped', async (ledger, t) => {
  const { run } = entered(t, ledger)
  await run('claude')
  const client = ledger.as({ project })
  await client.updateProject({ slug: project, retention: { contentDays: 1 } })
  assert.equal((await client.forget({})).erased.runs, 1)
  assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 0, 'sessions imported before': 1 })
  const { runs } = await client.listRuns({})
  assert.deepEqual(
    runs.map(({ title }) => title),
    ['[erased]'],
  )
})

testLedger('an imported session whose texts were erased gets its new turns', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  await run('claude')
  const client = ledger.as({ project })
  await client.erase({ runId: 'RUN-001' })
  appendFileSync(claude, exchange(1, work, 'Once more.').join(''))
  age(claude)
  assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 1, 'sessions imported before': 1 })
  const { turns } = await client.listTurns({ runId: 'RUN-001' })
  assert.deepEqual(
    turns.map(({ prompt }) => prompt?.replace(/^\[\d+ bytes erased]\n/, '[erased]')),
    ['[erased]', 'Once more.'],
  )
})

testLedger('erasing a text erases it in the id of a session too', async (ledger) => {
  const { client } = ledger
  await client.createRun({ agent, where: { session: claudeSession } })
  await client.erase({ text: claudeSession.slice(0, 8) })
  const { run } = await client.getRun({ runId: 'RUN-001' })
  assert.equal(run.where?.session, '[erased]')
  assert.deepEqual((await client.listRuns({ session: claudeSession })).runs, [])
})

testLedger('a session whose run was deleted comes back with the next import', async (ledger, t) => {
  const { run } = entered(t, ledger)
  await run('claude')
  const client = ledger.as({ project })
  for (let times = 0; times < 2; times += 1) {
    const [{ runId = '' } = {}] = (await client.listRuns({})).runs
    await client.deleteRun({ runId })
    const { counts, unplaced } = await run('claude')
    assert.deepEqual([counts, unplaced], [{ sessions: 1, turns: 1 }, []])
    assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 0, 'sessions imported before': 1 })
  }
})
