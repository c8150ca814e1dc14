import { type Arbitrary, toStringMethod } from 'fast-check'
import type { Client, Input } from '../../src/client/client.ts'
import { ConductError } from '../../src/client/client.ts'
import { statuses } from '../../src/nouns/run/state.ts'
import type { Ledger } from '../support/engines.ts'
import fc from '../support/random.ts'

/** One call of a random history. Its targets may be missing. */
export type Deed = { [N in Call]: { call: N; input: Input<N> } }[Call] | { call: 'advance'; input: { ms: number } }

/** The writing operations of histories. */
export const calls = [
  ...(['createRun', 'updateRun', 'appendToRun', 'deleteRun', 'linkFeatures', 'unlinkFeature', 'heartbeat'] as const),
  ...(['appendTurn', 'addDiffs', 'createSpec', 'updateSpec', 'deleteSpec'] as const),
  ...(['createCheck', 'updateCheck', 'deleteCheck', 'updateAttention'] as const),
  ...(['createFeature', 'updateFeature', 'deleteFeature'] as const),
  ...(['createProject', 'updateProject', 'createKey', 'updateKey', 'revokeKey'] as const),
  ...(['createWebhook', 'updateWebhook', 'deleteWebhook', 'rotateWebhookSecret', 'erase'] as const),
  ...(['deleteProject', 'forget'] as const),
]
type Call = (typeof calls)[number]

const idOf = (letter: string, most = 4) => fc.integer({ min: 1, max: most }).map((n) => `${letter}-${n}`)
const runId = idOf('R')
const specId = idOf('S', 3)
const checkId = idOf('C', 4)
const id = fc.integer({ min: 1, max: 4 })
const slug = idOf('P', 2)
const name = fc.constantFrom('tests', 'lint', 'review')
const featureName = fc.constantFrom('login', 'über uns', 'checkout', 'feature-2', 'feature-9')
const maybe = <Value>(value: Arbitrary<Value>) => fc.option(value, { nil: undefined })
const word = fc.constantFrom(
  'apfel',
  'birne',
  'Straße',
  'naïve',
  'src/auth/loginForm.ts',
  '日本語',
  '🚀rakete',
  'AUTH-001',
)
/** Texts of a few words, some so long that they need several parts. */
const text = fc
  .tuple(fc.array(word, { maxLength: 4 }), fc.constantFrom(1, 1, 1, 40, 700))
  .map(([words, times]) => ` ${words.join(' ')}\n`.repeat(times))
const url = fc.constantFrom('http://localhost:9/', 'http://127.0.0.1:9/b')
const types = fc.subarray(['run.created', 'check.created', 'spec.updated'] as const).map((some) => [...some])
const title = maybe(fc.tuple(word, word).map((words) => words.join(' ')))

const status = maybe(fc.constantFrom(...statuses))
const objectId = fc.constantFrom('a'.repeat(40), 'b'.repeat(40))
const git = fc.record({
  branch: maybe(fc.constantFrom('main', 'login')),
  ...{ commit: objectId, tree: maybe(objectId), dirty: maybe(fc.boolean()), commitTree: maybe(objectId) },
  uncommitted: maybe(
    fc.constantFrom<{ count: number; paths: string[] } | null>(
      null,
      { count: 0, paths: [] },
      { count: 1, paths: ['x.ts'] },
    ),
  ),
  commits: maybe(fc.subarray(['a'.repeat(40), 'b'.repeat(40)])),
})
/** The token of all leases, by which a recorder of any run can check it. */
const leaseToken = 'l'.repeat(32)
const person = fc.constantFrom(null, 'Ada <ada@example.com>', 'Bob <bob@example.com>')
const required = fc.constantFrom<string[]>(['tests'], ['tests', 'lint'], [])
/** Most usages name a model, which an erasure may take. */
const withModel = <Usage extends { inputTokens: number }>(usage: Usage) => ({
  ...usage,
  model: ['apfel', 'birne', undefined][usage.inputTokens % 3],
})
const runFields = fc.record({
  title,
  status,
  content: maybe(text),
  specId: maybe(fc.oneof(specId, fc.constant(null))),
  labels: maybe(fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('', '1'))),
  usage: maybe(fc.record({ inputTokens: fc.nat(9), costUsd: fc.constantFrom(0.25, 0.5) }).map(withModel)),
  git: maybe(git),
  agentVersion: maybe(fc.constantFrom(null, '1.0', '1.1')),
  author: maybe(fc.constantFrom(null, 'Ada', 'Ada <ada@example.com>')),
  command: maybe(word),
  exitCode: maybe(fc.constantFrom(null, 0, 1)),
  contentType: maybe(fc.constantFrom('text/markdown' as const, 'text/x-terminal')),
})
const checkFields = fc.record({
  ...{ content: maybe(text), command: maybe(word), agent: maybe(word), commit: maybe(objectId) },
  ...{ tree: maybe(fc.oneof(objectId, fc.constant(null))), dirty: maybe(fc.boolean()) },
  ...{ startTree: maybe(objectId), commitTree: maybe(objectId) },
  pipeline: maybe(fc.record({ id: fc.constantFrom('7', '8'), job: word })),
})
const path = fc.oneof(word, fc.constantFrom('src/auth/session.ts', './src/a.ts', 'src/auth', '/etc/hosts'))
const turnFields = fc.record({
  prompt: maybe(text.map((long) => long.slice(0, 900))),
  answer: maybe(text.map((long) => long.slice(0, 900))),
  model: maybe(word),
  tools: maybe(fc.array(fc.record({ name: word, count: fc.nat(9) }), { maxLength: 2 })),
  restored: maybe(fc.array(path, { maxLength: 2 })),
  files: maybe(fc.array(fc.record({ path, insertions: maybe(fc.nat(9)) }), { maxLength: 3 })),
  usage: maybe(fc.record({ inputTokens: fc.nat(9), costUsd: maybe(fc.constantFrom(0.25, 0.5)) }).map(withModel)),
  git: maybe(git),
})
const result = fc.constantFrom('pass' as const, 'fail' as const, 'warn' as const)
const retention = fc.constantFrom<Input<'updateProject'>['retention']>(
  null,
  { contentDays: 1, keep: { labels: ['a'] } },
  { contentDays: 1, runDays: 3, keep: { failed: true } },
  { runDays: 1 },
)
/** A field that is usually missing, because most calls fail with it. */
const seldom = <Value>(value: Arbitrary<Value>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
const leaseSeconds = seldom(fc.constantFrom(10, 10, 3600))

const change = fc.record(
  {
    status: fc.constantFrom('added' as const, 'modified' as const),
    insertions: fc.nat(9),
    patch: fc.constantFrom('@@ -1 +1 @@\n-apfel\n+birne\n', '@@ -0,0 +1 @@\n+Straße\n'),
  },
  { requiredKeys: ['status'] },
)
const fileDiff = fc
  .record({
    path: fc.constantFrom('a.ts', 'b/c.ts', 'apfel.md'),
    change: maybe(change),
    whole: maybe(fc.option(change)),
  })
  .map(({ path, change, whole }) => ({
    path,
    ...(change && { change }),
    ...((whole !== undefined || !change) && { whole: whole ?? null }),
  }))

const inputs: { [N in Call]: Arbitrary<Input<N>> } = {
  createRun: fc
    .tuple(runFields, runId, seldom(runId), leaseSeconds, maybe(required))
    .map(([fields, runId, retryOf, leaseSeconds, required]) => {
      const { status, ...others } = fields
      return { ...others, runId, retryOf, required, ...(leaseSeconds ? { leaseSeconds, leaseToken } : { status }) }
    }),
  updateRun: fc.tuple(runId, runFields).map(([runId, fields]) => ({ runId, ...fields })),
  appendToRun: fc.record({ runId, text }),
  appendTurn: fc.tuple(turnFields, runId, seldom(fc.nat(3)), fc.boolean()).map(([fields, runId, n, isOpen]) => ({
    ...(isOpen ? { open: true as const, prompt: fields.prompt, model: fields.model } : fields),
    runId,
    ...(n !== undefined && { n: n + 1 }),
  })),
  addDiffs: fc.record({
    runId,
    turn: fc.constantFrom(1, 1, 2),
    diffs: fc.uniqueArray(fileDiff, { minLength: 1, maxLength: 3, selector: ({ path }) => path }),
  }),
  deleteRun: fc.record({ runId }),
  linkFeatures: fc.record({ runId, featureIds: fc.array(id, { minLength: 1, maxLength: 3 }) }),
  unlinkFeature: fc.record({ runId, featureId: id }),
  heartbeat: fc
    .tuple(turnFields, runId)
    .map(([{ tools, files, usage }, runId]) => ({ runId, turn: { tools, files, usage } })),
  createSpec: fc.record({ specId, title, content: maybe(text) }),
  updateSpec: fc.record({
    specId,
    title,
    content: maybe(text),
    status: fc.constantFrom('draft' as const, 'completed'),
  }),
  deleteSpec: fc.record({ specId }),
  createCheck: fc
    .tuple(checkFields, checkId, runId, name, result, seldom(fc.constantFrom('hook' as const, 'exec')))
    .map(([fields, checkId, runId, name, result, recorder]) => ({
      ...{ ...fields, checkId, runId, name, result },
      ...(recorder && { recorder, leaseToken }),
    })),
  updateCheck: fc.tuple(checkFields, checkId, maybe(result)).map(([fields, checkId, result]) => ({
    ...fields,
    checkId,
    result,
  })),
  deleteCheck: fc.record({ checkId }),
  updateAttention: fc.record({
    runIds: fc.uniqueArray(runId, { minLength: 1, maxLength: 2 }),
    assignee: maybe(fc.constantFrom(null, 'Ada <ada@example.com>')),
    until: maybe(fc.constantFrom(null, '2999-01-01T00:00:00.000Z')),
    resolved: maybe(fc.boolean()),
    note: maybe(fc.oneof(word, fc.constant(null))),
  }),
  createFeature: fc.record({ name: featureName, description: maybe(text.map((long) => long.slice(0, 900))) }),
  updateFeature: fc.record({ id, name: maybe(featureName), file: maybe(word) }),
  deleteFeature: fc.record({ id }),
  createProject: fc.record({ slug, name: maybe(word), repository: maybe(fc.constantFrom(null, 'shop.git')) }),
  updateProject: fc.oneof(
    fc.record({ slug, name: maybe(word), repository: maybe(fc.constantFrom(null, 'till.git')) }),
    fc.record({ slug: fc.constant('default'), retention }),
  ),
  deleteProject: slug.map((slug) => ({ slug, confirm: slug })),
  forget: fc.constant({}),
  createKey: fc.record({
    name: word,
    permissions: fc.subarray(['read', 'agent', 'write'] as const, { minLength: 1 }).map((some) => [...some]),
    project: maybe(fc.oneof(slug, fc.constant(null))),
    expiresAt: maybe(fc.constantFrom(null, '2999-01-01T00:00:00.000Z')),
    person: maybe(person),
  }),
  updateKey: fc.record({ id: id.map((n) => n + 1), person, machine: maybe(word) }),
  // Any key except the first one, which makes all calls.
  revokeKey: fc.record({ id: id.map((n) => n + 1) }),
  createWebhook: fc.record({ url, types: maybe(types), project: maybe(fc.oneof(slug, fc.constant(null))) }),
  updateWebhook: fc.record({ id, url: maybe(url), types: maybe(types), enabled: maybe(fc.boolean()) }),
  deleteWebhook: fc.record({ id }),
  rotateWebhookSecret: fc.record({ id }),
  erase: fc.oneof(
    fc.record({ runId }),
    fc.record({ specId }),
    fc.record({ text: word }),
    fc.constant({ everything: true as const }),
  ),
}

/** Creating and appending are more frequent, so that there is something to change and delete. */
const weights: Partial<Record<Call, number>> = {
  createRun: 6,
  appendToRun: 4,
  appendTurn: 5,
  addDiffs: 3,
  createCheck: 3,
  createSpec: 3,
  linkFeatures: 3,
}

export const deed: Arbitrary<Deed> = fc.oneof(
  ...calls.map((call) => ({
    weight: weights[call] ?? 1,
    arbitrary: (inputs[call] as Arbitrary<never>).map((input) => ({ call, input }) as Deed),
  })),
  {
    weight: 1,
    arbitrary: fc.constantFrom(1000, 11_000, 180_000_000).map((ms): Deed => ({ call: 'advance', input: { ms } })),
  },
)

/** The calls with which each history begins. */
export const beginning: Deed[] = [
  { call: 'createSpec', input: { specId: 'S-1', content: '- [ ] apfel' } },
  { call: 'createRun', input: { runId: 'R-1', specId: 'S-1', content: 'birne' } },
  { call: 'createRun', input: { runId: 'R-2', retryOf: 'R-1' } },
  { call: 'createRun', input: { runId: 'R-3', content: '🚀rakete '.repeat(9000) } },
  { call: 'createProject', input: { slug: 'P-1' } },
  { call: 'createKey', input: { name: 'apfel', permissions: ['agent'], project: 'P-1' } },
  { call: 'createWebhook', input: { url: 'http://localhost:9/', project: 'P-1' } },
  { call: 'createCheck', input: { checkId: 'C-1', runId: 'R-1', name: 'tests', result: 'pass' } },
  { call: 'appendTurn', input: { runId: 'R-1', prompt: 'apfel', answer: 'birne' } },
  { call: 'addDiffs', input: { runId: 'R-1', turn: 1, diffs: [{ path: 'a.ts', change: { status: 'added' } }] } },
  { call: 'createCheck', input: { checkId: 'C-2', runId: 'R-3', name: 'lint', result: 'warn', content: 'Straße' } },
  { call: 'linkFeatures', input: { runId: 'R-1', featureIds: [1, 2] } },
  { call: 'linkFeatures', input: { runId: 'R-3', featureIds: [2] } },
]

export const history: Arbitrary<Deed[]> = fc
  .array(deed, { minLength: 10, maxLength: 50 })
  .map((deeds) => [...beginning, ...deeds])
  .map((deeds) => Object.assign(deeds, { [toStringMethod]: () => deeds.map(shortOf).join('\n') }))

/** The call as a failure shows it, with long texts shortened. */
function shortOf({ call, input }: Deed): string {
  const short = (_: string, value: unknown) =>
    typeof value === 'string' && value.length > 60 ? `${value.slice(0, 40)}… ${value.length} characters` : value
  return `${call} ${JSON.stringify(input, short)}`
}

/** Makes one call. Returns whether it succeeded; throws on a 5xx. */
export async function carryOut({ client, advance }: Pick<Ledger, 'client' | 'advance'>, { call, input }: Deed) {
  if (call === 'advance') {
    advance(input.ms)
    return true
  }
  try {
    await (client[call] as (input: unknown) => Promise<unknown>)(JSON.parse(JSON.stringify(input)))
    return true
  } catch (error) {
    if (error instanceof ConductError && error.status < 500) return false
    throw error
  }
}

/** Every row of a list. */
export const allOf = <
  List extends 'listRuns' | 'listSpecs' | 'listChecks' | 'listFeatures' | 'listProjects' | 'listKeys' | 'listWebhooks',
>(
  client: Client,
  list: List,
) => Array.fromAsync(client.all(list, { limit: 100 } as Input<List>))
