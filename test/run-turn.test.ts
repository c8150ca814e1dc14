import assert from 'node:assert/strict'
import type { Input } from '../src/client/client.ts'
import { testLedger } from './support/engines.ts'

const tree = 'a'.repeat(40)
const turn = {
  startedAt: '2026-01-31T09:30:00.000Z',
  endedAt: '2026-01-31T09:31:30.000Z',
  prompt: 'Let people log in with a passkey.\nKeep the old form.',
  answer: 'The form has a passkey button now.',
  model: 'm-1',
  tools: [
    { name: 'Edit', count: 2, failed: 1 },
    { name: 'Bash', count: 1, refused: 1 },
  ],
  files: [{ path: 'src/login.ts', insertions: 4, deletions: 1 }],
  commands: [{ command: 'npm test', exitCode: 1, durationMs: 3200, at: '2026-01-31T09:31:00.000Z' }],
  plan: [
    { text: 'button', status: 'completed' as const },
    { text: 'tests', status: 'pending' as const },
  ],
  agents: [{ name: 'reviewer', turns: 2, tokens: 300 }],
  compactions: 1,
  usage: {
    model: 'm-1',
    inputTokens: 100,
    cacheReadTokens: 80,
    outputTokens: 10,
    costUsd: 0.5,
    costSource: 'reported' as const,
  },
  git: { branch: 'main', commit: '1'.repeat(40), tree, dirty: true },
  failure: { code: 'RATE_LIMIT', message: 'Too many requests.' },
  interrupted: true,
}

testLedger('a turn keeps every given field, and its run derives fields from it', async ({ client }) => {
  const { runId } = (
    await client.createRun({ status: 'in_progress', git: { base: '0'.repeat(40), commit: '0'.repeat(40) } })
  ).run
  const { turn: first } = await client.appendTurn({ runId, n: 1, ...turn })
  const { id: _id, createdAt: _at, ...told } = first
  const by = { kind: 'key', name: 'first admin' }
  assert.deepEqual(told, { project: 'default', runId, n: 1, ...turn, createdBy: by })

  await client.appendTurn({
    runId,
    prompt: 'Now the tests.',
    files: [
      { path: 'src/login.ts', insertions: 9, deletions: 1 },
      { path: 'b.ts', insertions: 1 },
    ],
    usage: { model: 'm-2', inputTokens: 50, outputTokens: 5, costUsd: 0.25, costSource: 'estimated' },
  })
  const { run } = await client.getRun({ runId })
  assert.equal(run.title, 'Let people log in with a passkey.')
  assert.deepEqual(run.usage, {
    model: 'm-2',
    inputTokens: 150,
    cacheReadTokens: 80,
    outputTokens: 15,
    costUsd: 0.75,
    costSource: 'estimated',
  })
  assert.deepEqual(run.git, { ...turn.git, base: '0'.repeat(40) })
  assert.deepEqual(run.changes, { files: 2, insertions: 10, deletions: 1 }, 'of a file the last that was told counts')
  assert.equal(run.activity?.state, 'idle')
  assert.deepEqual([run.turns.count, run.turns.last?.n, run.turns.last?.prompt], [2, 2, 'Now the tests.'])
  for (const words of [
    '## Let people log in',
    '> Keep the old form.',
    'The form has a passkey button now.',
    '- [x] button',
    '- ran `npm test`: exit 1, 3s',
    '- used Edit ×2 (1 failed), Bash (1 refused)',
    '- interrupted',
    '- failed: RATE_LIMIT',
    '## Now the tests.',
  ]) {
    assert.ok(run.content.includes(words), words)
  }
  await client.updateRun({ runId, status: 'completed' })
  assert.equal((await client.getRun({ runId })).run.activity, null)
})

testLedger('a prompt is quoted line by line, whatever ends its lines', async ({ client }) => {
  const { runId } = (await client.createRun({ status: 'in_progress' })).run
  await client.appendTurn({ runId, prompt: 'one\ntwo\r\nthree\rfour\u2028still four' })
  const { content } = (await client.getRun({ runId })).run
  assert.ok(content.includes('> one\n> two\r\n> three\r> four\u2028still four\n'), JSON.stringify(content))
})

testLedger('the text of a turn follows a blank line', async ({ client }) => {
  const contents = {
    '': '',
    'Begun.': 'Begun.\n\n',
    'Done: é': 'Done: é\n\n',
    'A line.\n': 'A line.\n\n',
    '\n': '\n\n',
    'Two.\n\n': 'Two.\n\n',
  }
  for (const [content, before] of Object.entries(contents)) {
    const { runId } = (await client.createRun({ content })).run
    for (const prompt of ['Go on.', 'Stop.']) await client.appendTurn({ runId, prompt })
    const said = (prompt: string) => `## ${prompt}\n\n> ${prompt}\n\n`
    assert.equal((await client.getRun({ runId })).run.content, before + said('Go on.') + said('Stop.'))
  }
})

testLedger('the newest changes count, whether an update or turns gave them', async ({ client }) => {
  const { run } = await client.createRun({ title: 'Go' })
  const { runId } = run
  const changes = async () => (await client.getRun({ runId })).run.changes
  await client.appendTurn({ runId, files: [{ path: 'a.ts', insertions: 1 }] })
  const given = { files: 9, insertions: 99, deletions: 9 }
  await client.updateRun({ runId, changes: given })
  await client.appendTurn({ runId, prompt: 'A turn that names no file' })
  assert.deepEqual(await changes(), given)
  await client.appendTurn({ runId, files: [{ path: 'b.ts', insertions: 2 }] })
  assert.deepEqual(await changes(), { files: 2, insertions: 3 })
  await client.updateRun({ runId, changes: given, status: 'completed' })
  assert.deepEqual(await changes(), given)
})

testLedger('the cost of a run is unknown when the cost of one of its turns is', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  const usages: [usage: Input<'appendTurn'>['usage'], costUsd: number | undefined][] = [
    [{ inputTokens: 1, costUsd: 0.5 }, 0.5],
    [{ inputTokens: 1 }, undefined],
    [{ inputTokens: 1, costUsd: 0.5 }, undefined],
  ]
  for (const [usage, costUsd] of usages) {
    await client.appendTurn({ runId, prompt: 'x', usage })
    assert.equal((await client.getRun({ runId })).run.usage?.costUsd, costUsd)
  }
})

testLedger('a turn of a model whose usage nobody knows makes the cost of its run unknown', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  for (const usage of [{ model: 'm' }, { model: 'm', inputTokens: 1, costUsd: 0.5 }]) {
    await client.appendTurn({ runId, prompt: 'x', usage })
  }
  assert.deepEqual((await client.getRun({ runId })).run.usage, { model: 'm', inputTokens: 1 })
})

testLedger('the costs of turns add up exactly', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  for (const costUsd of [0.1, 0.2]) await client.appendTurn({ runId, prompt: 'x', usage: { costUsd } })
  assert.equal((await client.getRun({ runId })).run.usage?.costUsd, 0.3)
})

testLedger('a turn that is sent again is stored once', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  const first = await client.appendTurn({ runId, n: 1, ...turn, answer: '' })
  assert.deepEqual(await client.appendTurn({ runId, n: 1, ...turn, answer: '' }), first)
  const { run } = await client.getRun({ runId })
  assert.deepEqual([run.turns.count, run.usage?.inputTokens, run.version], [1, 100, 2])
  await assert.rejects(client.appendTurn({ runId, n: 1, prompt: 'another' }), {
    code: 'CONFLICT',
    message: /has another turn 1/,
  })
  await assert.rejects(client.appendTurn({ runId, n: 3 }), {
    code: 'CONFLICT',
    message: /The next turn of run 'RUN-001' is 2, not 3/,
  })
  await assert.rejects(client.appendTurn({ runId, startedAt: turn.endedAt, endedAt: turn.startedAt }), {
    code: 'VALIDATION_ERROR',
    message: /endedAt: must not be before startedAt/,
  })
  for (const field of ['startedAt', 'endedAt'] as const) {
    await assert.rejects(client.appendTurn({ runId, [field]: '2999-01-01T00:00:00.000Z' }), {
      code: 'VALIDATION_ERROR',
      message: new RegExp(`^${field}: must not be more than 5 minutes ahead of the server`),
    })
  }
  const both = await Promise.all([1, 2].map(() => client.appendTurn({ runId, n: 2, prompt: 'at once' })))
  assert.deepEqual(both[0], both[1])
})

testLedger('turns are read, listed, searched and logged, and deleted with their run', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  for (const word of ['apfel', 'birne', 'quitte'])
    await client.appendTurn({ runId, prompt: `Eine ${word}`, answer: `Hier: ${word}saft` })
  const page = await client.listTurns({ runId, limit: 2 })
  assert.deepEqual([page.turns.map(({ n }) => n), page.meta.hasMore], [[1, 2], true])
  const rest = await client.listTurns({ runId, limit: 2, cursor: page.meta.nextCursor })
  assert.deepEqual(
    rest.turns.map(({ n }) => n),
    [3],
  )
  assert.deepEqual(
    (await client.listTurns({ runId, order: 'desc' })).turns.map(({ n }) => n),
    [3, 2, 1],
  )
  assert.equal((await client.getTurn({ runId, n: 2 })).turn.prompt, 'Eine birne')
  await assert.rejects(client.getTurn({ runId, n: 4 }), { code: 'NOT_FOUND', message: /has no turn 4/ })
  await assert.rejects(client.listTurns({ runId: 'NONE' }), { code: 'NOT_FOUND' })

  const found = async (q: string) =>
    (await client.search({ q, type: ['turn'] })).results.map(({ subject, title }) => [subject, title])
  assert.deepEqual(await found('birne'), [[`${runId}/2`, 'Eine birne']])
  assert.deepEqual(await found('quittesaft'), [[`${runId}/3`, 'Eine quitte']])
  const { events } = await client.listEvents({ type: ['turn.created'], subject: `${runId}/2` })
  assert.deepEqual(
    events.map(({ subject, changes }) => [subject, Object.keys(changes)]),
    [[`${runId}/2`, ['prompt', 'answer']]],
  )
  const { timeline } = await client.timeline({ runId })
  assert.deepEqual(
    timeline.flatMap((entry) => (entry.kind === 'turn' ? [entry.turn.title] : [])),
    ['Eine apfel', 'Eine birne', 'Eine quitte'],
  )

  await client.deleteRun({ runId })
  assert.deepEqual(await found('birne'), [])
  assert.equal((await client.listEvents({ type: ['turn.deleted'] })).events.length, 3)
})

testLedger('changes that no session is credited with are counted, beside those that one is', async ({ client }) => {
  const { run } = await client.createRun({})
  const { runId } = run
  const add = async (turn: Partial<Input<'appendTurn'>>) => {
    await client.appendTurn({ runId, ...turn })
    return (await client.getRun({ runId })).run.changes
  }
  assert.deepEqual(await add({ uncredited: { files: 300, sessions: 2 } }), { uncredited: { files: 300, sessions: 2 } })
  const files = [{ path: 'a.ts', insertions: 2 }]
  assert.deepEqual(await add({ files }), { files: 1, insertions: 2, uncredited: { files: 300, sessions: 2 } })
  const uncredited = { files: 301, sessions: 3 }
  assert.deepEqual(await add({ uncredited: { files: 1, sessions: 3 } }), { files: 1, insertions: 2, uncredited })
  const { content } = (await client.getRun({ runId })).run
  assert.match(content, /^- 300 files changed while 2 sessions ran commands; credited to none of them$/m)
  assert.match(content, /^- 1 file changed while 3 sessions/m)
  const { turns } = await client.listTurns({ runId })
  assert.deepEqual(
    turns.map((turn) => turn.uncredited?.files),
    [300, undefined, 1],
  )
  await assert.rejects(add({ uncredited: { files: 0, sessions: 1 } }), { code: 'VALIDATION_ERROR' })
})

testLedger('a run reports its activity without a version, and that it waits by an event', async ({ client }) => {
  const { run, lease } = await client.createRun({ leaseSeconds: 60 })
  const { runId } = run
  const told = async (activity: Input<'heartbeat'>['activity']) =>
    (await client.heartbeat({ runId, leaseToken: lease?.token, activity })).run
  const { activity, version } = await told({ state: 'working', tool: 'Edit', target: 'a.ts' })
  const turnSince = activity?.turnSince
  assert.deepEqual({ ...activity, since: '' }, { state: 'working', tool: 'Edit', target: 'a.ts', since: '', turnSince })
  assert.deepEqual(
    (await told({ state: 'working', tool: 'Edit', target: 'a.ts' })).activity,
    activity,
    'the same since the same moment',
  )
  const since = '2026-01-31T09:30:00.000Z'
  assert.deepEqual((await told({ state: 'waiting', since })).activity, {
    state: 'waiting',
    since,
    turnSince,
  })
  assert.deepEqual(
    (await told(undefined)).activity,
    { state: 'waiting', since, turnSince },
    'a heartbeat alone changes nothing',
  )
  const { events } = await client.listEvents({ after: 0, subject: runId })
  assert.deepEqual([version, events.map(({ type }) => type)], [1, ['run.created', 'run.waiting']])
  await client.updateRun({ runId, status: 'completed', leaseToken: lease?.token })
  await assert.rejects(told({ state: 'idle' }), {
    code: 'CONFLICT',
    message: /is completed, and only a run in progress/,
  })
})

testLedger('the totals of a run with very many files are continued exactly', async ({ client }) => {
  const { runId } = (await client.createRun({ status: 'in_progress' })).run
  const filesOf = (from: number, insertions?: number) =>
    Array.from({ length: 500 }, (_, n) => ({ path: `src/${from + n}.ts`, ...(insertions && { insertions }) }))
  for (let from = 0; from < 10_500; from += 500) await client.appendTurn({ runId, files: filesOf(from) })
  assert.deepEqual((await client.getRun({ runId })).run.changes, { files: 10_500 })
  await client.appendTurn({ runId, files: filesOf(10_250, 3) })
  await client.appendTurn({ runId, files: [...filesOf(10_250, 2).slice(0, 250), { path: 'new', deletions: 7 }] })
  assert.deepEqual((await client.getRun({ runId })).run.changes, {
    files: 10_751,
    insertions: 250 * 2 + 250 * 3,
    deletions: 7,
  })
  assert.equal((await client.listRunFiles({ runId, limit: 1 })).meta.total, 10_751)
})

testLedger('the files that the turns of a run changed are listed, largest changes first', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  assert.deepEqual(await client.listRunFiles({ runId }), { files: [], meta: { total: 0, hasMore: false } })
  await client.appendTurn({
    runId,
    files: [{ path: 'src/b.ts', insertions: 5, deletions: 1 }, { path: 'a.ts' }, { path: 'z.ts', deletions: 6 }],
  })
  await client.appendTurn({ runId, files: [{ path: 'a.ts', insertions: 40, deletions: 0 }] })
  const files = [
    { path: 'a.ts', insertions: 40, deletions: 0 },
    { path: 'src/b.ts', insertions: 5, deletions: 1 },
    { path: 'z.ts', deletions: 6 },
  ]
  assert.deepEqual(await client.listRunFiles({ runId }), { files, meta: { total: 3, hasMore: false } })
  const first = await client.listRunFiles({ runId, limit: 1 })
  assert.deepEqual([first.files, first.meta.total, first.meta.hasMore], [files.slice(0, 1), 3, true])
  await assert.rejects(client.listRunFiles({ runId: 'NONE' }), { code: 'NOT_FOUND' })
})

testLedger('the files of a run, a folder or a turn come page by page, each once', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  const files = Array.from({ length: 230 }, (_, n) => ({ path: `${n % 2 ? 'src/' : ''}${n}`, insertions: n % 3 }))
  await client.appendTurn({ runId, files })
  await client.appendTurn({ runId, files: [{ path: 'other', deletions: 9 }] })
  const walk = async (more: object) =>
    (await Array.fromAsync(client.all('listRunFiles', { runId, ...more }))).map(({ path }) => path)
  const lines = (n: number) =>
    files
      .filter(({ insertions }) => insertions === n)
      .map(({ path }) => path)
      .sort()
  const all = [...lines(2), ...lines(1), ...lines(0)]
  for (const limit of [7, 100]) {
    assert.deepEqual(await walk({ limit }), ['other', ...all])
    assert.deepEqual(await walk({ limit, turn: 1 }), all)
    const within = all.filter((path) => path.startsWith('src/'))
    for (const turn of [{}, { turn: 1 }]) assert.deepEqual(await walk({ limit, path: 'src/', ...turn }), within)
  }
  await assert.rejects(client.listRunFiles({ runId, cursor: 'x' }), { code: 'BAD_REQUEST' })
})

testLedger('a list of files says how many more were changed', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  await client.appendTurn({ runId, files: [{ path: 'a' }, { path: 'b' }], filesOmitted: 57, changes: { files: 59 } })
  await client.appendTurn({ runId, files: [{ path: 'c' }], changes: { files: 60 } })
  const omitted = async (more: object) => (await client.listRunFiles({ runId, limit: 1, ...more })).meta.omitted
  assert.deepEqual([await omitted({}), await omitted({ turn: 1 }), await omitted({ turn: 2 })], [57, 57, undefined])
  assert.deepEqual([await omitted({ path: 'a' }), await omitted({ path: 'a', turn: 1 })], [undefined, undefined])
})

testLedger('a turn may say that files are restored, and that its list of files is cut', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  await client.appendTurn({ runId, files: [{ path: 'a.ts', insertions: 1 }, { path: 'b.ts' }, { path: 'c.ts' }] })
  await client.appendTurn({ runId, files: [{ path: 'd.ts' }], restored: ['a.ts', 'b.ts', 'never.ts'] })
  const { run } = await client.getRun({ runId })
  assert.deepEqual(run.changes, { files: 2 })
  assert.match(run.content, /^- changed `d\.ts`\n- restored `a\.ts`, `b\.ts`, `never\.ts`$/m)
  const { files } = await client.listRunFiles({ runId })
  assert.deepEqual(
    files.map(({ path }) => path),
    ['c.ts', 'd.ts'],
  )
  const changes = { files: 702, insertions: 9, deletions: 0 }
  await client.appendTurn({ runId, files: [{ path: 'e.ts' }], filesOmitted: 699, changes })
  const cut = (await client.getRun({ runId })).run
  assert.deepEqual(cut.changes, changes)
  assert.match(cut.content, /^- changed `e\.ts` and 699 more$/m)
  await client.appendTurn({ runId, restored: ['c.ts'] })
  assert.deepEqual((await client.getRun({ runId })).run.changes, { files: 2 }, 'as the lists say')
})

testLedger(
  'a turn that resumes a run, or moves its verdict, is an entry of its own in the timeline',
  async (ledger) => {
    const { client } = ledger
    const { run, lease } = await client.createRun({ leaseSeconds: 10, git: { tree } })
    const { runId } = run
    const add = (git = { tree }) => client.appendTurn({ runId, prompt: 'Go on', git, leaseToken: lease?.token })
    const moves = async () =>
      (await client.timeline({ runId })).timeline.flatMap((entry) => {
        if (entry.kind === 'appends') return [entry.appends]
        if (entry.kind !== 'event' || entry.event.type !== 'run.updated') return []
        const { status, verdict } = entry.event.changes
        return [status?.[1] ?? verdict?.[1]]
      })
    for (let n = 0; n < 2; n++) await add()
    ledger.advance(30_000)
    for (let n = 0; n < 3; n++) await add()
    assert.deepEqual(await moves(), [2, 'failed', 'in_progress', 2])
    await client.createCheck({ runId, name: 'tests', result: 'pass', tree })
    for (let n = 0; n < 2; n++) await add({ tree: 'b'.repeat(40) })
    assert.deepEqual(await moves(), [2, 'failed', 'in_progress', 2, 'verified', 'stale', 1])
  },
)
