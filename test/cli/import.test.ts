import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { transcriptOf } from '../agents/documents.ts'
import { type Ledger, testLedger } from '../support/engines.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere } from './program.ts'
import { claudeIn } from './session.ts'

const claudeSession = '64c3d6b0-4315-40f7-8650-8b717eddbce1'
const codexSession = '01a20ff9-e566-7353-b76d-3eeab027bb1f'
const project = 'old-work'

/** A home in which both agents worked in a folder of a project, and a function that imports from it. */
function entered(t: TestContext, { url }: Ledger) {
  const home = freshFolder(t)
  const work = join(home, 'work')
  const claude = join(home, '.claude/projects/-work', `${claudeSession}.jsonl`)
  const codex = join(home, '.codex/sessions/2026/11/24', `rollout-2026-11-24T23-52-45-${codexSession}.jsonl`)
  mkdirSync(work)
  writeFileSync(join(work, 'conduct.json'), JSON.stringify({ project }))
  write(claude, read('claude', work))
  write(codex, read('codex', work))
  const env = { ...homeOf(home), CONDUCT_DATABASE_URL: url }
  const run = async (...words: string[]) => {
    const { code, stdout, stderr } = await conductHere(['import', ...words, '--json'], env, home)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  return { home, work, claude, codex, env, run }
}

const read = (agent: string, work: string) =>
  readFileSync(transcriptOf(agent), 'utf8').replaceAll('/home/demo/demo', work)

/** Writes a transcript that has not changed for a while. */
function write(file: string, text: string | Buffer) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  age(file)
}

const age = (file: string) => utimesSync(file, new Date(0), new Date(0))

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
const exchange = (n: number, work: string, prompt: string) =>
  [
    { type: 'user', message: { content: prompt }, timestamp: `2026-11-25T00:00:0${n}.000Z`, cwd: work },
    {
      type: 'assistant',
      message: {
        id: `m${n}`,
        model: 'claude-haiku-4-5',
        content: [{ type: 'text', text: `Answer ${n}.` }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 10, output_tokens: 1 },
      },
      timestamp: `2026-11-25T00:00:0${n}.500Z`,
      cwd: work,
    },
  ].map((line) => `${JSON.stringify(line)}\n`)

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

testLedger('a line of a transcript whose time no ledger takes happened with the line before', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  const [first, second] = [exchange(1, work, 'One.'), exchange(2, work, 'Two.')]
  const odd = second.map((line) => line.replace('2026-11-25T00:00:02', '+010000-01-01T00:00:00'))
  write(claude, [...first, ...odd].join(''))
  await run('claude')
  const { turns } = await ledger.as({ project }).listTurns({ runId: 'RUN-001' })
  assert.deepEqual(
    turns.map(({ prompt, endedAt }) => [prompt, endedAt]),
    [
      ['One.', '2026-11-25T00:00:01.500Z'],
      ['Two.', '2026-11-25T00:00:01.500Z'],
    ],
  )
})

testLedger('an unfinished turn is not imported until its transcript stops changing', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  write(claude, [...exchange(1, work, 'One'), ...exchange(2, work, 'Two').slice(0, 1)].join(''))
  utimesSync(claude, new Date(), new Date())
  assert.deepEqual((await run('claude')).counts, { sessions: 1, turns: 1, 'turns that may not have ended': 1 })
  age(claude)
  assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 1, 'sessions imported before': 1 })
  const { turn } = await ledger.as({ project }).getTurn({ runId: 'RUN-001', n: 2 })
  assert.equal(turn.interrupted, true)
  assert.equal((await ledger.as({ project }).getRun({ runId: 'RUN-001' })).run.failure?.code, 'INTERRUPTED')
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

testLedger('a session that hooks recorded stays as it is', async (ledger, t) => {
  const { run } = entered(t, ledger)
  await ledger.client.createProject({ slug: project })
  await ledger.as({ project }).createRun({ agent: 'claude-code', where: { session: claudeSession } })
  assert.deepEqual((await run('claude')).counts, { sessions: 0, turns: 0, 'sessions already recorded': 1 })
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

testLedger(
  'files with broken lines, endless lines and circular links are imported as far as possible, and each problem is listed',
  async (ledger, t) => {
    const { run, claude, home, work } = entered(t, ledger)
    const broken = [
      ...exchange(1, work, 'One'),
      '{"type":"user" broken}\n',
      '\0\0\0\n',
      'x'.repeat(20 << 20),
      '\n',
      ...exchange(2, work, 'Nul \0'),
    ]
    write(claude, broken.join(''))
    const folder = dirname(claude)
    symlinkSync(folder, join(folder, 'circle'))
    mkdirSync(join(folder, 'folder.jsonl'))
    const huge = join(folder, '00000000-0000-0000-0000-000000000000.jsonl')
    writeFileSync(huge, '')
    truncateSync(huge, 2 ** 26)
    const { counts, unplaced } = await run('claude')
    assert.deepEqual([counts.sessions, counts.turns], [1, 2])
    const told = unplaced.map(({ file, line, reason }: { file: string; line?: number; reason: string }) => [
      file.slice(home.length),
      line,
      reason,
    ])
    const [at, long] = [claude.slice(home.length), 'it is longer than 16 MiB']
    assert.deepEqual(
      told.filter(([, line]: unknown[]) => line !== undefined),
      [
        [huge.slice(home.length), 1, long],
        [at, 3, 'it is no JSON object'],
        [at, 4, 'it is no JSON object'],
        [at, 5, long],
      ],
    )
    assert.ok(told.some(([file]: string[]) => file?.endsWith('circle')))
  },
)

testLedger('a fork of a session is imported without what it copies', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  const copy = exchange(1, work, 'One').map((line) => line.replace('"type":"assistant"', '$&,"requestSessionId":"s-1"'))
  write(claude, [...copy, ...exchange(2, work, 'Two')].join(''))
  await run('claude')
  const client = ledger.as({ project })
  const { turns } = await client.listTurns({ runId: 'RUN-001' })
  assert.deepEqual(
    turns.map(({ prompt, answer, usage }) => [prompt, answer, usage?.inputTokens]),
    [['Two', 'Answer 2.', 10]],
  )
  const { run: fork } = await client.getRun({ runId: 'RUN-001' })
  assert.deepEqual([fork.title, fork.usage?.inputTokens], ['Two', 10])
})
