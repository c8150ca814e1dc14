import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import type { Client, Input, Output } from '../src/client/client.ts'
import type { Db } from '../src/engine/db.ts'
import { indexMore } from '../src/find/follow.ts'
import { operations } from '../src/operations/operations.ts'
import { retentionJob } from '../src/server/jobs/retention.ts'
import { verify } from '../src/verify/verify.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { overlap } from './support/overlap.ts'

const dayMs = 86_400_000

/** Repeats the call until everything is removed, as the command does. */
async function forgetAll(client: Client, input: Input<'forget'> = {}): Promise<Output<'forget'>> {
  let answer = await client.forget(input)
  while (answer.hasMore) answer = await client.forget({ ...input, cursor: answer.nextCursor })
  return answer
}

/** Applies every retention, as a server does once an hour. */
async function applyOnce({ store }: Ledger, tx: Db['tx'] = store.db.tx): Promise<void> {
  // The transactions of the server's own jobs stay as they are.
  const job = retentionJob({ ...store, db: { ...store.db, tx } })
  while (await job.step(5));
}

/** Creates a run with a word in all its texts. */
async function runWith(client: Client, runId: string, word: string, more: Partial<Input<'createRun'>> = {}) {
  await client.createRun({ runId, title: `title ${word}`, content: `log ${word}\n`, agent: 'ci', ...more })
  await client.appendTurn({ runId, prompt: `say ${word}`, answer: `said ${word}`, usage: { inputTokens: 7 } })
  await client.createCheck({ checkId: `C-${runId}`, runId, result: 'pass', command: word, content: `found ${word}` })
  await client.updateRun({ runId, title: `title of ${word}`, status: more.status ?? 'completed' })
}

const idsOf = async (client: Client) => (await client.listRuns({ limit: 100 })).runs.map(({ runId }) => runId).sort()

testLedger('texts that come to an old run without changing it are removed, too', async ({ client, advance }) => {
  await client.updateProject({ slug: 'default', retention: { contentDays: 30 } })
  const runs = ['DIFF', 'TURN', 'NOTE', 'NAME']
  for (const runId of runs) await runWith(client, runId, 'ahornwort', { status: 'failed' })
  advance(40 * dayMs)
  assert.equal((await forgetAll(client)).erased.runs, 4)
  assert.equal((await forgetAll(client)).erased.runs, 0)
  const patch = '@@ -0,0 +1 @@\n+birkenwort\n'
  await client.addDiffs({ runId: 'DIFF', turn: 1, diffs: [{ path: 'a.ts', change: { status: 'added', patch } }] })
  await client.appendTurn({ runId: 'TURN', open: true, prompt: 'birkenwort' })
  await client.updateAttention({ runIds: ['NOTE'], note: 'birkenwort' })
  await client.updateAttention({ runIds: ['NAME'], assignee: 'Ada <birkenwort@example.com>' })
  assert.equal((await forgetAll(client)).erased.runs, 4)
  assert.equal((await forgetAll(client)).erased.runs, 0)
  await client.heartbeat({ runId: 'TURN', turn: { commands: [{ command: 'birkenwort' }] } })
  assert.equal((await forgetAll(client)).erased.runs, 1)
  const { attention } = await client.listAttention()
  const { events } = await client.listEvents({ limit: 100 })
  const { turn } = await client.getTurn({ runId: 'TURN', n: 2 })
  const texts = JSON.stringify([attention, events, turn, await client.getDiff({ runId: 'DIFF' })])
  assert.ok(texts.includes('[erased]') && !texts.includes('birkenwort'))
})

testLedger('the texts of old runs are removed, later the runs', async (ledger) => {
  const { client, store, advance } = ledger
  await runWith(client, 'OLD', 'ahornwort', { labels: { team: 'ahornwort' } })
  advance(20 * dayMs)
  await runWith(client, 'NEW', 'birkenwort')
  await client.createRun({ runId: 'LIVE', title: 'eichenwort', status: 'in_progress' })
  while (await indexMore(store.db, 5));
  const { project } = await client.updateProject({ slug: 'default', retention: { contentDays: 30, runDays: 60 } })
  const retention = { contentDays: 30, runDays: 60, keep: { failed: false, labels: [] } }
  assert.deepEqual(project.retention, retention)
  assert.deepEqual((await client.getProject({ slug: 'default' })).project.retention, retention)

  await applyOnce(ledger)
  assert.equal((await client.getRun({ runId: 'OLD' })).run.title, 'title of ahornwort')
  advance(15 * dayMs)
  const { erased, deleted } = await forgetAll(client, { dryRun: true })
  const { run: old } = await client.getRun({ runId: 'OLD' })
  assert.equal(old.title, 'title of ahornwort', 'a dry run only counts')
  assert.deepEqual(deleted, { runs: 0, bytes: 0, oldest: null })
  assert.deepEqual([erased.runs, erased.oldest], [1, old.endedAt])
  assert.equal(erased.bytes, Buffer.byteLength(`${old.content}say ahornwortsaid ahornwortfound ahornwort`))

  await applyOnce(ledger)
  const { run } = await client.getRun({ runId: 'OLD' })
  assert.deepEqual(
    [run.title, run.labels, run.agent, run.status],
    ['[erased]', { team: '[erased]' }, 'ci', 'completed'],
  )
  assert.deepEqual([run.usage?.inputTokens, run.endedAt, run.updatedAt], [7, old.endedAt, old.updatedAt])
  assert.match(run.content, /^\[\d+ bytes erased\]\n$/)
  assert.ok(run.erasedAt)
  assert.equal((await client.getTurn({ runId: 'OLD', n: 1 })).turn.prompt, '[13 bytes erased]\n')
  assert.match((await client.getCheck({ checkId: 'C-OLD' })).check.command ?? '', /^\[erased\] \d+$/)
  const { events } = await client.listEvents({ limit: 100 })
  assert.ok(!JSON.stringify(events).includes('ahornwort'))
  assert.ok(JSON.stringify(events).includes('birkenwort'))
  assert.deepEqual((await client.search({ q: 'ahornwort' })).results, [])
  const told = events.find(({ type }) => type === 'erasure.created')
  assert.deepEqual(told?.actor, { kind: 'system', name: 'retention' })
  assert.deepEqual(
    [told?.changes.what, told?.changes.runIds],
    [
      [null, 'retention'],
      [null, ['OLD']],
    ],
  )
  assert.equal((await forgetAll(client, { dryRun: true })).erased.runs, 0, 'once is enough')

  advance(30 * dayMs)
  assert.equal((await forgetAll(client, { dryRun: true })).deleted.runs, 1)
  await applyOnce(ledger)
  assert.deepEqual(await idsOf(client), ['LIVE', 'NEW'])
  await assert.rejects(client.getCheck({ checkId: 'C-OLD' }), { code: 'NOT_FOUND' })
  assert.equal((await client.getRun({ runId: 'NEW' })).run.title, '[erased]')
  assert.equal((await client.getRun({ runId: 'LIVE' })).run.title, 'eichenwort')
  const { events: gone } = await client.listEvents({ type: ['run.deleted', 'turn.deleted', 'check.deleted'] })
  assert.deepEqual(gone.map(({ type }) => type).sort(), ['check.deleted', 'run.deleted', 'turn.deleted'])
  for (const { actor } of gone) assert.equal(actor.name, 'retention')
  assert.ok(!JSON.stringify(gone).includes('ahornwort'))
  const documents = await store.db.query(sql`select id from documents`)
  assert.equal(documents.length, 4, 'of the run that is left: its log, prompt, answer and check')

  advance(61_000)
  assert.deepEqual((await verify(client, [])).faults, [])
})

testLedger('failed runs and runs with a label are kept whole', async (ledger) => {
  const { client, advance } = ledger
  await runWith(client, 'PLAIN', 'wort')
  await runWith(client, 'FAILED', 'wort', { status: 'failed' })
  await runWith(client, 'RELEASE', 'wort', { labels: { release: '1.0' } })
  await client.createRun({ runId: 'PENDING', title: 'wort' })
  const keep = { failed: true, labels: ['release', 'audit'] }
  await client.updateProject({ slug: 'default', retention: { runDays: 5, keep } })
  advance(6 * dayMs)
  const { deleted } = await forgetAll(client)
  assert.equal(deleted.runs, 2)
  assert.deepEqual(await idsOf(client), ['FAILED', 'RELEASE'])
  assert.equal((await client.getRun({ runId: 'RELEASE' })).run.title, 'title of wort')
  const { events } = await client.listEvents({ type: ['run.deleted'] })
  assert.equal(events[0]?.actor.kind, 'key', 'who asks for it is who acts')
})

testLedger(
  'texts that a run gets after its texts were erased are erased, too, at once or a day later',
  async (ledger) => {
    const { client, advance } = ledger
    await runWith(client, 'R', 'wort')
    await client.updateProject({ slug: 'default', retention: { contentDays: 1 } })
    advance(2 * dayMs)
    await applyOnce(ledger)
    await client.appendToRun({ runId: 'R', text: 'nachwort\n' })
    await applyOnce(ledger)
    const { run } = await client.getRun({ runId: 'R' })
    assert.match(run.content, /^\[\d+ bytes erased\]\n$/)
    await applyOnce(ledger)
    assert.equal((await client.listEvents({ type: ['erasure.created'] })).events.length, 2)
    advance(dayMs)
    await client.createCheck({ checkId: 'LATE', runId: 'R', result: 'pass', content: 'nachwort' })
    await applyOnce(ledger)
    assert.equal((await client.getCheck({ checkId: 'LATE' })).check.content, '[8 bytes erased]\n')
    await applyOnce(ledger)
    assert.equal((await client.listEvents({ type: ['erasure.created'] })).events.length, 3)
  },
)

testLedger('each project has its own retention, and a preview works without one', async (ledger) => {
  const { client, as, advance } = ledger
  await client.createProject({ slug: 'shop' })
  const shop = as({ project: 'shop' })
  for (const one of [client, shop]) await runWith(one, 'R', 'wort')
  advance(10 * dayMs)
  const nothing = { runs: 0, bytes: 0, oldest: null }
  assert.deepEqual((await forgetAll(shop)).erased, nothing)
  const preview = await forgetAll(shop, { dryRun: true, retention: { contentDays: 9 } })
  assert.deepEqual([preview.erased.runs, preview.deleted.runs], [1, 0])
  await client.updateProject({ slug: 'shop', retention: { runDays: 9 } })
  await applyOnce(ledger)
  const left = await client.listRuns({ project: ['default', 'shop'] })
  assert.deepEqual(
    left.runs.map(({ project }) => project),
    ['default'],
  )
})

testLedger('an invalid retention is refused with the reason', async ({ client }) => {
  const set = (retention: Input<'updateProject'>['retention']) => client.updateProject({ slug: 'default', retention })
  await assert.rejects(set({ contentDays: 0 }), { code: 'VALIDATION_ERROR', message: /retention\.contentDays/ })
  await assert.rejects(set({ contentDays: 30, runDays: 30 }), { message: /must be less than runDays \(30\)/ })
  await assert.rejects(set({ runDays: 1, keep: { labels: ['no good'] } }), { message: /retention\.keep\.labels/ })
  await assert.rejects(client.forget({ retention: { runDays: 1 } }), { message: /retention: goes with dryRun/ })
  await assert.rejects(client.forget({ cursor: 'nonsense' }), { code: 'BAD_REQUEST' })
  await set({ runDays: 7 })
  const { project } = await set(null)
  assert.equal(project.retention, null)
  const { events } = await client.listEvents({ type: ['project.updated'] })
  assert.deepEqual(
    events.map(({ changes }) => changes.retention?.map((one) => (one as { runDays: number } | null)?.runDays)),
    [
      [undefined, 7],
      [7, undefined],
    ],
  )
})

testLedger(
  'a diff or a note that comes while a long run loses its texts is erased by the next pass',
  async (ledger) => {
    const { client, store, advance } = ledger
    await client.createRun({ runId: 'LONG', status: 'in_progress' })
    for (let n = 1; n <= 70; n++) await client.appendTurn({ runId: 'LONG', n, git: { branch: `ask-${n}` } })
    await client.updateRun({ runId: 'LONG', status: 'completed' })
    await client.updateProject({ slug: 'default', retention: { contentDays: 1 } })
    advance(2 * dayMs)
    // By then, the events of the run itself are erased. They come before those of its turns.
    let isLate = false
    await applyOnce(ledger, async (work, subject) => {
      const [under] = await store.db.query(sql`
        select 1 as one from runs where run_id = 'LONG' and expired_at is not null
          and not exists (select 1 from events where subject = 'LONG/5' and changes like '%ask-5"%')`)
      if (!isLate && under) {
        isLate = true
        const change = { status: 'added' as const, patch: '@@ -0,0 +1 @@\n+birkenwort\n' }
        await client.addDiffs({ runId: 'LONG', turn: 3, diffs: [{ path: 'a.ts', change }] })
        await client.updateAttention({ runIds: ['LONG'], note: 'birkenwort' })
      }
      return store.db.tx(work, subject)
    })
    assert.ok(isLate)
    await applyOnce(ledger)
    assert.equal((await client.listEvents({ type: ['erasure.created'] })).events.length, 1)
    const texts = JSON.stringify([
      await client.listEvents({ subject: 'LONG' }),
      await client.getDiff({ runId: 'LONG' }),
    ])
    assert.ok(texts.includes('[erased]') && !texts.includes('birkenwort'))
  },
)

testLedger('a long run is removed in slices, and a run that is resumed meanwhile stays', async (ledger) => {
  const { client, store, advance } = ledger
  await client.createRun({ runId: 'LONG', status: 'in_progress' })
  for (let n = 1; n <= 130; n++) await client.appendTurn({ runId: 'LONG', n, prompt: `ask ${n}` })
  await client.updateRun({ runId: 'LONG', status: 'completed' })
  await client.updateProject({ slug: 'default', retention: { contentDays: 1, runDays: 2 } })
  advance(3 * dayMs)
  // The run is reopened as soon as some of its turns have lost their texts.
  let isReopened = false
  await applyOnce(ledger, async (work, subject) => {
    const done = await store.db.tx(work, subject)
    const [turns] = await store.db.query<{ n: number }>(sql`select count(*) as n from turns where erased_at is null`)
    if (!isReopened && Number(turns?.n) < 130) {
      isReopened = true
      await client.updateRun({ runId: 'LONG', status: 'in_progress' })
    }
    return done
  })
  assert.ok(isReopened)
  const { turns } = await client.listTurns({ runId: 'LONG', limit: 100 })
  assert.equal(turns.filter(({ erasedAt }) => erasedAt === undefined).length, 40)
  await client.updateRun({ runId: 'LONG', status: 'completed' })
  advance(3 * dayMs)
  await applyOnce(ledger)
  assert.deepEqual(await idsOf(client), [])
})

testLedger('the texts of a long run go from all of its events, also from those that only append', async (ledger) => {
  const { client, store, advance } = ledger
  await client.createRun({ runId: 'LONG', title: 'ahornwort', status: 'completed' })
  for (let n = 1; n <= 70; n++) await client.appendTurn({ runId: 'LONG', n, git: { branch: `ahornwort-${n}` } })
  const told = async () => {
    // On PostgreSQL, an event is pending until somebody reads the log.
    await client.listEvents({ subject: 'LONG' })
    return store.db.query<{ is_append: number }>(sql`
      select distinct is_append from events where subject = 'LONG' and changes like '%ahornwort%' order by is_append`)
  }
  assert.deepEqual(await told(), [{ is_append: 0 }, { is_append: 1 }])
  await client.updateProject({ slug: 'default', retention: { contentDays: 1 } })
  advance(2 * dayMs)
  await applyOnce(ledger)
  assert.deepEqual(await told(), [])
})

testLedger('the texts of a check of an old run go from the log, even if it was recorded meanwhile', async (ledger) => {
  const { client, advance } = ledger
  await runWith(client, 'OLD', 'ahornwort')
  await client.updateProject({ slug: 'default', retention: { contentDays: 1 } })
  advance(2 * dayMs)
  const check = { checkId: 'LATE', runId: 'OLD', name: 'tests', result: 'pass', command: 'ahornwort' } as const
  await overlap(
    ledger,
    (ctx) => operations.createCheck(ctx, check),
    () => forgetAll(client),
  )
  await forgetAll(client)
  assert.match((await client.getCheck({ checkId: 'LATE' })).check.command ?? '', /^\[erased\] \d+$/)
  const { events } = await client.listEvents({ subject: 'LATE' })
  assert.deepEqual(events[0]?.changes.command, [null, '[erased]'])
})

testLedger('an old run that gets a diff while its texts are removed waits for the next round', async (ledger) => {
  const { client, advance } = ledger
  await runWith(client, 'R', 'wort')
  await client.updateProject({ slug: 'default', retention: { contentDays: 1 } })
  advance(2 * dayMs)
  const patch = '@@ -0,0 +1 @@\n+birkenwort\n'
  const diffs = [{ path: 'birkenwort.ts', change: { status: 'added' as const, patch } }]
  await overlap(
    ledger,
    (ctx) => operations.addDiffs(ctx, { runId: 'R', turn: 1, diffs }),
    () => forgetAll(client),
  )
  await forgetAll(client)
  const { events } = await client.listEvents({ limit: 100 })
  const texts = JSON.stringify([events, await client.getDiff({ runId: 'R' })])
  assert.ok(texts.includes('[erased]') && !texts.includes('birkenwort'))
})

testLedger('the events of a kept run stay, even if an old run has used the id of its check again', async (ledger) => {
  const { client, advance } = ledger
  await client.createRun({ runId: 'KEPT', labels: { release: '1.0' }, status: 'completed' })
  for (const checkId of ['ONE', 'TWO']) {
    await client.createCheck({ runId: 'KEPT', checkId, command: 'kept', result: 'pass' })
    await client.deleteCheck({ checkId })
  }
  await client.createRun({ runId: 'OLD', status: 'completed' })
  await client.createCheck({ runId: 'OLD', checkId: 'ONE', command: 'old', result: 'pass' })
  await client.createRun({ runId: 'LONG', status: 'completed' })
  await client.createCheck({ runId: 'LONG', checkId: 'TWO', command: 'old', result: 'pass' })
  for (let n = 1; n <= 70; n++) await client.appendTurn({ runId: 'LONG', n, prompt: `ask ${n}` })
  await client.updateProject({ slug: 'default', retention: { contentDays: 1, keep: { labels: ['release'] } } })
  advance(2 * dayMs)
  await applyOnce(ledger)
  const { events } = await client.listEvents({ type: ['check.created'] })
  assert.deepEqual(
    events.map(({ changes }) => changes.command?.[1]),
    ['kept', 'kept', '[erased]', '[erased]'],
  )
})

/** The runs that each erasure by retention names. */
async function erasedIn(client: Client): Promise<string[][]> {
  const { events } = await client.listEvents({ type: ['erasure.created'] })
  return events.map(({ changes }) => changes.runIds?.[1] as string[])
}

testLedger(
  'many small runs are erased together, and a run that changes meanwhile waits for the next round',
  async (ledger) => {
    const { client, store, advance } = ledger
    await client.createProject({ slug: 'shop' })
    const shop = ledger.as({ project: 'shop' })
    for (const one of [client, shop]) {
      for (let n = 1; n <= 4; n++) await runWith(one, `R-${n}`, 'wort')
    }
    await client.createRun({ runId: 'RETRY', retryOf: 'R-1', status: 'in_progress', specId: 'S' })
    for (const slug of ['default', 'shop']) await client.updateProject({ slug, retention: { contentDays: 1 } })
    advance(2 * dayMs)
    let isChanged = false
    await applyOnce(ledger, async (work, subject) => {
      if (!isChanged) {
        isChanged = true
        await client.updateRun({ runId: 'R-2', title: 'nachwort' })
      }
      return store.db.tx(work, subject)
    })
    assert.equal((await client.getRun({ runId: 'R-2' })).run.title, 'nachwort')
    assert.deepEqual(await erasedIn(client), [
      ['R-1', 'R-3', 'R-4'],
      ['R-1', 'R-2', 'R-3', 'R-4'],
    ])
    await applyOnce(ledger)
    assert.deepEqual((await erasedIn(client)).at(-1), ['R-2'])
    assert.ok(!JSON.stringify((await client.listEvents({ limit: 100 })).events).includes('wort'))

    await client.updateProject({ slug: 'default', retention: { runDays: 1 } })
    advance(dayMs)
    await applyOnce(ledger)
    const left = (await client.listRuns({ project: ['default'] })).runs.map(({ runId }) => runId)
    assert.deepEqual(left, ['RETRY'])
    assert.equal((await client.getRun({ runId: 'RETRY' })).run.retryOf, null)
    assert.equal((await shop.listRuns()).runs.length, 4)
    const turn = (await client.listEvents({ type: ['turn.deleted'] })).events[0]
    assert.match(JSON.stringify(turn?.changes.prompt?.[0]), /^{"bytes":8,/, 'as it was recorded when it was created')
  },
)

testLedger('the texts of an old run that was just imported are erased at once', async (ledger) => {
  const { client, store } = ledger
  await client.updateProject({ slug: 'default', retention: { contentDays: 1 } })
  const createdAt = new Date(Date.parse(store.now()) - 9 * dayMs).toISOString()
  const times = { createdAt, startedAt: createdAt, endedAt: createdAt, status: 'completed' as const }
  await client.createRun({ runId: 'R', title: 'ahornwort', ...times })
  await applyOnce(ledger)
  const rows = await store.db.query<{ changes: string }>(sql`select changes from events where subject = 'R'`)
  assert.equal(rows.length, 1)
  assert.ok(!JSON.stringify(rows).includes('ahornwort'))
})
