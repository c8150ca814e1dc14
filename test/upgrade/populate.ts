import type { Code } from './code.ts'
import { adminKey, type Teller, tellerOf, type Word } from './teller.ts'

/** What later code must support for the ledger, besides returning its rows. */
export interface Story {
  /** The time of the last call. */
  endedAt: string
  words: Word[]
  /** Secrets by the names of their keys. */
  secrets: Record<string, string>
  /** The run that is still leased, and the token of its lease. */
  lease?: { runId: string; token: string }
  /** The cookie of a session that has not ended. */
  cookie?: string
  /** An earlier request with its key, and the part of its response that a replay must return. */
  replay: { name: 'createRun'; input: { title: string }; idempotencyKey: string; runId: string }
}

/**
 * Creates a ledger at `url` with rows of every kind that this version of the code has, through its own client. Skips
 * operations and fields that the version does not have. Add here what a new version can store.
 */
export async function populate(code: Code, url: string): Promise<Story> {
  const it = await tellerOf(code, url)
  const secrets = await people(it)
  await work(it, secrets)
  await texts(it)
  const checked = await specsAndChecks(it, secrets)
  await sessions(it, secrets)
  const lease = await leases(it, secrets)
  const cookie = await session(it, secrets)
  await shop(it, secrets)
  const replay = { name: 'createRun', input: { title: 'Told twice' }, idempotencyKey: 'told-twice' } as const
  const { run } = await it.as(adminKey)(replay.name, replay.input, replay.idempotencyKey)
  const words = [...it.words, ...checked]
  await it.close()
  return {
    endedAt: new Date(it.now()).toISOString(),
    words,
    secrets,
    ...(lease && { lease }),
    ...(cookie && { cookie }),
    replay: { ...replay, runId: run.runId },
  }
}

async function people(it: Teller): Promise<Record<string, string>> {
  const admin = it.as(adminKey)
  await admin('createProject', { slug: 'shop', name: 'Der Läden 🛒', repository: 'https://git.example/shop.git' })
  await admin('createProject', { slug: 'empty' })
  await admin('updateProject', { slug: 'shop', name: 'The shop' })
  const secrets: Record<string, string> = {}
  const keys = [
    { name: 'ada', permissions: ['write', 'delete'] },
    { name: 'ci', permissions: ['write'] },
    { name: 'bot', permissions: ['agent'], project: 'shop' },
    { name: 'reader', permissions: ['read'] },
    { name: 'brief', permissions: ['write'], expiresAt: '2026-11-20T09:00:00Z' },
    { name: 'gone', permissions: ['admin'] },
  ]
  for (const key of keys) {
    const { key: made, secret } = await admin('createKey', key)
    secrets[key.name] = secret as unknown as string
    if (key.name === 'gone') await admin('revokeKey', { id: made.id })
  }
  await admin('createWebhook', { url: 'https://hooks.example/server' })
  await admin('createWebhook', { url: 'https://hooks.example/shop', types: ['run.created'], project: 'shop' })
  await admin('rotateWebhookSecret', { id: 2 })
  await admin('updateWebhook', { id: 2, enabled: false })
  return secrets
}

const everyField = {
  title: "Every field — “quoted” 'twice', naïve, 日本語, 🚀",
  specId: 'AUTH-001',
  status: 'in_progress',
  agent: 'claude-code',
  labels: { team: 'web', 'ticket/nr.1': '', long: 'x'.repeat(64) },
  where: { host: 'laptop', cwd: '/home/ada/shop', session: 'b2c1' },
  git: {
    repository: 'https://git.example/shop.git',
    branch: 'main',
    base: 'a'.repeat(40),
    commit: 'b'.repeat(40),
    dirty: true,
  },
  changes: { files: 3, insertions: 120, deletions: 7 },
  links: [
    { rel: 'pull-request', href: 'https://git.example/shop/pulls/7' },
    { rel: 'ci', href: 'https://ci.example/jobs/1?x=%20' },
  ],
  usage: { model: 'model-1', inputTokens: 120_000, outputTokens: 4_500, costUsd: 0.75 },
}

/** Creates runs with every field and every status, some of them changed, deleted or linked to features. */
async function work(it: Teller, secrets: Record<string, string>): Promise<void> {
  const ada = it.as(secrets.ada as string)
  await ada('createRun', { runId: 'FULL', content: '# Log\n\nIt said „zephyrwort“.\n', ...everyField })
  await ada('createRun', { content: '## The title is the heading ##\n\ntext' })
  await ada('createRun', {})
  for (const status of ['pending', 'in_progress', 'completed', 'failed']) {
    const failure = status === 'failed' ? { failure: { code: 'TESTS_FAILED', message: 'Zwei Tests,\nrot.' } } : {}
    await ada('createRun', { runId: `IS-${status.toUpperCase()}`, title: `Is ${status}`, status, ...failure })
  }
  await ada('createRun', { runId: 'CHANGED', content: 'first words', labels: { a: '1', b: '2' }, specId: 'AUTH-001' })
  await ada('updateRun', {
    runId: 'CHANGED',
    status: 'completed',
    content: 'second words: wandelwort',
    labels: { b: '3' },
  })
  await ada('updateRun', { runId: 'CHANGED', status: 'in_progress', specId: null, usage: { costUsd: 0.25 } })
  await ada('updateRun', { runId: 'CHANGED', status: 'failed', failure: { code: 'GAVE_UP', message: '' }, agent: null })
  await ada('createFeature', { name: 'login', description: 'Log in — mit „flaumwort“', file: 'src/auth/login.ts' })
  await ada('createFeature', { name: 'über/uns 🧭' })
  await ada('linkFeatures', {
    runId: 'FULL',
    featureIds: [1, 2],
    features: [{ name: 'checkout', file: 'src/shop/pay.ts' }],
  })
  await ada('linkFeatures', { runId: 'CHANGED', featureIds: [1, 3] })
  await ada('unlinkFeature', { runId: 'CHANGED', featureId: 3 })
  await ada('updateFeature', { id: 1, name: 'log-in' })
  await ada('createFeature', { name: 'short-lived' })
  await ada('deleteFeature', { id: 4 })
  await ada('createRun', { runId: 'DELETED', title: 'Soon gone', content: 'gone with its words: verwehtwort' })
  await ada('linkFeatures', { runId: 'DELETED', featureIds: [2] })
  await ada('deleteRun', { runId: 'DELETED' })
  it.words.push(
    { q: 'zephyrwort', project: 'default', type: 'run', subject: 'FULL' },
    { q: 'wandelwort', project: 'default', type: 'run', subject: 'CHANGED' },
    { q: 'flaumwort', project: 'default', type: 'feature', subject: '1' },
  )
}

/** Creates contents of several parts, with multibyte characters at each border, and one whose middle was dropped. */
async function texts(it: Teller): Promise<void> {
  const admin = it.as(adminKey)
  const line = (n: number) => `${n}: grüße aus zeile ${n} 🚀\n`
  const lines = (count: number) => Array.from({ length: count }, (_, n) => line(n)).join('')
  await admin('createRun', { runId: 'LONG', content: `${'🚀'.repeat(8_200)}\n${'ä'.repeat(16_401)}\nendwort` })
  await admin('createRun', { runId: 'GROWN', title: 'Grown by appends' })
  for (let n = 0; n < 5; n++) await admin('appendToRun', { runId: 'GROWN', text: lines(n * 12) })
  await admin('appendToRun', { runId: 'GROWN', text: 'grown to the letzteswort' })
  const small = it.as(adminKey, undefined, 4000)
  await small('createRun', { runId: 'CUT', title: 'Its middle was dropped' })
  for (let n = 0; n < 4; n++) await small('appendToRun', { runId: 'CUT', text: lines(60) })
  it.words.push({ q: 'endwort', project: 'default', type: 'run', subject: 'LONG' })
  if (!it.knows('appendToRun')) return
  it.words.push({ q: 'letzteswort', project: 'default', type: 'run', subject: 'GROWN' })
}

/** Creates specs with versions, and checks of every result by the author and by others, which give every verdict. */
async function specsAndChecks(it: Teller, secrets: Record<string, string>): Promise<Word[]> {
  const [ada, ci] = [it.as(secrets.ada as string), it.as(secrets.ci as string)]
  await ada('createSpec', { specId: 'AUTH-001', content: '# Log in\n\n- [x] button\n- [ ] tests\n', agent: 'ada' })
  await ada('updateSpec', {
    specId: 'AUTH-001',
    content: '# Log in by passkey\n\n- [x] button\n- [x] tests (hortwort)\n',
  })
  await ada('updateSpec', { specId: 'AUTH-001', status: 'completed' })
  await ada('updateSpec', { specId: 'AUTH-001', title: 'Logging in', status: 'archived' })
  await ada('createSpec', { title: 'ohne Inhalt' })
  await ada('createSpec', { specId: 'GONE', content: 'deleted again' })
  await ada('deleteSpec', { specId: 'GONE' })
  for (const runId of ['VERIFIED', 'STALE', 'FAILING', 'WARNED', 'SELF', 'MOVED']) {
    const git = { commit: 'c'.repeat(40), branch: 'main' }
    await ada('createRun', { runId, title: `Judged: ${runId}`, specId: 'AUTH-001', status: 'completed', git })
  }
  const ran = { command: 'npm test', exitCode: 0, durationMs: 41_000, commit: 'c'.repeat(40), agent: 'ci' }
  await ci('createCheck', { runId: 'VERIFIED', name: 'tests', result: 'pass', content: '212 pruefwort', ...ran })
  await ci('createCheck', { runId: 'VERIFIED', name: 'lint', result: 'pass', ...ran, command: 'npm run lint' })
  await ci('createCheck', { runId: 'STALE', name: 'tests', result: 'pass', ...ran })
  await ada('updateRun', { runId: 'STALE', git: { commit: 'd'.repeat(40) } })
  await ci('createCheck', { runId: 'FAILING', name: 'tests', result: 'pass', ...ran })
  await ci('createCheck', { runId: 'FAILING', name: 'tests', result: 'fail', ...ran, exitCode: 1, content: 'Rot.' })
  await ada('createCheck', { checkId: 'LOOK', runId: 'WARNED', name: 'review', result: 'warn', content: 'Half of it.' })
  await ada('createCheck', { runId: 'SELF', result: 'pass' })
  await ci('createCheck', { checkId: 'MENDED', runId: 'MOVED', name: 'tests', result: 'fail', ...ran, exitCode: 2 })
  await ci('updateCheck', { checkId: 'MENDED', result: 'pass', exitCode: 0, content: 'Green now.' })
  await ci('createCheck', { checkId: 'UNSAID', runId: 'MOVED', name: 'review', result: 'fail' })
  await ada('deleteCheck', { checkId: 'UNSAID' })
  await ada('createRun', { runId: 'AGAIN', retryOf: 'IS-FAILED', title: 'A second attempt' })
  await ada('createRun', { runId: 'AND-AGAIN', retryOf: 'AGAIN', title: 'A third' })
  await ada('createRun', { runId: 'ORPHAN', retryOf: 'CHANGED', title: 'The attempt before it is deleted' })
  await ada('createRun', { runId: 'SHARED', title: 'Begun by one author', status: 'in_progress' })
  await ci('appendToRun', { runId: 'SHARED', text: 'Finished by another.\n' })
  await ci('updateRun', { runId: 'SHARED', status: 'completed' })
  await ci('createCheck', { runId: 'SHARED', name: 'tests', result: 'pass' })
  if (!it.knows('createSpec')) return []
  return [
    { q: 'hortwort', project: 'default', type: 'spec', subject: 'AUTH-001' },
    { q: 'pruefwort', project: 'default', type: 'check', subject: 'CHECK-001' },
  ]
}

/**
 * Creates what an agent session records: turns with every field, an activity, a check by commit, and an imported run.
 */
async function sessions(it: Teller, secrets: Record<string, string>): Promise<void> {
  if (!it.knows('appendTurn')) return
  const [admin, ada, ci] = [it.as(adminKey), it.as(secrets.ada as string), it.as(secrets.ci as string)]
  const state = (tree: string, commit = 'e') => ({ tree: tree.repeat(40), commit: commit.repeat(40), dirty: false })
  const leaseToken = 'a-token-of-a-session-0123456789abcdef'
  const author = 'Ada Lovelace <ada@example.org>'
  await ada('createRun', {
    runId: 'SESSION',
    status: 'in_progress',
    author,
    where: { cwd: '/home/ada/shop', session: '7f3a' },
    git: { repository: 'https://git.example/shop.git', branch: 'wechsel', ...state('1') },
    startedAt: '2026-11-20T08:00:01Z',
    leaseSeconds: 600,
    leaseToken,
  })
  await ada('heartbeat', {
    runId: 'SESSION',
    leaseToken,
    activity: { state: 'working', tool: 'Bash', target: 'npm test' },
  })
  const usage = { model: 'model-1', inputTokens: 9000, cacheReadTokens: 8000, cacheWriteTokens: 500, outputTokens: 120 }
  await ada('appendTurn', {
    runId: 'SESSION',
    leaseToken,
    n: 1,
    startedAt: '2026-11-20T08:00:01Z',
    endedAt: '2026-11-20T08:00:40Z',
    prompt: `Warum ist der Test rot?\n\n${'Und noch etwas. '.repeat(500)}fragewort`,
    answer: 'Weil die Uhr falsch geht.',
    model: 'model-1',
    tools: [
      { name: 'Bash', count: 2, failed: 1 },
      { name: 'Edit', count: 1, refused: 1 },
    ],
    files: [{ path: 'src/clock.ts', insertions: 12, deletions: 3 }, { path: 'docs/уhr.md' }],
    commands: [{ command: 'npm test', exitCode: 1, durationMs: 4100, at: '2026-11-20T08:00:20Z' }],
    plan: [
      { text: 'find it', status: 'completed' },
      { text: 'mend it', status: 'in_progress' },
    ],
    agents: [{ name: 'explorer', turns: 2, tokens: 900 }],
    compactions: 1,
    usage: { ...usage, costUsd: 0.0421, costSource: 'estimated' },
    git: state('2'),
  })
  await ada('appendTurn', { runId: 'SESSION', leaseToken, n: 2, prompt: 'Weiter', interrupted: true })
  await ada('appendTurn', { runId: 'SESSION', leaseToken, n: 3, failure: { code: 'API_ERROR', message: 'overloaded' } })
  await ada('appendTurn', {
    runId: 'SESSION',
    leaseToken,
    n: 4,
    answer: 'Fertig.',
    git: { ...state('3', 'f'), commits: ['f'.repeat(40)] },
  })
  await ada('updateRun', {
    runId: 'SESSION',
    leaseToken,
    status: 'completed',
    endedAt: new Date(it.now() - 500).toISOString(),
  })
  await ci('createCheck', { name: 'tests', result: 'pass', exitCode: 0, ...state('3', 'f') })
  const command = 'npm run \u001b[1mbuild\u001b[0m'
  await ci('createRun', { runId: 'EXEC', status: 'failed', command, exitCode: 2, contentType: 'text/x-terminal' })
  await admin('createRun', { runId: 'BROUGHT', title: 'From before', createdAt: '2025-01-02T03:04:05Z', author })
  it.words.push({ q: 'fragewort', project: 'default', type: 'turn', subject: 'SESSION/1' })
}

async function leases(it: Teller, secrets: Record<string, string>): Promise<Story['lease']> {
  const ada = it.as(secrets.ada as string)
  await ada('createRun', { runId: 'LAPSED', status: 'in_progress', title: 'Never heard of again', leaseSeconds: 10 })
  await ada('createRun', {
    runId: 'FINISHED',
    status: 'in_progress',
    leaseSeconds: 60,
    leaseToken: 'a-token-of-its-own-0123456789abcdef',
  })
  await ada('updateRun', { runId: 'FINISHED', status: 'completed', leaseToken: 'a-token-of-its-own-0123456789abcdef' })
  await it.advance(60_000)
  const leased = await ada('createRun', {
    runId: 'LIVE',
    status: 'in_progress',
    title: 'At work',
    leaseSeconds: 86_400,
  })
  await ada('createRun', { runId: 'BEATING', status: 'in_progress', title: 'Alive without a lease' })
  await ada('heartbeat', { runId: 'BEATING' })
  const { lease } = leased as unknown as { lease?: { token: string } }
  return lease && { runId: 'LIVE', token: lease.token }
}

async function session(it: Teller, secrets: Record<string, string>): Promise<string | undefined> {
  if (!it.knows('createSession')) return undefined
  await it.as(adminKey)('createLoginCode', {})
  const answer = await it.fetch('/v1/auth/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: secrets.ada }),
  })
  return answer.headers.get('set-cookie')?.split(';')[0]
}

/** Creates the same ids in another project. */
async function shop(it: Teller, secrets: Record<string, string>): Promise<void> {
  const bot = it.as(secrets.bot as string)
  await bot('createRun', { runId: 'FULL', content: '# Der Laden\n\nnurladenwort', ...everyField, title: 'Of the shop' })
  await bot('createFeature', { name: 'login', file: 'src/auth/login.ts' })
  await bot('linkFeatures', { runId: 'FULL', featureIds: [1] })
  await bot('createSpec', { specId: 'AUTH-001', content: '# Another spec of that name' })
  await bot('createCheck', { runId: 'FULL', name: 'tests', result: 'warn', content: 'beinahe' })
  await bot('createRun', { title: 'Numbered on its own' })
  it.words.push({ q: 'nurladenwort', project: 'shop', type: 'run', subject: 'FULL' })
}
