import assert from 'node:assert/strict'
import { appendFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { claudeSessions, type FoundSession } from '../../src/cli/import/find.ts'
import { createReporter } from '../../src/cli/import/report.ts'
import { importSession } from '../../src/cli/import/session.ts'
import { claudeMoments } from '../../src/recorder/agents/claude/transcript.ts'
import { testLedger } from '../support/engines.ts'
import { age, claudeSession, entered, exchange, project, write } from './past-sessions.ts'
import { conductHere } from './program.ts'
import { claudeIn } from './session.ts'

testLedger('an import turns sessions into runs with turns at their own times, once', async (ledger, t) => {
  const { run } = entered(t, ledger)
  const client = ledger.as({ project })
  assert.deepEqual((await run('claude', '--dry-run')).counts, { sessions: 1, turns: 1 })
  assert.deepEqual((await ledger.client.listRuns({})).runs, [])
  for (const agent of ['claude', 'codex']) {
    assert.deepEqual(await run(agent), {
      ...{ dryRun: false, counts: { sessions: 1, turns: 1 } },
      ...{ unplaced: [], more: 0, contradictions: [], moreContradictions: 0 },
    })
    assert.deepEqual((await run(agent)).counts, { sessions: 0, turns: 0, 'sessions imported before': 1 })
  }
  const [codex, claude] = (await client.listRuns({})).runs.sort((a, b) =>
    (a.agent as string) < (b.agent as string) ? 1 : -1,
  )
  assert.equal(codex?.agentVersion, '0.169.0')
  assert.equal(claude?.title, 'Add a greeting to the demo')
  assert.equal(claude?.createdAt, '2026-11-24T23:52:46.153Z')
  assert.equal(claude?.endedAt, '2026-11-24T23:52:52.518Z')
  assert.deepEqual([claude?.status, codex?.status], ['completed', 'completed'])
  assert.deepEqual([claude?.usage?.costUsd, claude?.usage?.costSource], [0.038985, 'reported'])
  assert.deepEqual([codex?.usage?.inputTokens, codex?.usage?.outputTokens], [33_835, 214])
  const { events } = await client.listEvents({ limit: 100 })
  assert.ok(events.some(({ type, imported }) => type === 'run.created' && imported))
})

testLedger('an imported turn has what hooks would have reported', async (ledger, t) => {
  const { run } = entered(t, ledger)
  await run('claude')
  await run('codex')
  const client = ledger.as({ project })
  const turns = await Promise.all(
    ['claude-code', 'codex'].map(async (agent) => {
      const [one] = (await client.listRuns({ agent })).runs
      return (await client.getTurn({ runId: one?.runId as string, n: 1 })).turn
    }),
  )
  const [claude, codex] = turns
  for (const turn of turns) {
    assert.equal(turn.prompt, 'Add a greeting to the demo\nand run its tests.')
    assert.equal(turn.answer, 'Done: the demo greets now.\n\nAll tests but one pass.')
    assert.deepEqual(turn.files, [{ path: 'src/app.js' }, { path: 'src/greet.js' }])
    const ran = turn.commands?.slice(-2).map(({ command, exitCode }) => [command, exitCode])
    assert.deepEqual(ran, [
      ['echo out; echo err >&2; node src/app.js', 0],
      ['echo broken >&2; exit 3', 3],
    ])
  }
  assert.deepEqual(claude?.tools, [
    ...['TaskCreate', 'Read', 'Edit', 'Write'].map((name) => ({ name, count: 1 })),
    { name: 'Bash', count: 2, failed: 1 },
  ])
  assert.deepEqual(codex?.tools, [
    { name: 'Bash', count: 3, failed: 1 },
    { name: 'apply_patch', count: 2 },
  ])
})

/** A prompt and its answer, as Claude Code writes them. */

testLedger('importing a session again adds its new turns, with secrets masked', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  await run('claude')
  const secret = `ghp_${'a1B2'.repeat(9)}`
  appendFileSync(claude, exchange(1, work, `The token is ${secret}.`).join(''))
  age(claude)
  assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 1, 'sessions imported before': 1 })
  const client = ledger.as({ project })
  const { turns } = await client.listTurns({ runId: 'RUN-001' })
  assert.deepEqual(
    turns.map(({ answer }) => answer?.slice(0, 9)),
    ['Done: the', 'Answer 1.'],
  )
  assert.equal(turns[1]?.prompt, 'The token is [masked].')
  assert.equal((await client.getRun({ runId: 'RUN-001' })).run.endedAt, '2026-11-25T00:00:01.500Z')
})

testLedger(
  'a session that hooks recorded while the ledger was away is not imported beside its run',
  async (ledger, t) => {
    const { run, env, work } = entered(t, ledger)
    const { prompt, stop } = claudeIn(work, env, claudeSession)
    await prompt('Add a greeting to the demo')
    await stop()
    const report = await run('claude')
    assert.deepEqual(report.counts, { sessions: 0, turns: 0 })
    assert.match(report.unplaced[0]?.reason, /not sent yet: conduct sync/)
    assert.equal((await conductHere(['sync'], env, work)).code, 0)
    assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 0, 'sessions already recorded': 1 })
    assert.equal((await ledger.as({ project }).listRuns({})).runs.length, 1)
  },
)

testLedger('an unfinished turn is not imported until its transcript stops changing', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  write(claude, [...exchange(1, work, 'One'), ...exchange(2, work, 'Two').slice(0, 1)].join(''))
  utimesSync(claude, new Date(), new Date())
  assert.deepEqual((await run('claude')).counts, { sessions: 1, turns: 1, 'turns that may not have ended': 1 })
  age(claude)
  assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 1, 'sessions imported before': 1 })
  const { turn } = await ledger.as({ project }).getTurn({ runId: 'RUN-001', n: 2 })
  // Nobody says that its user interrupted it.
  assert.deepEqual([turn.interrupted, turn.failure?.code], [undefined, 'AGENT_GONE'])
  assert.equal((await ledger.as({ project }).getRun({ runId: 'RUN-001' })).run.failure?.code, 'AGENT_GONE')
})

testLedger('an unfinished turn is not imported while any of its subagents still works', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  write(claude, exchange(1, work, 'One').slice(0, 1).join(''))
  const subagents = Array.from({ length: 101 }, (_, at) =>
    claude.replace('.jsonl', `/subagents/agent-${at + 100}.jsonl`),
  )
  for (const file of subagents) write(file, `{"sessionId":"${claudeSession}"}\n`)
  utimesSync(subagents[0] as string, new Date(), new Date())
  const waiting = { sessions: 0, turns: 0, 'turns that may not have ended': 1, 'sessions without a whole turn': 1 }
  assert.deepEqual((await run('claude')).counts, waiting)
})

testLedger('an unfinished turn is not imported if its session goes on during the import', async (ledger, t) => {
  const { run, home, claude, work } = entered(t, ledger)
  write(claude, [...exchange(1, work, 'One'), ...exchange(2, work, 'Two').slice(0, 1)].join(''))
  const [found] = await claudeSessions(join(home, '.claude/projects'), () => {})
  utimesSync(claude, new Date(), new Date())
  await ledger.client.createProject({ slug: project })
  const client = ledger.as({ project })
  const target = { client: ledger.as({}), in: () => client, ensure: async () => {}, async [Symbol.asyncDispose]() {} }
  const report = createReporter(false, {})
  const source = { name: 'claude', agent: 'claude-code', moments: claudeMoments } as const
  await importSession(target, source, found as FoundSession, { report, wishes: { dryRun: false } })
  assert.deepEqual(report.report.counts, { sessions: 1, turns: 1, 'turns that may not have ended': 1 })
  write(claude, [1, 2].flatMap((n) => exchange(n, work, `Prompt ${n}.`)).join(''))
  await run('claude')
  const { turns } = await client.listTurns({ runId: 'RUN-001' })
  assert.deepEqual(
    turns.map(({ answer }) => answer),
    ['Answer 1.', 'Answer 2.'],
  )
})

testLedger('a session that hooks recorded stays as it is, whatever its labels', async (ledger, t) => {
  const { run } = entered(t, ledger)
  await ledger.client.createProject({ slug: project })
  const labels = { imported: 'by hand' }
  await ledger.as({ project }).createRun({ agent: 'claude-code', where: { session: claudeSession }, labels })
  assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 0, 'sessions already recorded': 1 })
})

testLedger('an imported session that was resumed with hooks gets no turns twice', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  await run('claude')
  const client = ledger.as({ project })
  await client.createRun({ agent: 'claude-code', where: { session: claudeSession } })
  appendFileSync(claude, exchange(1, work, 'After.').join(''))
  age(claude)
  assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 0, 'sessions already recorded': 1 })
  assert.equal((await client.getRun({ runId: 'RUN-001' })).run.turns?.count, 1)
})

testLedger(
  'sessions of another project, before --since, or of a missing folder are counted or listed',
  async (ledger, t) => {
    const { run, claude } = entered(t, ledger)
    assert.deepEqual((await run('claude', '--project', 'other')).counts, {
      sessions: 0,
      turns: 0,
      'sessions of other projects': 1,
    })
    assert.deepEqual((await run('claude', '--since', '2026-11-25')).counts, {
      sessions: 0,
      turns: 0,
      'sessions that began earlier': 1,
    })
    write(claude, exchange(1, '/nowhere/at/all', 'One').join(''))
    const { unplaced, counts } = await run('claude')
    assert.deepEqual([unplaced[0].file, counts.sessions], [claude, 0])
    assert.match(unplaced[0].reason, /\/nowhere\/at\/all no longer exists/)
    assert.equal((await run('claude', '--gone-to', 'attic')).counts.sessions, 1)
    assert.equal((await ledger.as({ project: 'attic' }).listRuns({})).runs.length, 1)
  },
)
