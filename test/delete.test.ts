import assert from 'node:assert/strict'
import sql, { raw } from 'sql-template-tag'
import type { Tx } from '../src/engine/db.ts'
import { removeRemains } from '../src/removal/remains.ts'
import { verify } from '../src/verify/verify.ts'
import { logOf } from './property/replayed.ts'
import { type Ledger, testLedger } from './support/engines.ts'

/** Does everything that a server still has to do for what was deleted. */
async function removeAll({ store }: Ledger): Promise<void> {
  while (await removeRemains(store.db, store.now()));
}

/** Counts the events that each transaction writes, until `work` is done. Returns the largest count. */
async function mostEvents({ store: { db } }: Ledger, work: () => Promise<unknown>): Promise<number> {
  const { tx } = db
  let most = 0
  db.tx = (work, subject) => {
    let count = 0
    const counted = (inner: Tx): Tx => ({
      ...inner,
      apart: inner.apart,
      tx: (nested) => nested(counted(inner)),
      query(statement) {
        if (/^insert into (pending_)?events/.test(statement.sql.trim())) count += statement.values.length / 9
        most = Math.max(most, count)
        return inner.query(statement)
      },
    })
    return tx((inner) => work(counted(inner)), subject)
  }
  await work()
  db.tx = tx
  return most
}

/** Copies a run that many times, with its links to features. */
async function copyRun({ store: { db } }: Ledger, runId: string, times: number): Promise<void> {
  const [row] = await db.query<Record<string, unknown>>(sql`select * from runs where run_id = ${runId}`)
  const same = raw(
    Object.keys(row ?? {})
      .filter((name) => name !== 'id' && name !== 'run_id')
      .join(', '),
  )
  const numbers = sql`with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${times})`
  await db.tx(async (tx) => {
    await tx.query(sql`
      insert into runs (run_id, ${same}) ${numbers}
      select 'COPY-' || n, ${same} from numbers cross join (select * from runs where run_id = ${runId}) as one`)
    await tx.query(sql`
      insert into run_features (run_id, feature_id, created_at)
      select c.id, l.feature_id, c.created_at from runs c cross join runs o join run_features l on l.run_id = o.id
      where o.run_id = ${runId} and c.run_id like 'COPY-%'`)
  })
}

testLedger('a feature of many runs is gone at once, and unlinked from them in slices', async (ledger) => {
  const { client, store } = ledger
  await client.createRun({ runId: 'ONE' })
  await client.linkFeatures({ runId: 'ONE', features: [{ name: 'auth', description: 'birnbaum' }], featureIds: [7, 8] })
  const { features } = (await client.getRun({ runId: 'ONE' })).run
  const auth = features.find(({ name }) => name === 'auth')?.id ?? 0
  await copyRun(ledger, 'ONE', 450)
  const most = await mostEvents(ledger, async () => {
    await client.deleteFeature({ id: auth })
    await assert.rejects(client.getFeature({ id: auth }), { code: 'NOT_FOUND' })
    assert.deepEqual((await client.listFeatures()).features.map(({ id }) => id).sort(), [7, 8])
    assert.deepEqual(
      (await client.getRun({ runId: 'COPY-450' })).run.features.map(({ id }) => id),
      [7, 8],
    )
    assert.deepEqual((await client.listFeatures({ runId: 'COPY-450' })).features.map(({ id }) => id).sort(), [7, 8])
    assert.deepEqual((await client.listRuns({ featureId: auth })).runs, [])
    assert.deepEqual((await client.search({ q: 'birnbaum' })).results, [])
    // Its number and its name are free.
    await client.linkFeatures({ runId: 'COPY-450', featureIds: [auth], features: [{ name: 'auth', file: 'a.ts' }] })
    await removeAll(ledger)
  })
  assert.ok(most > 100 && most <= 210, String(most))
  const unlinked = (await logOf(client)).filter(({ changes }) => changes.features?.[0])
  assert.deepEqual(
    new Set(unlinked.map(({ changes }) => JSON.stringify(changes.features))),
    new Set([`[[${auth}],null]`]),
  )
  assert.equal(new Set(unlinked.map(({ subject }) => subject)).size, 451)
  assert.equal(unlinked.length, 451)
  const links = await store.db.query<{ n: number }>(sql`select count(*) as n from run_features`)
  assert.equal(Number(links[0]?.n), 451 * 2 + 2)
  assert.equal((await client.listFeatureRuns({ id: auth })).runs.length, 1)
  const left = await store.db.query(
    sql`select 1 as one from projects where deleted_at is not null and emptied_at is null`,
  )
  assert.deepEqual(left, [])
})

testLedger('a long run is gone at once, and its turns, checks and later attempts follow in slices', async (ledger) => {
  const { client, store, as } = ledger
  await client.createRun({
    runId: 'LONG',
    specId: 'S',
    labels: { team: 'blue' },
    status: 'in_progress',
    content: 'birnbaum\n',
  })
  for (let n = 1; n <= 130; n++) await client.appendTurn({ runId: 'LONG', n, prompt: `birnbaum ${n}` })
  await client.createCheck({ runId: 'LONG', checkId: 'C', name: 'tests', result: 'pass', content: 'birnbaum' })
  await client.linkFeatures({ runId: 'LONG', featureIds: [1] })
  await client.createRun({ runId: 'AGAIN', retryOf: 'LONG' })
  const most = await mostEvents(ledger, async () => {
    await client.deleteRun({ runId: 'LONG' })
    await assert.rejects(client.getRun({ runId: 'LONG' }), { code: 'NOT_FOUND' })
    await assert.rejects(client.getCheck({ checkId: 'C' }), { code: 'NOT_FOUND' })
    assert.deepEqual(
      (await client.listRuns()).runs.map(({ runId, retryOf }) => [runId, retryOf]),
      [['AGAIN', null]],
    )
    assert.deepEqual(
      (await client.listRuns({ project: ['default'] })).runs.map(({ runId }) => runId),
      ['AGAIN'],
    )
    assert.deepEqual((await client.listChecks()).checks, [])
    assert.deepEqual((await client.search({ q: 'birnbaum' })).results, [])
    assert.deepEqual((await client.suggest({ field: 'label' })).values, [])
    assert.equal((await client.stats()).total.runs, 1)
    assert.deepEqual(
      (await client.listFeatures()).features.map(({ runs, lastRun }) => [runs, lastRun]),
      [[0, null]],
    )
    // It waits until the log has told all about the one before.
    await Promise.all([as({ attempts: 9 }).createRun({ runId: 'LONG' }), removeAll(ledger)])
  })
  assert.ok(most > 10 && most <= 130, String(most))
  for (const table of ['turns', 'checks', 'documents', 'run_features']) {
    assert.deepEqual(await store.db.query(sql`select 1 as one from ${raw(table)}`), [], table)
  }
  const log = await logOf(client)
  assert.equal(log.filter(({ type }) => type === 'turn.deleted').length, 130)
  for (const type of ['run.deleted', 'check.deleted'])
    assert.equal(log.filter((event) => event.type === type).length, 1)
  assert.ok(
    log
      .filter(({ type }) => type.endsWith('.deleted'))
      .every(({ project, actor }) => project === 'default' && actor.kind === 'key'),
  )
  assert.deepEqual((await verify(client, [])).faults, [])
  const seqsOf = (types: string[], runId: string) =>
    log.filter(({ type, subject }) => types.includes(type) && subject.startsWith(runId)).map(({ seq }) => seq)
  const again = seqsOf(['run.created'], 'LONG').at(-1) ?? 0
  assert.ok(seqsOf(['turn.deleted', 'run.deleted'], 'LONG').every((seq) => seq < again))
})

testLedger('an erasure of a deleted run leaves nothing of what is still to be removed', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'LONG' })
  for (let n = 1; n <= 130; n++) await client.appendTurn({ runId: 'LONG', n, prompt: `birnbaum ${n}`, model: 'm' })
  await client.deleteRun({ runId: 'LONG' })
  assert.equal((await client.erase({ runId: 'LONG' })).hasMore, false)
  const log = await logOf(client)
  assert.equal(log.filter(({ type }) => type === 'turn.deleted').length, 130)
  assert.ok(!JSON.stringify(log).includes('birnbaum'))
})
