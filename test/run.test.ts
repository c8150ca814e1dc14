import assert from 'node:assert/strict'
import { testLedger } from './support/engines.ts'

testLedger('a run keeps every given field, and the others are null', async ({ client }) => {
  const given = {
    runId: 'RUN-001',
    specId: 'AUTH-001',
    title: 'Log in',
    status: 'failed' as const,
    agent: 'claude-code',
    agentVersion: '2.1.332',
    labels: { team: 'web', 'ci/job': '12' },
    where: { host: 'laptop', cwd: '/src', session: 's1' },
    git: {
      repository: 'shop',
      branch: 'main',
      base: 'dev',
      commit: 'abc',
      tree: 'a'.repeat(40),
      dirty: true,
      commitTree: 'c'.repeat(40),
      uncommitted: { count: 21, paths: ['src/a.js'] },
      commits: ['b'.repeat(64)],
    },
    changes: { files: 3, insertions: 10, deletions: 0 },
    links: [{ rel: 'pull-request', href: 'https://example.com/1' }],
    author: 'Ada Example <ada@example.com>',
    required: ['tests', 'lint'],
    command: 'npm run deploy',
    exitCode: 3,
    contentType: 'text/x-terminal' as const,
    startedAt: '2026-01-31T09:30:00.000Z',
    endedAt: '2026-01-31T09:31:00.000Z',
    usage: {
      model: 'm',
      inputTokens: 1e12,
      outputTokens: 7,
      cacheReadTokens: 5,
      cacheWriteTokens: 6,
      costUsd: 0.25,
      costSource: 'reported' as const,
    },
    failure: { code: 'TESTS_FAILED', message: 'two of them' },
  }
  const { run } = await client.createRun({ ...given, content: 'text' })
  for (const [field, value] of Object.entries(given)) assert.deepEqual(run[field as keyof typeof run], value, field)
  const more = { content: 'text', features: [], turns: { count: 0 } }
  assert.deepEqual((await client.getRun({ runId: 'RUN-001' })).run, { ...run, ...more })

  const { run: bare } = await client.createRun({})
  const { id, project, runId, status, labels, links, attempt, verdict, createdAt, updatedAt, version, ...others } = bare
  const { contentType, createdBy, updatedBy, why, ...unknown } = others
  assert.equal(why, 'No check has run')
  assert.equal(contentType, 'text/markdown')
  assert.deepEqual([createdBy, updatedBy], Array(2).fill({ kind: 'key', name: 'first admin' }))
  assert.deepEqual(
    { project, runId, status, labels, links, attempt, verdict, version },
    {
      project: 'default',
      runId: 'RUN-002',
      status: 'pending',
      labels: {},
      links: [],
      attempt: 1,
      verdict: 'unchecked',
      version: 1,
    },
  )
  assert.ok(id > run.id && createdAt === updatedAt)
  assert.deepEqual([...new Set(Object.values(unknown))], [null])
})

testLedger('the error for a taken runId says what to do, and nothing of the call is stored', async ({ client }) => {
  await client.createRun({ runId: 'A', content: 'first' })
  await assert.rejects(client.createRun({ runId: 'A', content: 'second', labels: { a: 'b' } }), {
    code: 'CONFLICT',
    message: /PATCH it, or leave out runId/,
  })
  assert.equal((await client.getRun({ runId: 'A' })).run.content, 'first')
  assert.equal((await client.listRuns({ label: ['a:b'] })).runs.length, 0)
})

testLedger('generated ids skip taken ones, and are never generated twice', async ({ client }) => {
  const next = async () => (await client.createRun({})).run.runId
  assert.equal(await next(), 'RUN-001')
  await client.createRun({ runId: 'RUN-7' })
  assert.equal(await next(), 'RUN-008')
  await client.deleteRun({ runId: 'RUN-008' })
  assert.equal(await next(), 'RUN-009')
  await client.createRun({ runId: 'RUN-004' })
  assert.equal(await next(), 'RUN-010')
  await client.createRun({ runId: 'RUN-008' })
  await client.createRun({ runId: 'RUN-1234' })
  assert.equal(await next(), 'RUN-1235')
})

testLedger('simultaneous creates get different ids', async ({ client }) => {
  const made = await Promise.all(Array.from({ length: 40 }, () => client.createRun({ content: 'x' })))
  assert.deepEqual(
    made.map(({ run }) => run.runId).sort(),
    Array.from({ length: 40 }, (_, n) => `RUN-${String(n + 1).padStart(3, '0')}`),
  )
})

testLedger(
  'an update changes only the fields that it names, increments the version and returns a new ETag',
  async (ledger) => {
    const { client } = ledger
    await client.createRun({ runId: 'A', agent: 'ci', labels: { a: '1', b: '2' }, content: 'one' })
    ledger.advance(1000)
    const { run } = await client.updateRun({ runId: 'A', labels: { b: '3' }, content: 'two', agent: null })
    assert.deepEqual([run.labels, run.agent, run.version], [{ b: '3' }, null, 2])
    assert.ok(run.updatedAt > run.createdAt)
    assert.equal((await client.listRuns({ label: ['a:1'] })).runs.length, 0)
    assert.equal((await client.listRuns({ label: ['b:3'] })).runs.length, 1)
    assert.equal((await client.getRun({ runId: 'A' })).run.content, 'two')

    ledger.advance(1000)
    const same = await client.updateRun({ runId: 'A', labels: { b: '3' }, content: 'two', agent: null })
    assert.deepEqual(same.run, run, 'a change to the same values changes nothing')
    const { events } = await client.listEvents()
    assert.deepEqual(
      events.filter(({ type }) => type === 'run.updated').map(({ changes }) => Object.keys(changes).sort()),
      [['agent', 'content', 'labels']],
    )
  },
)

testLedger('a write with If-Match succeeds only for the version that it names', async ({ client, fetch }) => {
  const { run } = await client.createRun({ runId: 'A' })
  const etag = `"${run.id}-1"`
  await client.updateRun({ runId: 'A', ifVersion: `W/${etag}, ${etag}`, title: 'new' })
  const stale = await fetch('/v1/runs/A', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', 'if-match': etag },
    body: '{"title":"newer"}',
  })
  assert.equal(stale.status, 412)
  assert.match(
    ((await stale.json()) as { error: string }).error,
    new RegExp(`the current version is 2 .*"${run.id}-2"`),
  )
  await assert.rejects(client.deleteRun({ runId: 'A', ifVersion: etag }), { code: 'PRECONDITION_FAILED' })
  await client.updateRun({ runId: 'A', ifVersion: '*', title: 'newest' })
  await client.deleteRun({ runId: 'A', ifVersion: `"${run.id}-3"` })
})

testLedger('of fifty simultaneous updates that require the same version, one succeeds', async ({ client }) => {
  const { run } = await client.createRun({ runId: 'A' })
  const ifVersion = `"${run.id}-1"`
  const tries = Array.from({ length: 50 }, (_, n) => client.updateRun({ runId: 'A', title: `try ${n}`, ifVersion }))
  const outcomes = (await Promise.allSettled(tries)).map((one) =>
    one.status === 'fulfilled' ? 200 : one.reason.status,
  )
  assert.deepEqual(outcomes.sort(), [200, ...Array(49).fill(412)])
  assert.equal((await client.getRun({ runId: 'A' })).run.version, 2)
})

testLedger('concurrent updates without If-Match lose nothing', async ({ client }) => {
  await client.createRun({ runId: 'A' })
  await Promise.all([
    client.updateRun({ runId: 'A', title: 'title' }),
    client.updateRun({ runId: 'A', agent: 'agent' }),
    client.updateRun({ runId: 'A', specId: 'SPEC' }),
    client.updateRun({ runId: 'A', content: 'content' }),
  ])
  const { run } = await client.getRun({ runId: 'A' })
  assert.deepEqual(
    [run.title, run.agent, run.specId, run.content, run.version],
    ['title', 'agent', 'SPEC', 'content', 5],
  )
})

testLedger(
  'content over the limit is refused whole, and content at the limit is stored',
  async ({ client }) => {
    await client.createRun({ runId: 'A', content: 'é'.repeat(512) })
    await assert.rejects(client.createRun({ content: `${'é'.repeat(512)}x` }), {
      code: 'VALIDATION_ERROR',
      message: /content: is 1,025 bytes long, more than 1,024/,
    })
    await assert.rejects(client.updateRun({ runId: 'A', content: 'x'.repeat(1025) }), { code: 'VALIDATION_ERROR' })
    assert.equal((await client.getRun({ runId: 'A' })).run.content, 'é'.repeat(512))
  },
  { contentLimit: 1024 },
)

testLedger('each filter finds its runs, alone and combined, newest first', async (ledger) => {
  const { client } = ledger
  const moments: string[] = []
  for (const n of [1, 2, 3, 4, 5, 6]) {
    ledger.advance(1000)
    const { run } = await client.createRun({
      runId: `R${n}`,
      specId: n % 2 ? 'ODD' : 'EVEN',
      status: (['pending', 'in_progress', 'completed', 'failed'] as const)[n % 4],
      agent: n < 4 ? 'one' : 'two',
      labels: { half: n < 4 ? 'first' : 'second', a: `x:${n}` },
    })
    moments.push(run.createdAt)
  }
  await client.linkFeatures({ runId: 'R2', featureIds: [5], features: [{ name: 'auth' }] })
  await client.linkFeatures({ runId: 'R6', features: [{ name: 'auth' }] })
  const find = async (filters: Parameters<typeof client.listRuns>[0]) =>
    (await client.listRuns(filters)).runs.map(({ runId }) => runId)
  assert.deepEqual(await find({}), ['R6', 'R5', 'R4', 'R3', 'R2', 'R1'])
  assert.deepEqual(await find({ order: 'asc', limit: 2 }), ['R1', 'R2'])
  assert.deepEqual(await find({ specId: 'ODD' }), ['R5', 'R3', 'R1'])
  assert.deepEqual(await find({ status: ['failed', 'completed', 'failed'] }), ['R6', 'R3', 'R2'])
  assert.deepEqual(await find({ agent: 'two' }), ['R6', 'R5', 'R4'])
  assert.deepEqual(await find({ label: ['half:first'] }), ['R3', 'R2', 'R1'])
  assert.deepEqual(await find({ label: ['a:x:4'] }), ['R4'])
  assert.deepEqual(await find({ label: ['half:second', 'a:x:4', 'a:x:4'] }), ['R4'])
  assert.deepEqual(await find({ label: ['half:first', 'half:second'] }), [])
  assert.deepEqual(await find({ featureId: 5 }), ['R2'])
  assert.deepEqual(await find({ featureId: 6, order: 'asc' }), ['R2', 'R6'])
  assert.deepEqual(await find({ featureId: 6, label: ['half:second'] }), ['R6'])
  assert.deepEqual(await find({ createdAfter: moments[1], createdBefore: moments[4] }), ['R4', 'R3'])
  assert.deepEqual(await find({ specId: 'EVEN', status: ['completed'], agent: 'two', label: ['half:second'] }), ['R6'])
  assert.deepEqual(await find({ specId: 'NONE' }), [])
  for (const order of ['asc', 'desc'] as const) {
    const span = { order, createdAfter: moments[0], createdBefore: moments[5] }
    const walked = await Array.fromAsync(client.all('listRuns', { ...span, limit: 1 }))
    assert.deepEqual(
      walked.map(({ runId }) => runId),
      await find(span),
      'a span is walked by cursor',
    )
    const { meta } = await client.listRuns({ order, limit: 1 })
    assert.deepEqual(
      await find({ ...span, cursor: meta.nextCursor }),
      await find(span),
      'a span tighter than the cursor holds',
    )
  }
  await assert.rejects(find({ createdAfter: moments[4], createdBefore: moments[1] }), {
    code: 'VALIDATION_ERROR',
    message: /must be before/,
  })
})

testLedger('text in any script comes back byte for byte', async ({ client }) => {
  const content = '# Ünïcode\n\n\u{1F680} 漢字 \u200b\r\n\t"quoted" \\ \u0001'
  await client.createRun({ runId: 'A', content, labels: { k: '\u{1F680}' } })
  const { run } = await client.getRun({ runId: 'A' })
  assert.deepEqual([run.content, run.title, run.labels], [content, 'Ünïcode', { k: '\u{1F680}' }])
  assert.equal((await client.listRuns({ label: ['k:\u{1F680}'] })).runs.length, 1)
})

testLedger('a usage without fields is none, and no change', async ({ client }) => {
  const { runId, version } = (await client.createRun({})).run
  const { run } = await client.updateRun({ runId, usage: {} })
  assert.deepEqual([run.usage, run.version], [null, version])
})
