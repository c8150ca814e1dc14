import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql, { join as joined, raw } from 'sql-template-tag'
import type { Client } from '../src/client/client.ts'
import { columnsOfKind } from '../src/contract/stored.ts'
import { indexMore } from '../src/find/follow.ts'
import { everyText } from '../src/log/event.ts'
import { checkFields } from '../src/nouns/run/check/fields.ts'
import { type Run, rowFields, runFields, runInput } from '../src/nouns/run/fields.ts'
import { operations } from '../src/operations/operations.ts'
import { eraseChecks, eraseTurns } from '../src/removal/erase/others.ts'
import { createApp } from '../src/server/app.ts'
import { verify } from '../src/verify/verify.ts'
import { requireModels } from './property/whole.ts'
import { type Engine, engines, type Ledger, testLedger, withLedger } from './support/engines.ts'
import { eraseAll, placesOf } from './support/erased.ts'
import { overlap } from './support/overlap.ts'

const secret = 'sk_live_Qx7Zt9'
const folded = 'sk_live_qx7zt9'

/** Fills a ledger in which every place that can contain the secret does. */
async function fill({ client, as }: Ledger) {
  await client.createProject({ slug: 'shop', name: `Shop ${secret}`, repository: secret })
  await client.createSpec({ specId: 'S', title: `Plan ${secret}`, content: `# Plan\n\n${secret}\n` })
  await client.updateSpec({ specId: 'S', content: '# Plan\n\n- [ ] clean\n' })
  const { run } = await client.createRun({
    ...{ runId: 'R', title: `Use ${secret}`, content: `log ${secret}\n`, labels: { key: secret, team: 'blue' } },
    ...{ agent: 'ci', author: `Ada ${secret}`, command: `curl ${secret}`, specId: 'S' },
    ...{ where: { cwd: `/home/${secret}`, session: secret }, links: [{ rel: 'pr', href: `https://a.b/${secret}` }] },
    git: { branch: secret, commit: 'a'.repeat(40) },
    ...{ usage: { model: 'm-1', inputTokens: 7 }, status: 'failed', failure: { code: 'OOPS', message: secret } },
  })
  await client.appendToRun({ runId: 'R', text: `${'x'.repeat(70_000)}${secret.slice(0, 7)}` })
  await client.appendToRun({ runId: 'R', text: secret.slice(7) })
  await client.appendTurn({
    ...{ runId: 'R', prompt: `say ${secret}`, answer: `said ${secret}`, plan: [{ text: secret, status: 'pending' }] },
    ...{ commands: [{ command: `echo "${secret}"`, exitCode: 0 }], files: [{ path: `src/${secret}`, insertions: 3 }] },
  })
  const change = { status: 'renamed' as const, from: `old/${secret}`, patch: `@@ -1 +1 @@\n-${secret}\n+it\n` }
  await client.addDiffs({
    runId: 'R',
    turn: 1,
    diffs: [{ path: `src/${secret}`, change, whole: { ...change, insertions: 1 } }],
  })
  await client.createCheck({ checkId: 'C', runId: 'R', result: 'fail', command: secret, content: secret })
  await client.linkFeatures({ runId: 'R', features: [{ name: `login ${secret}`, description: secret, file: secret }] })
  await client.createRun({ runId: 'GONE', title: secret })
  await client.deleteRun({ runId: 'GONE' })
  await client.updateRun({ runId: 'R', title: `${secret} again` })
  await as({ project: 'shop' }).createRun({ runId: 'R', title: secret, content: secret })
  await client.createRun({ runId: 'OTHER', title: 'innocent', content: 'innocent words\n' })
  await client.createKey({
    name: secret,
    permissions: ['read'],
    person: `Ada <${secret}@example.com>`,
    machine: secret,
  })
  const texts = Object.keys(runFields).filter(
    (name) => name in runInput && runFields[name as keyof Run].kind === 'text',
  )
  const { lease } = await client.createRun({
    ...{ runId: 'TEXTS', usage: { model: secret }, required: [secret], leaseSeconds: 600 },
    ...Object.fromEntries(texts.map((name) => [name, secret])),
  })
  const held = { runId: 'TEXTS', leaseToken: lease?.token }
  await client.heartbeat({ ...held, activity: { state: 'working', tool: secret, target: secret } })
  const pipeline = { id: secret, job: secret }
  await client.createCheck({ runId: 'TEXTS', name: secret, result: 'pass', agent: secret, commit: secret, pipeline })
  await client.createSpec({ specId: 'TEXTS', title: 'Texts', content: 'texts', agent: secret })
  return run
}

/** The columns of text that hold nothing that somebody wrote: ids, times, fixed words, digests and trees. */
const withoutTexts: Record<string, string[]> = {
  runs: columnsOfKind(rowFields, 'word', 'time', 'figures').filter((column) => column !== 'retry_of_run'),
  turns: ['created_at', 'erased_at'],
  turn_diffs: ['created_at'],
  specs: ['spec_id', 'status', 'created_at', 'updated_at', 'erased_at'],
  spec_versions: ['created_at'],
  checks: [
    ...columnsOfKind(checkFields, 'word', 'time').filter((name) => !['slug', 'run'].includes(name)),
    'result_person',
  ],
  features: ['created_at', 'updated_at', 'erased_at'],
  run_files: [],
  run_labels: ['name', 'created_at'],
  run_links: ['href_key', 'created_at'],
  run_models: ['created_at', 'told'],
  projects: ['slug', 'created_at', 'updated_at', 'retention', 'deleted_at', 'emptied_at'],
  keys: ['prefix', 'hash', 'permissions', 'created_at', 'last_used_at', 'expires_at', 'revoked_at'],
}

/** The columns of text in a table in which no row has the word. */
async function columnsWithout({ store: { db } }: Ledger, table: string, word: string): Promise<string[]> {
  const columns = await db.query<{ name: string }>(
    sql`select name from pragma_table_info(${table}) where type = 'TEXT' collate nocase order by cid`,
  )
  const rows = await db.query<Record<string, unknown>>(sql`select * from ${raw(table)}`)
  return columns.map(({ name }) => name).filter((name) => !rows.some((row) => String(row[name]).includes(word)))
}

test('every column of text is filled by these tests, or declared to hold no text', async () => {
  const [sqlite] = engines
  await withLedger(sqlite as Engine, async (ledger) => {
    await fill(ledger)
    const found = await Promise.all(
      Object.keys(withoutTexts).map(
        async (table) => [table, await columnsWithout(ledger, table, secret)] as [string, string[]],
      ),
    )
    const sorted = (columns: [string, string[]][]) => columns.map(([table, names]) => [table, names.toSorted()])
    assert.deepEqual(sorted(found), sorted(Object.entries(withoutTexts)))
  })
})

testLedger('a text is erased from every row, event, index and file', async (ledger) => {
  const { client, store, advance } = ledger
  await fill(ledger)
  const keyed = { method: 'POST', headers: { 'idempotency-key': 'k1', 'content-type': 'application/json' } }
  const body = JSON.stringify({ runId: 'KEPT', title: secret })
  assert.equal((await ledger.fetch('/v1/runs', { ...keyed, body })).status, 201)
  while (await indexMore(store.db, 5));
  advance(61_000)
  const before = await client.getCheckpoint()

  const counted = await eraseAll(client, { text: secret, dryRun: true })
  assert.ok((await placesOf(ledger, secret)).length > 0)
  assert.equal((await client.getRun({ runId: 'R' })).run.title, `${secret} again`)
  const erased = await eraseAll(client, { text: secret })
  assert.deepEqual(counted, erased)
  assert.deepEqual(await placesOf(ledger, secret), [])
  assert.deepEqual(await placesOf(ledger, folded), [], 'nor as a word of the index')
  assert.deepEqual((await client.search({ q: secret })).results, [])
  assert.deepEqual((await client.listSpecs({ q: 'sk_live' })).specs, [])

  const { run } = await client.getRun({ runId: 'R' })
  assert.deepEqual([run.title, run.labels, run.author], ['[erased]', { key: '[erased]', team: 'blue' }, '[erased]'])
  assert.deepEqual([run.usage, run.agent, run.git?.commit], [{ model: 'm-1', inputTokens: 7 }, 'ci', 'a'.repeat(40)])
  assert.match(run.content, /^\[\d\d,\d\d\d bytes erased\]\n$/)
  assert.ok(run.erasedAt)
  assert.equal((await client.getRun({ runId: 'OTHER' })).run.content, 'innocent words\n')
  const { turn } = await client.getTurn({ runId: 'R', n: 1 })
  assert.deepEqual([turn.prompt, turn.commands?.[0]?.exitCode], ['[18 bytes erased]\n', 0])
  assert.equal((await client.listRuns({ session: '[erased]' })).runs.length, 1)
  const replayed = await ledger.fetch('/v1/runs', { ...keyed, body })
  assert.equal(replayed.status, 409, 'the request stays carried out')

  advance(61_000)
  const found = await verify(client, [])
  assert.deepEqual(found.faults, [])
  assert.ok((found.erased ?? 0) > 20)
  assert.ok((await client.getConsistency({ from: before.size })).hashes)
  const { events } = await client.listEvents({ type: ['erasure.created'] })
  assert.equal(events.length, 1)
  assert.deepEqual(events[0]?.changes.what, [null, 'text'])
})

testLedger('a run continues after its texts are erased, and new texts in it are found', async (ledger) => {
  const { client, store } = ledger
  await client.createRun({
    runId: 'R',
    title: 'geheimnis',
    content: 'a'.repeat(100_000),
    agent: 'ci',
    status: 'in_progress',
  })
  await client.createCheck({ checkId: 'C', runId: 'R', result: 'pass', content: 'geheimnis' })
  while (await indexMore(store.db, 5));
  const erased = await eraseAll(client, { runId: 'R' })
  assert.deepEqual([erased.runs, erased.checks, erased.specs], [1, 1, 0])
  assert.equal((await client.getCheck({ checkId: 'C' })).check.result, 'pass')
  await client.appendToRun({ runId: 'R', text: 'wiedergefunden\n', offset: 100_000 })
  assert.equal((await client.getRun({ runId: 'R' })).run.content, '[100,000 bytes erased]\nwiedergefunden\n')
  assert.deepEqual((await client.readContent({ runId: 'R', after: 100_000 })).text, 'wiedergefunden\n')
  for (let round = 0; round < 2; round++) {
    const { results } = await client.search({ q: 'wiedergefunden' })
    assert.deepEqual(
      results.map(({ subject }) => subject),
      ['R'],
    )
    assert.deepEqual((await client.search({ q: 'geheimnis' })).results, [])
    while (await indexMore(store.db, 5));
  }
  await client.updateRun({ runId: 'R', title: 'renamed' })
  assert.deepEqual(
    (await client.search({ q: 'renamed' })).results.map(({ subject }) => subject),
    ['R'],
  )
  assert.deepEqual(await eraseAll(client, { runId: 'R' }), { ...erased, checks: 0, events: 1, responses: 1 })
})

testLedger('a deleted run, a spec and a project are erased', async (ledger) => {
  const { client, as } = ledger
  await fill(ledger)
  await eraseAll(client, { runId: 'GONE' })
  const { events } = await client.listEvents({ subject: 'GONE' })
  assert.deepEqual(
    events.map(({ changes }) => changes.title),
    [
      [null, '[erased]'],
      ['[erased]', null],
    ],
  )
  await eraseAll(client, { specId: 'S' })
  assert.match((await client.getSpecVersion({ specId: 'S', version: 1 })).version.content, /bytes erased/)
  assert.deepEqual((await client.getSpec({ specId: 'S' })).spec.checklist, { total: 1, done: 0 })
  await eraseAll(client, { everything: true })
  assert.equal((await client.getRun({ runId: 'OTHER' })).run.title, '[erased]')
  assert.equal((await as({ project: 'shop' }).getRun({ runId: 'R' })).run.title, secret)
  await assert.rejects(client.erase({ runId: 'NONE' }), { code: 'NOT_FOUND' })
  await assert.rejects(client.erase({}), { code: 'VALIDATION_ERROR' })
  await assert.rejects(client.erase({ runId: 'R', text: 'text' }), { code: 'VALIDATION_ERROR' })
  await assert.rejects(client.erase({ runId: 'R', cursor: 'nonsense' }), { code: 'BAD_REQUEST' })
})

testLedger('erasing a run leaves the events of runs with a similar id', async ({ client }) => {
  const runIds = ['A_1', 'AB1', 'a_1', 'A-1']
  for (const runId of runIds)
    await client.createCheck({
      runId: (await client.createRun({ runId })).run.runId,
      name: 'tests',
      command: runId,
      result: 'pass',
    })
  await eraseAll(client, { runId: 'A_1' })
  const { events } = await client.listEvents({ type: ['check.created'] })
  assert.deepEqual(
    events.map(({ changes }) => changes.command?.[1]),
    ['[erased]', 'AB1', 'a_1', 'A-1'],
  )
})

testLedger('no server shows the name of a key much longer than it is there', async (ledger) => {
  const { client, as, advance } = ledger
  const { secret: key } = await client.createKey({ name: secret, permissions: ['write'] })
  await as({ key }).createRun({ runId: 'R' })
  const other = await ledger.openAgain()
  const app = createApp({ store: other, rateLimit: 0 })
  const there = as({ fetch: (request) => app.fetch(request) })
  const nameBy = async (by: Client) => (await by.getRun({ runId: 'R' })).run.createdBy.name
  assert.deepEqual([await nameBy(client), await nameBy(there)], [secret, secret])
  await eraseAll(client, { text: secret })
  assert.equal(await nameBy(client), '[erased]')
  advance(10_000)
  assert.equal(await nameBy(there), '[erased]')
  await other.close()
})

testLedger('a check that is recorded while its name is erased gets the same name as others', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'R' })
  await client.createCheck({ checkId: 'C-1', runId: 'R', name: secret, result: 'fail' })
  await overlap(
    ledger,
    (ctx) => operations.createCheck(ctx, { checkId: 'C-2', runId: 'R', name: secret, result: 'pass' }),
    () => eraseAll(client, { text: secret }),
  )
  const { checks } = await client.listChecks({ runId: 'R' })
  assert.equal(checks.length, 2)
  assert.equal(checks[0]?.name, checks[1]?.name)
})

testLedger('an erasure goes on if the run that it was about to erase is deleted', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'R', title: secret, usage: { model: secret } })
  const erased = await overlap(
    ledger,
    (ctx) => operations.deleteRun(ctx, { runId: 'R' }),
    () => eraseAll(client, { text: secret }),
  )
  assert.equal(erased.runs, 0)
})

testLedger('the log has no text of a turn or check that is deleted while it is erased', async (ledger) => {
  const { client, store } = ledger
  const deletion = { turn: eraseTurns, check: eraseChecks }
  for (const [noun, erase] of Object.entries(deletion)) {
    await client.createRun({ runId: noun })
    await client.appendTurn({ runId: noun, plan: [{ text: secret, status: 'pending' }] })
    await client.createCheck({ checkId: noun, runId: noun, result: 'pass', command: secret })
    const [row] = await store.db.query<{ id: number }>(sql`select max(id) as id from ${raw(`${noun}s`)}`)
    await overlap(
      ledger,
      (ctx) => erase(ctx, [row?.id ?? 0], everyText),
      () => client.deleteRun({ runId: noun }),
    )
    const { events } = await client.listEvents({ type: [`${noun}.deleted` as 'turn.deleted'] })
    assert.equal(events.length, noun === 'turn' ? 1 : 2)
    assert.doesNotMatch(JSON.stringify(events.at(-1)), new RegExp(secret), noun)
  }
})

testLedger('a check that a run gets while it is erased is also erased from the log', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'R', title: secret })
  await overlap(
    ledger,
    (ctx) => operations.createCheck(ctx, { runId: 'R', checkId: 'C', name: 'tests', result: 'pass', command: secret }),
    () => eraseAll(client, { runId: 'R' }),
  )
  assert.match((await client.getCheck({ checkId: 'C' })).check.command ?? '', /^\[erased\] \d+$/)
  const { events } = await client.listEvents({ subject: 'C' })
  assert.deepEqual(
    events.map(({ changes }) => changes.command),
    [[null, '[erased]']],
  )
})

testLedger(
  'no run keeps the model and files of a turn that came during the erasure and lost them',
  async (ledger) => {
    const { client, store } = ledger
    await client.createRun({ runId: 'R', title: secret, usage: { model: 'm-1', inputTokens: 7 } })
    const tx = store.db.tx
    let isLate = false
    // The turn comes as soon as the run is erased, before turns are.
    store.db.tx = async (work, subject) => {
      const done = await tx(work, subject)
      if (!isLate && (await client.getRun({ runId: 'R' })).run.title !== secret) {
        isLate = true
        const files = [{ path: `${secret}.ts`, insertions: 1, deletions: 0 }]
        await client.appendTurn({ runId: 'R', prompt: secret, usage: { model: secret, inputTokens: 5 }, files })
      }
      return done
    }
    await eraseAll(client, { text: secret })
    store.db.tx = tx
    assert.ok(isLate)
    assert.equal((await client.getTurn({ runId: 'R', n: 1 })).turn.usage?.model, '[erased]')
    const { run } = await client.getRun({ runId: 'R' })
    assert.equal(run.usage?.model, '[erased]')
    assert.ok(!run.content.includes(secret), run.content)
    for (const filter of [{ model: secret }, { file: `${secret}.ts` }]) {
      assert.equal((await client.listRuns(filter)).runs.length, 0)
    }
    assert.equal((await client.listRuns({ model: '[erased]' })).runs.length, 1)
  },
  { isStill: true },
)

testLedger(
  'a run is found by the model of a turn that came while an earlier one was erased',
  async (ledger) => {
    const { client, store } = ledger
    await client.createRun({ runId: 'R', title: secret })
    await client.appendTurn({ runId: 'R', prompt: `Use ${secret}` })
    const tx = store.db.tx
    let isLate = false
    // The turn comes once the run is erased and its turns are looked for, so this erasure leaves it.
    store.db.tx = async (work, subject) => {
      if (!isLate && (await client.getRun({ runId: 'R' })).run.title !== secret) {
        isLate = true
        await client.appendTurn({ runId: 'R', usage: { model: secret, inputTokens: 5 } })
      }
      return tx(work, subject)
    }
    await eraseAll(client, { text: secret })
    store.db.tx = tx
    const { turns } = await client.listTurns({ runId: 'R' })
    assert.deepEqual(
      turns.map(({ usage }) => usage?.model),
      [undefined, secret],
    )
    await requireModels(store.db)
  },
  { isStill: true },
)

testLedger(
  'a turn whose request began before its run was erased leaves nothing in the run',
  async (ledger) => {
    const { client, store } = ledger
    await client.createRun({ runId: 'R', title: secret })
    const tx = store.db.tx
    let isLate = false
    store.db.tx = async (work, subject) => {
      const done = await tx(work, subject)
      if (!isLate && (await client.getRun({ runId: 'R' })).run.title !== secret) {
        isLate = true
        ledger.advance(-5_000)
        await client.appendTurn({ runId: 'R', prompt: secret, usage: { model: secret } })
        ledger.advance(5_000)
      }
      return done
    }
    await eraseAll(client, { text: secret })
    store.db.tx = tx
    assert.ok(isLate)
    const { run } = await client.getRun({ runId: 'R' })
    assert.equal(run.usage?.model, '[erased]')
    assert.ok(!run.content.includes(secret), run.content)
    assert.ok(run.updatedAt >= (run.erasedAt ?? ''), 'the turn came after the erasure')
  },
  { isStill: true },
)

testLedger(
  'the log has no text of a key that the key has lost, also if it came during the erasure',
  async (ledger) => {
    const { client, store } = ledger
    const { key } = await client.createKey({ name: secret, permissions: ['read'] })
    const eventsOf = async () => (await client.listEvents({ type: ['key.created', 'key.updated'], limit: 100 })).events
    const tx = store.db.tx
    let isUpdated = false
    // The key is changed as soon as its events have lost the text.
    store.db.tx = async (work, subject) => {
      const done = await tx(work, subject)
      if (!isUpdated && !JSON.stringify(await eventsOf()).includes(`${secret}"`)) {
        isUpdated = true
        await client.updateKey({ id: key.id, machine: secret })
      }
      return done
    }
    await eraseAll(client, { text: secret })
    store.db.tx = tx
    assert.ok(isUpdated)
    const shown = (await client.listKeys()).keys.find(({ id }) => id === key.id)
    assert.deepEqual((await eventsOf()).at(-1)?.changes.machine, [null, shown?.machine])
  },
  { isStill: true },
)

testLedger(
  'a text is erased where the title that Conduct makes of a content or a prompt is cut in it',
  async (ledger) => {
    const { client } = ledger
    const secret = 'ghp_Abcdefghijklmnopqrstuvwxyz0123456789'
    const line = `Notes ${'é'.repeat(132)} ${secret} and more`
    await client.createRun({ runId: 'CONTENT', content: `${line}\n\nbody` })
    await client.createRun({ runId: 'TURN' })
    await client.appendTurn({ runId: 'TURN', n: 1, prompt: line })
    await client.createSpec({ specId: 'SPEC', content: `# ${line}\n` })
    const titles = async () => [
      ...(await Promise.all(['CONTENT', 'TURN'].map((runId) => client.getRun({ runId })))).map(({ run }) => run.title),
      (await client.getSpec({ specId: 'SPEC' })).spec.title,
    ]
    for (const title of await titles()) assert.match(title ?? '', /ghp_Abcdefgh\w*…$/)
    await client.erase({ text: secret })
    assert.deepEqual(await titles(), ['[erased]', '[erased]', '[erased]'])
    assert.doesNotMatch(JSON.stringify(await client.listEvents({ limit: 100 })), /ghp_Abcd/)
  },
)

testLedger('a long text is erased, too, where a title or a sentence is cut in the middle of it', async (ledger) => {
  const { client } = ledger
  const long = `sk_live_${'Qx7Zt9'.repeat(20)}`
  const title = `Use ${long}`.slice(0, 69)
  await client.createRun({ runId: 'R', title: `${title}…`, labels: { said: `Use ${long.slice(0, 7)}…` } })
  await client.appendTurn({
    runId: 'R',
    prompt: `Use ${long} now`,
    commands: [{ command: `curl ${long}`, exitCode: 1 }],
  })
  await client.createCheck({ runId: 'R', name: 'smoke', result: 'fail', command: `curl -H ${long} http://x` })
  await client.createRun({ runId: 'OTHER', title: `sk_live… is the form of ${long.slice(0, 8)}keys` })
  await eraseAll(client, { text: long })
  assert.deepEqual(await placesOf(ledger, long.slice(0, 20)), [])
  const { run } = await client.getRun({ runId: 'R' })
  assert.deepEqual([run.title, run.why, run.labels], ['[erased]', '[erased]', { said: 'Use sk_live…' }])
  assert.equal((await client.getRun({ runId: 'OTHER' })).run.erasedAt, undefined)
})

testLedger('a text of several lines is erased from titles, which have its first', async (ledger) => {
  const { client } = ledger
  const lines = 'Ada Lund, 1 Harbor Road\nPhone 555-0100'
  await client.createRun({ runId: 'R', title: 'Write to Ada Lund, 1 Harbor Road' })
  await client.appendTurn({ runId: 'R', prompt: `Write to ${lines}` })
  await client.createRun({ runId: 'OTHER', title: 'Ada Lund, another one' })
  await eraseAll(client, { text: lines })
  assert.equal((await client.getRun({ runId: 'R' })).run.title, '[erased]')
  assert.equal((await client.getRun({ runId: 'OTHER' })).run.erasedAt, undefined)
  assert.deepEqual(await placesOf(ledger, 'Harbor Road'), [])
})

testLedger('a text of several lines is erased from the log of its run, where it is quoted', async ({ client }) => {
  const key = `-----BEGIN ${secret}-----\nMIIEvQIBADANBg\n-----END-----`
  for (const runId of ['QUOTED', 'RAN', 'OTHER']) await client.createRun({ runId })
  await client.appendTurn({ runId: 'QUOTED', prompt: `Use this:\n${key}` })
  await client.appendTurn({ runId: 'RAN', prompt: 'Sign.', commands: [{ command: `sign <<E\n${key}\nE` }] })
  await client.appendTurn({ runId: 'OTHER', prompt: 'Wait.' })
  await eraseAll(client, { text: key })
  for (const runId of ['QUOTED', 'RAN']) {
    assert.match((await client.getRun({ runId })).run.content, /^\[\d+ bytes erased\]\n$/, runId)
  }
  assert.match((await client.getRun({ runId: 'OTHER' })).run.content, /Wait/)
})

testLedger(
  'a text of several lines is erased from the log of its run, also if its turn came during the erasure',
  async ({ client, store }) => {
    const key = `-----BEGIN ${secret}-----\nMIIEvQIBADANBg\n-----END-----`
    await client.createRun({ runId: 'FIRST', content: key })
    await client.createRun({ runId: 'LATE', content: 'Begun.\n' })
    const tx = store.db.tx
    let isLate = false
    store.db.tx = async (work, subject) => {
      const done = await tx(work, subject)
      if (!isLate && (await client.getRun({ runId: 'FIRST' })).run.content !== key) {
        isLate = true
        await client.appendTurn({ runId: 'LATE', prompt: `Use this:\n${key}` })
      }
      return done
    }
    await eraseAll(client, { text: key })
    store.db.tx = tx
    assert.match((await client.getTurn({ runId: 'LATE', n: 1 })).turn.prompt ?? '', /bytes erased/)
    assert.match((await client.getRun({ runId: 'LATE' })).run.content, /^\[\d+ bytes erased\]\n$/)
  },
  { isStill: true },
)

testLedger('a text of several lines is erased from what hooks told of a session without a run', async (ledger) => {
  const { client, store } = ledger
  const text = `"${secret}"\nof two lines`
  const memo = JSON.stringify({ told: [], draft: { prompt: `Use ${text}.` } })
  await store.db.tx((tx) =>
    tx.query(sql`insert into hook_sessions (project_id, actor_id, agent, session, memo)
      values (1, 0, 'claude-code', 's-1', ${memo})`),
  )
  await eraseAll(client, { text })
  assert.deepEqual(await placesOf(ledger, secret), [])
})

testLedger('what was erased can be erased again once it has come again', async ({ client }) => {
  await client.createRun({ runId: 'R' })
  for (let n = 0; n < 3; n++) {
    await client.appendTurn({ runId: 'R', files: [{ path: 'secret.ts', insertions: 2 }] })
    await client.linkFeatures({ runId: 'R', features: [{ name: 'secret' }] })
    await client.createCheck({ runId: 'R', name: 'secret', result: 'pass' })
    await client.erase({ text: 'secret' })
  }
  const { files } = await client.listRunFiles({ runId: 'R' })
  assert.ok(files.every(({ path }) => /^\[erased\] \d+$/.test(path)))
  assert.equal((await client.getRun({ runId: 'R' })).run.changes?.insertions, 6)
})

testLedger('an erased content can be written again', async ({ client }) => {
  const content = 'the same text'
  await client.createRun({ runId: 'R', content })
  await client.createSpec({ specId: 'S', content })
  await client.updateSpec({ specId: 'S', content: 'another' })
  const { checkId } = (await client.createCheck({ runId: 'R', result: 'pass', content })).check
  await eraseAll(client, { everything: true })
  await client.updateRun({ runId: 'R', content })
  await client.updateSpec({ specId: 'S', content })
  await client.updateCheck({ checkId, content })
  assert.equal((await client.getRun({ runId: 'R' })).run.content, content)
  assert.equal((await client.getSpec({ specId: 'S' })).spec.content, content)
  assert.equal((await client.getCheck({ checkId })).check.content, content)
  const { version } = (await client.getRun({ runId: 'R' })).run
  assert.equal((await client.updateRun({ runId: 'R', content })).run.version, version, 'the same content is no change')
})

testLedger('names that look erased lose their texts, and keep nothing from being erased', async ({ client }) => {
  await client.appendTurn({
    runId: (await client.createRun({ runId: 'R' })).run.runId,
    files: [{ path: '[erased] 1' }, { path: `[erased] ${secret}` }, { path: `src/${secret}.ts` }],
  })
  await client.createFeature({ name: '[erased] 2' })
  await client.createFeature({ name: `[erased] ${secret}` })
  await eraseAll(client, { text: secret })
  const { files } = await client.listRunFiles({ runId: 'R' })
  const [first, ...others] = files.map(({ path }) => path).sort((a, b) => a.length - b.length)
  assert.equal(first, '[erased] 1')
  assert.equal(new Set(others).size, 2)
  for (const path of others) assert.match(path, /^\[erased\] \d+$/)
  const { features } = await client.listFeatures({ order: 'asc' })
  assert.deepEqual(
    features.map(({ name }) => name),
    ['[erased] 2', '[erased] 2-1'],
  )
})

testLedger('erased names of checks stay as different as they were, so that the verdict stays', async ({ client }) => {
  await client.createRun({ runId: 'R' })
  const check = (name: string, result: 'pass' | 'fail') => client.createCheck({ runId: 'R', name, result })
  await check(`tests ${secret}`, 'fail')
  await check(`lint ${secret}`, 'fail')
  await check(`lint ${secret}`, 'pass')
  await eraseAll(client, { text: secret })
  await check('types', 'pass')
  assert.equal((await client.getRun({ runId: 'R' })).run.verdict, 'failing')
  const names = (await client.listChecks({ runId: 'R', order: 'asc' })).checks.map(({ name }) => name)
  assert.match(names.join(), /^\[erased\] \d+,(\[erased\] \d+),\1,types$/)
  assert.notEqual(names[0], names[1])
})

testLedger('the shortest text to erase has four bytes, in however few characters', async ({ client }) => {
  await assert.rejects(client.erase({ text: 'abc' }), /text: must have at least 4 bytes, not 3/)
  await client.createRun({ title: 'for 李明' })
  assert.equal((await client.erase({ text: '李明' })).erased.runs, 1)
})

testLedger('an admin of one project erases only in that project', async (ledger) => {
  const { client, as } = ledger
  await fill(ledger)
  const shop = as({ key: (await client.createKey({ name: 'shop', permissions: ['admin'], project: 'shop' })).secret })
  await shop.createSpec({ specId: 'S', title: secret, content: secret })
  const { erased } = await shop.erase({ text: secret, dryRun: true })
  assert.deepEqual([erased.runs, erased.specs, erased.features], [1, 1, 0])
  await eraseAll(shop, { text: secret })
  assert.equal((await shop.getRun({ runId: 'R' })).run.title, '[erased]')
  assert.equal((await shop.getSpec({ specId: 'S' })).spec.title, '[erased]')
  assert.equal((await client.getRun({ runId: 'R' })).run.title, `${secret} again`)
  const { version } = await client.getSpecVersion({ specId: 'S', version: 1 })
  assert.deepEqual([version.title, version.content], [`Plan ${secret}`, `# Plan\n\n${secret}\n`])
})

testLedger('an erasure ends while others create and delete runs without pause', async ({ client }) => {
  await client.createRun({ runId: 'OLD-1', title: 'the word' })
  let isDone = false
  let runs = 0
  const write = async () => {
    while (!isDone) {
      const runId = `R-${++runs}`
      await client.createRun({ runId, content: `${'some words of a log '.repeat(40)} ${runs}` })
      await client.deleteRun({ runId })
    }
  }
  const writers = Array.from({ length: 12 }, write)
  let answer = await client.erase({ text: 'the word' })
  // Each request works for ten seconds.
  for (let more = 0; more < 5 && answer.hasMore; more++) {
    answer = await client.erase({ text: 'the word', cursor: answer.nextCursor })
  }
  isDone = true
  await Promise.all(writers)
  assert.equal(answer.hasMore, false)
})

const responseErased = 'The server has already done this, and its response has been erased.'

testLedger('stored responses are dropped, and not counted as texts that were found', async (ledger) => {
  const { client, fetch, store } = ledger
  const create = () =>
    fetch('/v1/runs', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'one' },
      body: JSON.stringify({ runId: 'R', title: 'harmless' }),
    })
  assert.equal((await create()).status, 201)
  const nothing = { runs: 0, turns: 0, specs: 0, checks: 0, features: 0, events: 0, others: 0 }
  const found = await client.erase({ text: 'not in any row', dryRun: true })
  assert.deepEqual(found.erased, { ...nothing, responses: 1 })
  assert.equal((await create()).status, 201, 'a dry run only counts')
  const [row] = await store.db.query<{ fingerprint: string }>(sql`select fingerprint from idempotency_keys`)
  const fingerprint = row?.fingerprint ?? ''
  assert.match(fingerprint, /^[0-9a-f]{64}$/)
  assert.deepEqual(await eraseAll(client, { text: 'not in any row' }), { ...nothing, responses: 1 })
  assert.deepEqual(await placesOf(ledger, fingerprint), [], 'no guess of the request can be tested')
  const refuses = async () => {
    const response = await create()
    const { requestId, ...body } = (await response.json()) as Record<string, string>
    assert.deepEqual([response.status, body], [409, { code: 'CONFLICT', error: responseErased }])
    assert.match(requestId ?? '', /./)
  }
  await refuses()
  // As earlier versions left it.
  const error = { code: 'CONFLICT', message: responseErased }
  const left = { status: 409, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ error }) }
  await store.db.tx((tx) => tx.query(sql`update idempotency_keys set answer = ${JSON.stringify(left)}`))
  await refuses()
  const { events } = await client.listEvents({ type: ['erasure.created'] })
  assert.deepEqual(events[0]?.changes.erased, [null, { ...nothing, responses: 1 }])
})

testLedger('a statement of an erasure searches a limited number of bytes', async (ledger) => {
  const { client, store } = ledger
  const text = 'An ordinary line.\n'.repeat(11_000)
  for (let n = 1; n <= 12; n++) await client.createRun({ runId: `R-${n}`, content: text + (n % 5 === 0 ? secret : '') })
  for (let n = 1; n <= 40; n++) {
    await client.appendTurn({
      runId: 'R-1',
      n,
      prompt: `${text.slice(0, 15_000)}${n === 30 ? secret : ''}`,
      answer: text.slice(0, 15_000),
    })
  }
  const query = store.db.query
  const searched: number[] = []
  store.db.query = async <Row extends object>(statement: Parameters<typeof query>[0]) => {
    if (/string_agg/.test(statement.sql) && /from (runs|turns)/.test(statement.sql)) {
      searched.push(await bytesOf(statement))
    }
    return query<Row>(statement)
  }
  /** The bytes of the rows that a search looks into: in a range of ids, or those that it names. */
  async function bytesOf({ strings, values }: Parameters<typeof query>[0]): Promise<number> {
    const at = (end: RegExp) => values[strings.findIndex((part) => end.test(part))]
    const last = at(/\bid <= $/)
    const ids = values.filter((value) => typeof value === 'number')
    const isTurn = /from turns/.test(strings.join(''))
    const columns = isTurn ? ['prompt_id', 'answer_id'] : ['document_id']
    const where = last === undefined ? sql`id in (${joined(ids)})` : sql`id > ${at(/\bid > $/)} and id <= ${last}`
    const sums = columns.map(
      (column) => sql`(select coalesce(sum(bytes), 0) from documents where id in
      (select ${raw(column)} from ${raw(isTurn ? 'turns' : 'runs')} where ${where}))`,
    )
    const [row] = await query<{ bytes: number }>(sql`select ${joined(sums, ' + ')} as bytes`)
    return Number(row?.bytes)
  }
  const erased = await eraseAll(client, { text: secret })
  store.db.query = query
  assert.deepEqual([erased.runs, erased.turns], [3, 1])
  assert.ok(searched.length > 5 && Math.max(...searched) <= 1_048_576, String(searched))
  assert.match((await client.getRun({ runId: 'R-1' })).run.content, /bytes erased/)
  assert.equal((await client.getRun({ runId: 'R-2' })).run.content, text)
})
