import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import { createClient } from '../src/client/client.ts'
import { localActor } from '../src/contract/actor.ts'
import { readSize, sealNext } from '../src/log/seal/seal.ts'
import { checkpointsIn, hashesFrom, isSignedBy } from '../src/log/seal/signed-note.ts'
import { isConsistent, leafHash, rootOf } from '../src/log/seal/tree.ts'
import { createApp } from '../src/server/app.ts'
import { base, type Ledger, testLedger } from './support/engines.ts'
import { isIncluded } from './support/inclusion.ts'

/** The newest checkpoint, after the previous one is no longer fresh. */
async function checkpointOf({ client, advance }: Pick<Ledger, 'client' | 'advance'>) {
  advance(61_000)
  const { note, verifierKey } = await client.getCheckpoint()
  const [checkpoint] = checkpointsIn(note)
  assert.ok(checkpoint && isSignedBy(checkpoint, verifierKey))
  return checkpoint
}

testLedger('a checkpoint covers the whole log, and a new one continues it', async (ledger) => {
  const { client } = ledger
  await client.createRun({ title: 'one' })
  const old = await checkpointOf(ledger)
  const { events } = await client.listEvents({ limit: 100 })
  assert.equal(old.size, events.length)
  assert.deepEqual((await checkpointOf(ledger)).note, old.note, 'without news there is no other')

  const runs = Array.from({ length: 300 }, (_, n) => ({ title: `run ${n}`, labels: { team: 'blue' } }))
  await Promise.all(runs.map((run) => client.createRun(run)))
  const head = await checkpointOf(ledger)
  assert.equal(head.size, old.size + runs.length)
  await client.createRun({ title: 'another' })
  assert.equal((await client.getCheckpoint()).size, head.size, 'a checkpoint lasts for a minute')
  const { hashes, to } = await client.getConsistency({ from: old.size })
  assert.equal(to, head.size)
  assert.ok(isConsistent(old, head, hashesFrom(hashes)))
  const { leaves } = await client.listLeaves({ limit: 1000 })
  const sealed = leaves.flatMap(({ hash }) => hash ?? [])
  assert.deepEqual([leaves.length, sealed.length], [head.size + 1, head.size])
  assert.deepEqual(rootOf(hashesFrom(sealed)), head.root)
})

testLedger('large events are sealed and listed a few at a time', async ({ client, store }) => {
  const { runId } = (await client.createRun({ status: 'in_progress' })).run
  const files = Array.from({ length: 500 }, (_, n) => ({ path: `${n} `.padEnd(1000, 'x') }))
  const commands = Array.from({ length: 200 }, (_, n) => ({ command: `${n} `.padEnd(2000, 'x') }))
  for (let n = 1; n <= 10; n++) await client.appendTurn({ runId, n, files, commands })
  const sizes = [await readSize(store.db)]
  while (await sealNext(store.db)) sizes.push(await readSize(store.db))
  assert.ok(sizes.length > 2, `sealed after ${sizes.join()}`)
  const bytes: number[] = []
  const leaves = []
  for (let after = 0, hasMore = true; hasMore; ) {
    const page = await client.listLeaves({ after, limit: 1000 })
    bytes.push(JSON.stringify(page).length)
    leaves.push(...page.leaves)
    after = page.meta.lastSeq
    hasMore = page.meta.hasMore
  }
  assert.ok(bytes.length > 1 && Math.max(...bytes) < 10_000_000, `bytes of pages: ${bytes.join()}`)
  assert.deepEqual(
    leaves.map(({ seq, hash }) => [seq, hash === null]),
    leaves.map((_, at) => [at + 1, false]),
  )
  assert.equal(leaves.length, await readSize(store.db))
})

testLedger(
  'a proof shows that an event is in the log, and contains the entry if the key may read it',
  async (ledger) => {
    const { client, as } = ledger
    await client.createProject({ slug: 'shop' })
    const { secret } = await client.createKey({ name: 'shop', permissions: ['read'], project: 'shop' })
    for (let n = 0; n < 20; n++) await client.createRun({ title: `secret ${n}` })
    const head = await checkpointOf(ledger)
    for (let seq = 1; seq <= head.size; seq++) {
      const { proof } = await client.getProof({ seq })
      const [, extra = '', index, hashes = ''] =
        /^c2sp\.org\/tlog-proof@v1\nextra (\S+)\nindex (\d+)\n((?:\S+\n)*)\n/.exec(proof) ?? []
      const entry = Buffer.from(extra, 'base64')
      assert.ok(!entry.includes('secret'))
      assert.equal(JSON.parse(entry.toString())[0], seq)
      assert.equal(Number(index), seq - 1)
      assert.ok(proof.endsWith(`\n\n${head.note}`))
      const path = hashesFrom(hashes.split('\n').filter(Boolean))
      assert.ok(isIncluded(leafHash(entry), seq - 1, head.size, path, head.root), `${seq}`)
    }
    const { proof } = await as({ key: secret }).getProof({ seq: head.size })
    assert.ok(!proof.includes('extra'), 'of the event of another project a key learns the hashes alone')
    await assert.rejects(client.getProof({ seq: head.size + 1 }), { code: 'NOT_FOUND' })
  },
)

testLedger('a checkpoint that a clock far ahead has signed does not delay the next', async ({ client, store }) => {
  await client.createRun({})
  const { size } = await client.getCheckpoint()
  await store.db.tx((tx) => tx.query(sql`update seal_checkpoints set created_at = '2999-01-31T09:30:00.000Z'`))
  await client.createRun({})
  assert.equal((await client.getCheckpoint()).size, size + 1)
})

testLedger('a checkpoint for the local user covers the whole log', async ({ client, store }) => {
  const app = createApp({ store, actor: localActor, rateLimit: 0 })
  const local = createClient({ url: base, fetch: (request) => app.fetch(request) })
  const sizeOf = async () => (await local.listLeaves({ limit: 1000 })).leaves.length
  const before = await local.getCheckpoint()
  assert.equal(before.size, await sizeOf())
  await client.createRun({ title: 'a moment later' })
  const { note, size, verifierKey } = await local.getCheckpoint()
  const [head] = checkpointsIn(note)
  assert.ok(head && isSignedBy(head, verifierKey))
  assert.deepEqual([size, head.size], [before.size + 1, await sizeOf()])
  await local.getProof({ seq: size })
})

testLedger('a checkpoint and a proof are text, or JSON on request', async (ledger) => {
  const { note } = await checkpointOf(ledger)
  const asText = await ledger.fetch('/v1/log/checkpoint')
  assert.equal(asText.headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal(await asText.text(), note)
  const asJson = await ledger.fetch('/v1/log/checkpoint', { headers: { accept: 'application/json' } })
  assert.equal((await asJson.json()).note, note)
  for (const [accept, type] of [
    ['Application/JSON', 'application/json'],
    ['text/plain;q=0.5, application/json;q=0.1', 'application/json'],
    ['application/json;q=0', 'text/plain; charset=utf-8'],
    ['application/json-seq', 'text/plain; charset=utf-8'],
  ] as const) {
    const response = await ledger.fetch('/v1/log/checkpoint', { headers: { accept } })
    assert.equal(response.headers.get('content-type'), type, accept)
  }
  assert.match(await (await ledger.fetch('/v1/log/proof?seq=1')).text(), /^c2sp\.org\/tlog-proof@v1\n/)
  assert.equal((await ledger.fetch('/v1/log/proof')).status, 422)
})

testLedger('there is no proof for an event or a size beyond the log', async (ledger) => {
  const { client, as } = ledger
  const { size } = await checkpointOf(ledger)
  await assert.rejects(client.getConsistency({ from: size + 1 }), { code: 'VALIDATION_ERROR' })
  await assert.rejects(client.getConsistency({ from: 1, to: size + 1 }), { code: 'NOT_FOUND' })
  const { secret } = await client.createKey({ name: 'local', permissions: ['admin'], project: 'default' })
  await assert.rejects(as({ key: secret }).listLeaves(), { code: 'FORBIDDEN' })
})

testLedger('a log with a changed tree gets no new checkpoint', async (ledger) => {
  const { client, store } = ledger
  const before = await checkpointOf(ledger)
  await store.db.tx((tx) =>
    tx.query(sql`update seal_tiles set hashes = ${Buffer.alloc(32 * before.size, 1)} where level = 0`),
  )
  await client.createRun({ title: 'one' })
  assert.deepEqual(await checkpointOf(ledger), before)
})

testLedger('a log with a missing event gets no new checkpoint', async (ledger) => {
  const { client, store } = ledger
  const before = await checkpointOf(ledger)
  for (let n = 0; n < 3; n++) await client.createRun({ title: `run ${n}` })
  await client.listEvents({})
  await store.db.tx((tx) => tx.query(sql`delete from events where seq = ${before.size + 2}`))
  assert.deepEqual(await checkpointOf(ledger), before)
})
