import { checks, specs } from './script-plan.ts'
import { retention } from './script-retention.ts'
import { webhooks } from './script-webhooks.ts'
import { contents, erasures, leases, proofs, searches, suggestions, turns } from './script-work.ts'
import { adminKey } from './server.ts'
import { type Recorder, walk } from './transcript.ts'

/** Every operation with right and wrong input, pages, filters, ties, labels, replays and conflicts. */
export async function everything(recorder: Recorder) {
  await projectsAndKeys(recorder)
  await runs(recorder)
  await features(recorder)
  await specs(recorder)
  await checks(recorder)
  await contents(recorder)
  await leases(recorder)
  await turns(recorder)
  await webhooks(recorder)
  await lists(recorder)
  await searches(recorder)
  await suggestions(recorder)
  await proofs(recorder)
  await replays(recorder)
  await erasures(recorder)
  await retention(recorder)
  await deletions(recorder)
}

const longest = 'x'.repeat(128)
const words = ['auth', 'Auth', 'AUTH', 'ÄÖÜ', 'äöü', 'ß', '50%', 'a_b', 'a\\b', "o'clock", '', '𝒳', 'İ', 'line\nbreak']

async function projectsAndKeys({ call, wait }: Recorder) {
  for (const slug of ['shop', 'Shop', 'shop', 'a', 'B', 'b', '_', '', longest, `${longest}x`, 'ä']) {
    await call('createProject', { slug })
  }
  await call('createProject', { slug: 'named', name: 'Näme', repository: 'https://example.com/x.git' })
  await call('createProject', { slug: 'nameless', name: '' })
  await call('getProject', { slug: 'named' })
  await call('getProject', { slug: 'Named' })
  for (const change of [
    { name: 'Other' },
    { name: 'Other' },
    { repository: null },
    {},
    { slug: 'renamed' },
    { nope: 1 },
  ]) {
    await call('updateProject', { ...change, slug: 'named' })
    wait(1)
  }
  for (const ifVersion of ['"named-3"', '"named-2"', 'W/"named-3"', '*', '']) {
    await call('updateProject', { slug: 'named', ifVersion, name: `by ${ifVersion}` })
  }
  await walk(call, 'listProjects', { limit: 3 })
  await call('listProjects', {}, { project: 'shop' })
  for (const permissions of [['read'], ['agent', 'read', 'agent'], ['write', 'delete'], [], ['root'], 'read']) {
    await call('createKey', { name: 'key', permissions })
    await call('createKey', { name: 'key', permissions, project: 'shop' })
  }
  for (const expiresAt of ['2026-02-01T00:00:00Z', '2026-02-01T01:00:00+01:00', '2020-01-01T00:00:00Z', 'soon', null]) {
    await call('createKey', { name: 'key', permissions: ['read'], expiresAt })
  }
  await call('createKey', { name: 'key', permissions: ['read'], project: 'missing' })
  for (const person of ['Ada <ada@example.com>', 'Ada <ada@example.com>', null, 'Ada', '']) {
    for (const id of [2, 9999]) await call('updateKey', { id, person, machine: 'laptop' })
  }
  for (const id of [2, 2, 1, 9999, 0]) await call('revokeKey', { id })
  await walk(call, 'listKeys', { limit: 4, order: 'asc' })
  for (const authorization of ['Bearer nonsense', '', 'Basic eDp5'])
    await call('me', {}, { headers: { authorization } })
  await call('me')
  await call('me', {}, { project: 'missing' })
  await sessions({ call, wait })
}

async function sessions({ call, wait }: Pick<Recorder, 'call' | 'wait'>) {
  const { body } = await call('createLoginCode')
  await call('createLoginCode', {}, { project: 'missing' })
  for (const by of [
    { code: body.code },
    { code: body.code },
    { key: adminKey },
    { key: 'x' },
    {},
    { key: adminKey, code: 'x' },
  ]) {
    const { headers, body } = await call('createSession', by)
    const cookie = headers.get('set-cookie')?.split(';')[0]
    if (cookie === undefined) continue
    const session = { authorization: null, cookie, 'x-session-token': String(body.token) }
    const byCookie = (site: string) => ({ headers: { ...session, 'sec-fetch-site': site } })
    await call('me', {}, byCookie('none'))
    await call('createRun', { runId: 'COOKIE' }, byCookie('same-origin'))
    for (const site of ['cross-site', 'same-origin', 'same-origin']) await call('deleteSession', {}, byCookie(site))
    await call('me', {}, byCookie('same-origin'))
  }
  const { body: late } = await call('createLoginCode')
  wait(600_000)
  await call('createSession', { code: late.code })
}

async function runs({ call, wait }: Recorder) {
  for (const runId of [
    'RUN-001',
    'RUN-001',
    'RUN-7',
    'RUN-010',
    'run-001',
    longest,
    `${longest}x`,
    '',
    'ä',
    undefined,
  ]) {
    await call('createRun', { runId, specId: 'AUTH-001', status: 'pending' })
  }
  for (const word of words) {
    await call('createRun', { title: word, agent: word, content: `# ${word}\n`, labels: { word }, specId: word })
    await call('createRun', { title: word || null, agent: word || null, content: word, labels: { word } })
    if (word.length % 2) wait(1)
  }
  const odd = [null, -1, 1e13, 0.1, '1', true, [], {}, 'a\0b', '\ud800', 'ä'.repeat(300)]
  for (const field of ['runId', 'title', 'content', 'status', 'labels', 'git', 'links', 'usage', 'failure', 'nope']) {
    for (const value of odd) await call('createRun', { [field]: value })
    for (const value of odd) await call('updateRun', { [field]: value, runId: 'RUN-001' })
  }
  const full = {
    where: { host: 'h', cwd: '/w', session: 's' },
    git: { repository: 'r', branch: 'b', base: 'm', commit: 'c', dirty: true },
    changes: { files: 1, insertions: 1e12, deletions: 0 },
    links: [{ rel: 'pr', href: 'https://example.com/1' }],
    usage: { model: 'm', inputTokens: 7, outputTokens: 1e12, costUsd: 0.1 + 0.2 },
    labels: { z: '1', a: '2', M: '3', 'a/b': '' },
  }
  await call('createRun', { runId: 'FULL', ...full, project: 'shop' })
  await call('createRun', { runId: 'FULL', ...full })
  const steps = [
    { status: 'in_progress' },
    { status: 'in_progress' },
    { status: 'failed', failure: { code: 'E_1', message: 'm' } },
    { failure: null },
    { status: 'completed', failure: { code: 'E_1', message: 'm' } },
    { status: 'completed', content: 'end' },
    { content: 'end' },
    { status: 'pending', git: null, usage: { costUsd: 1e9 }, labels: {}, links: [] },
    { usage: { inputTokens: 0 }, specId: null, title: null, content: 'x'.repeat(4097) },
    { usage: null, where: {}, changes: {}, content: '' },
  ]
  for (const step of steps) {
    wait(1)
    await call('updateRun', { runId: 'FULL', ...step })
    await call('getRun', { runId: 'FULL' })
  }
  await call('getRun', { runId: 'full' })
}

async function features({ call, wait }: Recorder) {
  const named = words.map((name) => ({ name, file: name, description: name }))
  for (const feature of named) await call('createFeature', feature)
  for (const name of ['feature-3', 'feature-70', 'feature-071', 'feature-2147483648'])
    await call('createFeature', { name })
  for (const feature of named.slice(0, 5)) await call('createFeature', { ...feature, description: 'changed' })
  const links = [
    { featureIds: [42, 43, 44] },
    { featureIds: [44, 42, 42, 45] },
    { featureIds: [1, 2], features: [{ name: 'auth' }, { name: 'new one', file: 'n.ts' }] },
    { features: [{ name: 'feature-46' }, { name: 'feature-3' }] },
    { featureIds: [] },
    {},
    { featureIds: [0] },
    { featureIds: [2147483648] },
    { featureIds: Array.from({ length: 101 }, (_, index) => index + 100) },
  ]
  for (const link of links) await call('linkFeatures', { runId: 'FULL', ...link })
  await call('linkFeatures', { runId: 'RUN-001', featureIds: [42] })
  await call('linkFeatures', { runId: 'missing', featureIds: [42] })
  await call('getRun', { runId: 'FULL' })
  for (const featureId of [45, 45, 9999]) await call('unlinkFeature', { runId: 'FULL', featureId })
  wait(1)
  for (const change of [
    { name: 'first' },
    { name: 'auth' },
    { name: 'feature-9' },
    { file: null },
    { description: 'ß' },
  ]) {
    await call('updateFeature', { id: 42, ...change })
  }
  for (const ifVersion of ['"42-1"', '"42-2", "42-4"', '*']) {
    await call('updateFeature', { id: 42, ifVersion, description: ifVersion })
  }
  for (const id of [1, 42, 46, 9999, '01', -1]) await call('getFeature', { id })
}

async function lists({ call }: Recorder) {
  for (const order of ['asc', 'desc']) {
    for (const limit of [1, 7, 100]) await walk(call, 'listRuns', { limit, order })
    await walk(call, 'listFeatures', { limit: 5, order })
    await walk(call, 'listFeatureRuns', { id: 42, limit: 1, order })
  }
  for (const word of words) {
    await call('listFeatures', { q: word })
    await call('listFeatures', { file: word })
    await call('listRuns', { agent: word })
    await call('listRuns', { label: `word:${word}` })
    await call('listRuns', { specId: word })
  }
  for (const q of ['%', '_', '\\', '\\%', '%%', 'AU', 'Ä', 'ä', 'SS', 'K']) await call('listFeatures', { q })
  const filters = [
    { status: ['pending', 'completed', 'pending'] },
    { status: 'failed', limit: 2 },
    { featureId: 42, label: 'a:2' },
    { featureId: 9999 },
    { label: 'nocolon' },
    { label: 'word:' },
    { project: ['default', 'shop'] },
    { project: 'missing' },
    { createdAfter: '2026-01-31T09:30:00.000Z' },
    { createdBefore: '2026-01-31T10:30:00.001+01:00' },
    { createdAfter: 'yesterday' },
    { limit: 0 },
    { limit: 101 },
    { order: 'up' },
    { cursor: 'nonsense' },
    { nope: 1 },
  ]
  for (const filter of filters) {
    await walk(call, 'listRuns', filter)
    await call('listFeatureRuns', { id: 42, ...filter })
  }
  await call('listFeatureRuns', { id: 9999 })
  await call('listProjects', { q: 'x' })
  await call('listKeys', { limit: 1000 })
  const ranges = [
    {},
    { specId: 'PLAN' },
    { agent: 'ci' },
    { project: ['default', 'shop'], agent: 'AUTH', specId: 'AUTH-001' },
    { project: 'missing' },
    { createdAfter: '2026-01-31T09:30:00.003Z', createdBefore: '2026-02-02T01:00:00+01:00' },
    { createdAfter: '2026-01-01T00:00:00Z', createdBefore: '2027-01-02T00:00:00.001Z' },
    { createdBefore: '2026-01-01T00:00:00Z' },
    { createdAfter: '2099-01-01T00:00:00Z' },
    { limit: 1 },
  ]
  for (const range of ranges) await call('stats', range)
}

async function replays({ call, wait }: Recorder) {
  const key = (name: string) => ({ headers: { 'idempotency-key': name } })
  for (const input of [{ runId: 'ONCE' }, { runId: 'ONCE' }, { runId: 'TWICE' }])
    await call('createRun', input, key('a'))
  for (const name of ['b', 'b']) await call('createKey', { name: 'once', permissions: ['read'] }, key(name))
  for (const name of ['c', 'c']) await call('createRun', { runId: 'ONCE' }, key(name))
  for (const name of ['', 'with space', 'x'.repeat(256)]) await call('createRun', {}, key(name))
  wait(25 * 3600_000)
  await call('createRun', { runId: 'TWICE' }, key('a'))
}

async function deletions({ call }: Recorder) {
  for (const ifVersion of ['"0-0"', undefined]) await call('deleteRun', { runId: 'FULL', ifVersion })
  await call('deleteRun', { runId: 'FULL' })
  for (const ifVersion of ['"42-1"', '*', undefined]) await call('deleteFeature', { id: 42, ifVersion })
  for (const ifVersion of ['"0-0"', '*', undefined]) await call('deleteCheck', { checkId: 'FULL', ifVersion })
  for (const ifVersion of ['"0-0"', '*', undefined]) await call('deleteSpec', { specId: 'PLAN', ifVersion })
  await call('createSpec', { specId: 'PLAN' })
  await call('listSpecVersions', { specId: 'PLAN' })
  await call('deleteRun', { runId: 'CHECKED' })
  await call('listChecks', { runId: 'CHECKED' })
  await call('search', { q: 'plan' })
  await call('createRun', { runId: 'FULL' })
  await call('createFeature', { name: 'after the deletion' })
  let after = 0
  for (;;) {
    const { body } = await call('listEvents', { after, limit: 100 })
    const { hasMore, lastSeq } = body.meta as { hasMore: boolean; lastSeq: number }
    if (!hasMore) break
    after = lastSeq
  }
  await call('listEvents', { project: 'shop' })
  await call('listEvents', { after: -1 })
}
