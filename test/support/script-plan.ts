import { type Recorder, walk } from './transcript.ts'

/** Words that engines might treat differently. */
export const words = [
  'auth',
  'AUTH',
  'ÄÖÜ',
  'äöü',
  'ß',
  '50%',
  'a_b',
  'a\\b',
  "o'clock",
  '𝒳',
  'İ',
  'line\nbreak',
  'x'.repeat(301),
]
/** Values that no field takes, or hardly one. */
export const odd = [null, -1, 1e13, 0.1, '1', true, [], {}, 'a\0b', '\ud800', 'ä'.repeat(300)]

/** Specs with their versions, checklists, filters and what their runs come to. */
export async function specs({ call, wait }: Recorder) {
  for (const specId of ['PLAN', 'PLAN', 'plan', 'SPEC-7', undefined, undefined, '', 'ä'])
    await call('createSpec', { specId })
  for (const word of words) {
    await call('createSpec', { title: word, content: `# ${word}\n`, agent: word })
    await call('createSpec', { content: `${word}\n- [ ] one\n- [x] two\n  * [X] three\n- [] none\n` })
    if (word.length % 2) wait(1)
  }
  for (const field of ['title', 'content', 'status', 'agent', 'nope']) {
    for (const value of odd) await call('createSpec', { [field]: value })
    for (const value of odd) await call('updateSpec', { [field]: value, specId: 'plan' })
  }
  await call('createSpec', { specId: 'PLAN' }, { project: 'shop' })
  const steps = [
    { content: '# First\n\n- [ ] a\n- [ ] b' },
    { content: '# First\n\n- [ ] a\n- [ ] b' },
    { title: 'Plan', status: 'pending', agent: 'ci' },
    { title: null },
    { content: '# Second\n\n- [x] a\n- [x] b' },
    { content: '' },
    { content: '# First\n\n- [ ] a\n- [ ] b', title: null },
    { content: 'x'.repeat(4097) },
    {},
  ]
  for (const [index, step] of steps.entries()) {
    wait(1)
    await call('updateSpec', { specId: 'PLAN', ...step })
    await call('createRun', { specId: 'PLAN', usage: { inputTokens: index, outputTokens: 1e12, costUsd: 0.5 } })
  }
  for (const ifVersion of ['"0-0"', 'W/"1-1"', '*', ''])
    await call('updateSpec', { specId: 'PLAN', ifVersion, title: 'x' })
  for (const specId of ['PLAN', 'plan', 'AUTH-001', 'missing']) {
    await call('getSpec', { specId })
    await walk(call, 'listSpecVersions', { specId, limit: 2 })
    await walk(call, 'listSpecRuns', { specId, limit: 3, order: 'asc' })
  }
  for (const version of [1, 2, 3, 99, 0, '01', 1.5]) await call('getSpecVersion', { specId: 'PLAN', version })
  await call('getSpecVersion', { specId: 'missing', version: 1 })
  await specLists(call)
}

async function specLists(call: Recorder['call']) {
  for (const order of ['asc', 'desc']) await walk(call, 'listSpecs', { limit: 5, order })
  for (const q of [...words, '%', '_', '\\', 'AU', 'Ä', 'SS', '']) await call('listSpecs', { q })
  const filters = [
    { status: ['draft', 'pending', 'draft'] },
    { status: 'archived' },
    { status: 'done' },
    { project: ['shop', 'default'], limit: 3 },
    { createdAfter: '2026-01-31T09:30:00.003Z' },
    { createdBefore: 'never' },
    { cursor: 'nonsense' },
  ]
  for (const filter of filters) await walk(call, 'listSpecs', filter)
  for (const specVersion of [1, 2, 3, 0]) {
    await call('listRuns', { specVersion })
    await call('listSpecRuns', { specId: 'PLAN', specVersion, status: 'pending', verdict: ['unchecked', 'stale'] })
  }
}

/** Checks by several keys, and the verdicts that follow from them. */
export async function checks({ call, wait }: Recorder) {
  await call('createRun', { runId: 'CHECKED', content: 'work', specId: 'PLAN' })
  await call('createCheck', { runId: 'missing', result: 'pass' })
  await call('createCheck', { result: 'pass' })
  const { body } = await call('createKey', { name: 'reviewer', permissions: ['write'] })
  const reviewer = { key: String(body.secret) }
  const full = { command: 'npm test', exitCode: 0, durationMs: 1e12, commit: 'c', agent: 'ci', content: '# Found\n' }
  const steps = [
    { result: 'pass' },
    { checkId: 'FULL', result: 'pass', name: 'tests', ...full },
    { checkId: 'FULL', result: 'fail', name: 'tests' },
    { checkId: 'CHECK-9', result: 'fail', name: 'Tests', exitCode: -2147483648 },
    { result: 'warn', name: 'Tests', exitCode: 4294967295 },
    { result: 'pass', name: 'Tests', content: 'x'.repeat(4097) },
    { result: 'pass', name: 'Tests' },
  ]
  for (const [index, step] of steps.entries()) {
    await call('createCheck', { runId: 'CHECKED', ...step }, index % 2 ? reviewer : {})
    await call('getRun', { runId: 'CHECKED' })
  }
  for (const field of ['checkId', 'name', 'result', 'content', 'command', 'exitCode', 'durationMs', 'commit', 'nope']) {
    for (const value of odd) await call('createCheck', { runId: 'RUN-001', result: 'pass', [field]: value })
    // The client sends no request for an id that leads to another address.
    const sent = field === 'checkId' ? odd.filter((value) => value !== null && String(value) !== '') : odd
    for (const value of sent) await call('updateCheck', { checkId: 'CHECK-001', [field]: value })
  }
  wait(1)
  for (const change of [
    { result: 'warn' },
    { result: 'pass' },
    { content: 'more' },
    { content: '' },
    { name: 'x' },
    {},
  ]) {
    for (const by of [{}, reviewer]) await call('updateCheck', { checkId: 'FULL', ...change }, by)
  }
  for (const ifVersion of ['"0-0"', '*']) await call('updateCheck', { checkId: 'FULL', ifVersion, agent: ifVersion })
  for (const work of [
    { title: 'no work' },
    { content: 'other work' },
    { status: 'completed' },
    { status: 'pending' },
  ]) {
    wait(1)
    await call('updateRun', { runId: 'CHECKED', ...work }, reviewer)
  }
  await call('createCheck', { runId: 'CHECKED', name: 'again', result: 'warn' })
  for (const checkId of ['FULL', 'CHECK-001', 'full', 'missing']) await call('getCheck', { checkId })
  await call('deleteCheck', { checkId: 'CHECK-001' })
  await checkLists(call)
  await attention(call)
}

/** What somebody should look at, and what people decide about it. */
async function attention(call: Recorder['call']) {
  const runs = [
    { runId: 'BROKEN', status: 'failed', specId: 'S', author: 'Ada <ada@example.com>' },
    { runId: 'BRANCH', status: 'failed', git: { branch: 'b' } },
    { runId: 'FIXED', status: 'failed', git: { branch: 'c' } },
    { runId: 'FIX', status: 'completed', git: { branch: 'c' } },
  ]
  for (const run of runs) await call('createRun', run)
  await call('createCheck', { runId: 'CHECKED', name: 'tests', result: 'fail' })
  const decisions = [
    { note: 'x' },
    { resolved: true },
    { until: '2999-01-01T00:00:00Z' },
    { until: null },
    { until: 'x' },
  ]
  for (const decision of decisions) await call('updateAttention', { runIds: ['BRANCH', 'FIXED'], ...decision })
  await call('updateAttention', { runIds: ['BROKEN'], assignee: 'Bob <bob@example.com>' })
  await call('updateAttention', { runIds: ['BROKEN', 'missing'], resolved: true })
  const filters = [
    ...[{}, { limit: 1 }, { state: 'resolved' }, { reason: ['failed', 'failing'] }, { runId: ['BROKEN'] }],
    ...[{ author: 'ada@example.com' }, { assignee: 'bob@example.com' }, { mine: true }, { order: 'asc' }],
  ]
  for (const filter of filters) await walk(call, 'listAttention', filter)
  for (const group of ['spec', 'branch', 'check', 'person', 'none']) await call('listAttention', { group })
}

async function checkLists(call: Recorder['call']) {
  for (const order of ['asc', 'desc']) await walk(call, 'listChecks', { limit: 4, order })
  const filters = [
    { runId: 'CHECKED' },
    { runId: 'missing' },
    { name: 'tests' },
    { name: 'TESTS' },
    { result: ['pass', 'warn', 'pass'], limit: 2 },
    { result: 'good' },
    { project: 'shop' },
    { createdAfter: '2026-01-31T09:30:00.010Z' },
    { nope: 1 },
  ]
  for (const filter of filters) await walk(call, 'listChecks', filter)
  for (const verdict of ['unchecked', 'failing', 'warned', 'stale', 'verified', ['stale', 'warned'], 'good']) {
    await call('listRuns', { verdict, status: ['pending', 'completed'] })
  }
  for (const runId of ['CHECKED', 'FULL', 'missing']) await call('timeline', { runId })
}
