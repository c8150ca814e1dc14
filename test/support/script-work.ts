import { encodeCursor } from '../../src/frame/page.ts'
import { odd, words } from './script-plan.ts'
import { type Recorder, walk } from './transcript.ts'

/** A content that grows past its limit, read from every kind of place. */
export async function contents({ call, wait }: Recorder) {
  await call('createRun', { runId: 'LOG' })
  const read = async (places: unknown[]) => {
    for (const after of places) await call('readContent', { runId: 'LOG', after })
  }
  await read([0, 1])
  await call('appendToRun', { runId: 'missing', text: 'x' })
  await call('readContent', { runId: 'missing' })
  for (const value of odd) await call('appendToRun', { runId: 'LOG', text: value })
  for (const [text, offset] of [
    ['# Lög\n', 0],
    ['ä𝒳\n', 7],
    ['', 7],
    ['late', 3],
    ['x', -1],
    ['x', 1e16],
  ]) {
    await call('appendToRun', { runId: 'LOG', text, offset })
    await call('getRun', { runId: 'LOG' })
  }
  await read([0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1e12, -1, 'x'])
  for (const size of [1, 1000, 3000, 3000, 4096, 9000]) {
    wait(1)
    await call('appendToRun', { runId: 'LOG', text: `${'ä'.repeat(size / 2)}${size}\n` })
    await read([0, 20, 130, 1023, 1024, 1025, 4000, 5000, 8191, 10_000])
    await call('getRun', { runId: 'LOG' })
  }
  await call('updateRun', { runId: 'LOG', content: 'anew' })
  await call('appendToRun', { runId: 'LOG', text: ' and on', offset: 4 })
  await read([0, 4, 11, 12])
}

/** Leases that are renewed, run out, are resumed and lost; and further attempts. */
export async function leases({ call, wait, reap }: Recorder) {
  const take = async (runId: string, leaseSeconds: unknown) => {
    const { body } = await call('createRun', { runId, leaseSeconds })
    return (body.lease as { token: string } | undefined)?.token
  }
  for (const seconds of [9, 86401, 0, 10.5, '60', null]) await take('L', seconds)
  await call('createRun', { runId: 'L', leaseSeconds: 60, status: 'failed' })
  const leaseToken = await take('L', 60)
  for (const token of [undefined, 'wrong', leaseToken]) {
    wait(1000)
    const holder = { runId: 'L', leaseToken: token }
    await call('heartbeat', holder)
    await call('heartbeat', { ...holder, leaseSeconds: 90 })
    await call('appendToRun', { ...holder, text: 'log\n' })
    await call('updateRun', { ...holder, leaseSeconds: 120 })
    await call('updateRun', { ...holder, title: 'by the holder' })
  }
  await call('deleteRun', { runId: 'L' })
  await call('getRun', { runId: 'L' })
  await call('updateRun', { runId: 'L', status: 'failed' })
  await call('heartbeat', { runId: 'L', leaseToken })
  await call('updateRun', { runId: 'L', leaseSeconds: 30 })
  await call('updateRun', { runId: 'L', status: 'failed', failure: { code: 'STOPPED', message: '' } })
  await call('createRun', { runId: 'L-2', retryOf: 'L' })
  await call('createRun', { runId: 'L-3', retryOf: 'L-2' })
  for (const retryOf of ['missing', '', null, 'RUN-001']) await call('createRun', { retryOf })
  for (const [runId, reaped] of [
    ['LATE', false],
    ['REAPED', true],
    ['RETRIED', true],
  ] as const) {
    const token = await take(runId, 10)
    wait(10_000)
    if (reaped) await reap()
    if (runId === 'RETRIED') await call('createRun', { retryOf: runId })
    await call('appendToRun', { runId, text: 'back', leaseToken: token })
    await call('updateRun', { runId, leaseSeconds: 0, leaseToken: token })
    await call('getRun', { runId })
  }
  await call('heartbeat', { runId: 'L-2' })
  await call('heartbeat', { runId: 'missing' })
  for (const runId of ['L', 'L-3', 'REAPED', 'RETRIED']) await call('timeline', { runId })
}

/** Turns that are right, wrong, sent twice and out of order, and runs that are found by what they say. */
export async function turns({ call, wait }: Recorder) {
  await call('createRun', { runId: 'T', status: 'in_progress' })
  const git = { branch: 'main', commit: '1'.repeat(40), tree: '2'.repeat(40), dirty: false, commits: ['1'.repeat(40)] }
  const usages = [{ inputTokens: 5, costUsd: 0.1 }, { outputTokens: 3, costUsd: 0.2, costSource: 'estimated' }, {}]
  for (const [index, usage] of usages.entries()) {
    wait(1)
    const files = [{ path: `src/${index % 2}.ts`, insertions: index }]
    const turn = { runId: 'T', n: index + 1, prompt: `prompt ${index}`, answer: '# `code`', files, usage, git }
    await call('appendTurn', turn)
    await call('appendTurn', turn)
    await call('appendTurn', { ...turn, answer: 'another' })
    await call('getRun', { runId: 'T' })
  }
  for (const n of [0, 1, 5, 1.5, '1', null]) await call('appendTurn', { runId: 'T', n, prompt: 'x' })
  for (const field of ['prompt', 'answer', 'tools', 'files', 'commands', 'plan', 'usage', 'git', 'startedAt', 'nope']) {
    for (const value of [null, 1, '', 'x'.repeat(20_001), [], [{}], {}, 'a\0b']) {
      await call('appendTurn', { runId: 'T', [field]: value })
    }
  }
  await walk(call, 'listTurns', { runId: 'T', limit: 3 })
  await walk(call, 'listTurns', { runId: 'T', limit: 4, order: 'desc' })
  for (const n of [1, 2, 99, 0]) await call('getTurn', { runId: 'T', n })
  for (const limit of [1, 100, 0]) await call('listRunFiles', { runId: 'T', limit })
  await walk(call, 'listRunFiles', { runId: 'T', limit: 3 })
  await call('listRunFiles', { runId: 'T', cursor: 'nonsense' })
  await call('listRunFiles', { runId: 'missing' })
  const change = { status: 'modified', insertions: 1, deletions: 0, patch: '@@ -1 +1,2 @@\n a\n+b\n' }
  for (const turn of [1, 2, 99]) {
    await call('addDiffs', { runId: 'T', turn, diffs: [{ path: 'src/1.ts', change }] })
    await call('addDiffs', { runId: 'T', turn, diffs: [{ path: 'src/1.ts', change: { status: 'deleted' } }] })
  }
  await call('addDiffs', { runId: 'T', turn: 1, diffs: [{ path: 'src/../2.ts', change }] })
  for (const asked of [{}, { turn: 1 }, { turn: 99 }, { path: 'src/' }, { path: 'src/1.ts', limit: 1 }, { path: '' }]) {
    await call('getDiff', { runId: 'T', ...asked })
  }
  await call('getDiff', { runId: 'missing' })
  await call('appendTurn', { runId: 'missing' })
  await call('listTurns', { runId: 'missing' })
  await call('heartbeat', { runId: 'T', activity: { state: 'working', tool: 'Edit', target: 'a.ts' } })
  await call('heartbeat', { runId: 'T', activity: { state: 'asleep' } })
  const filters = [
    { commit: '1111111' },
    { commit: '1'.repeat(40) },
    { commit: '111111' },
    { branch: 'main' },
    { endedAfter: '2026-01-01T00:00:00Z' },
  ]
  for (const filter of [...filters, { session: 'x' }, { author: 'x' }, { href: 'https://example.com' }]) {
    await walk(call, 'listRuns', { ...filter, limit: 3 })
  }
  await call('createCheck', { commit: '1'.repeat(40), result: 'pass' })
  await call('createCheck', { commit: '3'.repeat(40), result: 'pass' })
  await call('timeline', { runId: 'T' })
  await call('search', { q: 'prompt', type: ['turn'] })
  for (const q of ['b', '1.ts', 'src']) await call('search', { q, type: ['diff'] })
  await call('updateRun', { runId: 'T', status: 'completed', endedAt: '2020-01-01T00:00:00Z' })
  await call('deleteRun', { runId: 'T' })
}

/** What the seal proves of the log, and sizes and places that the log does not have. */
export async function proofs({ call }: Recorder) {
  await call('getCheckpoint')
  await call('getCheckpoint', {}, { headers: { accept: 'text/plain' } })
  for (const seq of [1, 7, 1_000_000, 0, '1']) await call('getProof', { seq })
  for (const from of [1, 2, 1_000_000, 0]) await call('getConsistency', { from })
  for (const to of [1, 5, 1_000_000]) await call('getConsistency', { from: 3, to })
  for (const after of [0, 3, 1_000_000, -1]) await call('listLeaves', { after, limit: 5 })
  for (const name of ['getCheckpoint', 'getProof', 'getConsistency', 'listLeaves'] as const) {
    await call(name, { seq: 1, from: 1 }, { key: 'x' })
  }
}

/** Erases by each scope, dry first and twice over, and by scopes that say too much or nothing. */
export async function erasures({ call }: Recorder) {
  await call('createRun', { runId: 'E', title: 'zu löschen', content: 'geheimwort', labels: { a: 'geheimwort' } })
  for (const scope of [{ text: 'geheimwort' }, { runId: 'E' }, { specId: 'missing' }]) {
    for (const dryRun of [true, undefined, undefined]) await call('erase', { ...scope, dryRun })
    await call('getRun', { runId: 'E' })
  }
  for (const scope of [{}, { runId: 'E', specId: 'E' }, { text: 'abc' }, { text: '' }, { everything: false }]) {
    await call('erase', scope)
  }
}

/** The values of each field of runs, in parts, and fields that runs do not have. */
export async function suggestions({ call }: Recorder) {
  for (const field of ['agent', 'author', 'specId', 'branch', 'label', 'model', 'title', '']) {
    for (const prefix of [undefined, '', 'a', 'A', 'ä', '%', '_']) await call('suggest', { field, prefix })
    await call('suggest', { field, limit: 1 })
  }
}

/** Questions of every kind, whose signs must mean nothing to either engine. */
export async function searches({ call, wait }: Recorder) {
  const signs = [
    '%',
    '*',
    '"',
    "'",
    '(',
    ')',
    ':',
    '&',
    '|',
    '!',
    '<->',
    '\\',
    '-',
    'NOT',
    'a AND b',
    'a OR',
    'a*',
    'NEAR(a b)',
    '^a',
  ]
  const bodies = [
    'src/auth/loginForm.ts:12',
    'a.b.c-d',
    'http://example.com/x?y=z',
    '日本語 テキスト',
    'Ⅷ ² ½',
    '👩‍💻 code',
    'a\u0301 é',
  ]
  for (const content of bodies) {
    wait(1)
    await call('createRun', { content, status: 'completed' })
    await call('createSpec', { content })
  }
  for (const q of [
    ...words,
    ...signs,
    ...bodies,
    '',
    ' ',
    'log',
    'lo',
    'form login',
    'Form',
    'RUN-001',
    'check',
    'x'.repeat(200),
  ]) {
    await call('search', { q })
  }
  for (const input of [{}, { q: 'a', type: 'run' }, { q: 'a', type: ['spec', 'check'] }, { q: 'a', type: 'key' }]) {
    await walk(call, 'search', { ...input, limit: 3 })
  }
  for (const more of [
    { project: 'shop' },
    { project: 'missing' },
    { limit: 0 },
    { cursor: 'nonsense' },
    { order: 'asc' },
  ]) {
    await call('search', { q: 'plan', ...more })
  }
  await call('search', { q: 'plan' }, { project: 'shop' })
  const ofAList = encodeCursor('desc', { createdAt: '2026-01-31T09:30:00.000Z', id: 1 })
  await call('search', { q: 'a', cursor: ofAList })
}
