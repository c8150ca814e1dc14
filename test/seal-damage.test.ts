import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql, { type Sql } from 'sql-template-tag'
import type { Tx } from '../src/engine/db.ts'
import { type Checkpoint, checkpointsIn, newKeyPair, signCheckpoint } from '../src/log/seal/signed-note.ts'
import type { Output } from '../src/operations/routes.ts'
import { verify } from '../src/verify/verify.ts'
import { engines, type Ledger, testLedger, withLedger } from './support/engines.ts'

/** Damage to a ledger of 13 events, of which a checkpoint covers 10. */
interface Damage {
  name: string
  statements(anchor: Checkpoint): Sql[]
  /** The first event that is not as it was, if the damage affects an event. */
  seq?: number
  /** Whether a key that cannot read the log must also notice it. */
  isSeenByProofs?: true
}

const noCheckpoints = sql`delete from seal_checkpoints`
const bytes = (length: number) => Buffer.alloc(length, 7)
const note = (text: string) => sql`update seal_checkpoints set note = ${text}`

/** A checkpoint of the same log, signed by another key. */
function forged({ origin, size, root }: Checkpoint): string {
  return signCheckpoint(origin, newKeyPair(), { size, root }).note
}

const marked = (name: string, seq: number, mark: number): Damage => ({
  name,
  statements: () => [sql`update events set is_append = ${mark} where seq = ${seq}`],
  seq,
})

const damages: Damage[] = [
  marked('an event that is marked as an append so that filtered lists leave it out', 7, 2),
  marked('a new run that is marked as an append', 7, 1),
  marked('a change of a run that is marked as an append', 8, 1),
  marked('an append that is marked as none', 9, 0),
  {
    name: 'another name of a key where events show it',
    statements: () => [sql`update actors set name = 'eve' where name = 'first admin'`],
    seq: 3,
  },
  {
    name: 'a name of the local user and of Conduct itself',
    statements: () => [sql`update actors set name = 'eve' where kind <> 'key'`],
    seq: 1,
  },
  { name: 'another name of a key', statements: () => [sql`update keys set name = 'eve' where name = 'reader'`] },
  { name: 'another person of a key', statements: () => [sql`update keys set person = 'Eve <eve@x.org>'`] },
  {
    name: 'more permissions of a key',
    statements: () => [sql`update keys set permissions = 'admin' where name = 'reader'`],
  },
  { name: 'a revoked key that lives again', statements: () => [sql`update keys set revoked_at = null`] },
  { name: 'a key that is gone', statements: () => [sql`delete from keys where name = 'gone'`] },
  {
    name: 'a key that no event created',
    statements: () => [
      sql`insert into keys (project_id, name, prefix, hash, permissions, created_at, actor_id)
        select project_id, name, prefix, 'x', permissions, created_at, actor_id from keys where name = 'reader'`,
    ],
  },
  {
    name: "two projects with each other's slugs",
    statements: () => [
      sql`update projects set slug = 'x' where slug = 'default'`,
      sql`update projects set slug = 'default' where slug = 'shop'`,
      sql`update projects set slug = 'shop' where slug = 'x'`,
    ],
    seq: 1,
  },
  { name: 'another name of a project', statements: () => [sql`update projects set name = 'x' where slug = 'shop'`] },
  {
    name: 'no checkpoint and a gap after the sealed events',
    statements: () => [noCheckpoints, sql`delete from events where seq = 12`],
    seq: 12,
    isSeenByProofs: true,
  },
  {
    name: 'no checkpoint, no tree and a gap',
    statements: () => [
      noCheckpoints,
      sql`delete from seal_tiles`,
      sql`update followers set last_seq = 0 where name = 'seal'`,
      sql`delete from events where seq = 4`,
    ],
    seq: 4,
    isSeenByProofs: true,
  },
  {
    name: 'no checkpoint and no tree',
    statements: () => [noCheckpoints, sql`delete from seal_tiles`],
    seq: 1,
    isSeenByProofs: true,
  },
  { name: 'missing salts', statements: () => [sql`delete from seal_salts where seq = 5`], seq: 5 },
  {
    name: 'salts of half a length',
    statements: () => [sql`update seal_salts set salts = ${bytes(8)} where seq = 5`],
    seq: 5,
  },
  { name: 'a note that is no checkpoint', statements: () => [note('{"size":')], isSeenByProofs: true },
  { name: 'an empty note', statements: () => [note('')], isSeenByProofs: true },
  {
    name: 'a note of a negative size',
    statements: ({ note: text }) => [note(text.replace('\n10\n', '\n-10\n'))],
    isSeenByProofs: true,
  },
  {
    name: 'a note of a size that is no whole number',
    statements: ({ note: text }) => [note(text.replace('\n10\n', '\n9.5\n'))],
    isSeenByProofs: true,
  },
  {
    name: 'a note without its signature',
    statements: ({ note: text }) => [note(text.slice(0, text.indexOf('\n\n') + 1))],
    isSeenByProofs: true,
  },
  { name: 'a note of another key', statements: (anchor) => [note(forged(anchor))], isSeenByProofs: true },
  {
    name: 'a root of the wrong length',
    statements: () => [sql`update seal_checkpoints set root = ${bytes(3)}`],
    isSeenByProofs: true,
  },
  {
    name: 'a negative size beside the note',
    statements: () => [sql`update seal_checkpoints set size = -10`],
    isSeenByProofs: true,
  },
  {
    name: 'leaves of the wrong length',
    statements: () => [sql`update seal_tiles set hashes = ${bytes(33)} where level = 0`],
    seq: 1,
  },
  { name: 'no tree', statements: () => [sql`delete from seal_tiles`], seq: 1 },
  { name: 'no key', statements: () => [sql`delete from seal_keys`], isSeenByProofs: true },
  {
    name: 'a key of the wrong length',
    statements: () => [sql`update seal_keys set public_key = ${bytes(5)}`],
    isSeenByProofs: true,
  },
  {
    name: 'no checkpoint and half a private key',
    statements: () => [noCheckpoints, sql`update seal_keys set private_key = ${bytes(16)}`],
    isSeenByProofs: true,
  },
  {
    name: 'no checkpoint and no position',
    statements: () => [noCheckpoints, sql`delete from followers where name = 'seal'`],
    isSeenByProofs: true,
  },
  {
    name: 'no checkpoint and a negative position',
    statements: () => [noCheckpoints, sql`update followers set last_seq = -3 where name = 'seal'`],
    isSeenByProofs: true,
  },
  { name: 'a negative seq', statements: () => [sql`update events set seq = -4 where seq = 4`], seq: 4 },
  {
    name: 'a number beyond those of JavaScript',
    statements: () => [sql`update events set subject_id = ${2n ** 62n} where seq = 6`],
    seq: 6,
  },
  {
    name: 'changes too deep to parse',
    statements: () => [sql`update events set changes = ${'['.repeat(200_000)} where seq = 6`],
    seq: 6,
  },
  { name: 'changes of another form', statements: () => [sql`update events set changes = '[1]' where seq = 6`], seq: 6 },
]

async function furnish({ client, advance }: Ledger): Promise<Checkpoint> {
  // Three more events are the ledger's own: its project and two keys.
  await client.createProject({ slug: 'shop' })
  const { key } = await client.createKey({ name: 'gone', permissions: ['read'] })
  await client.revokeKey({ id: key.id })
  await client.createRun({ runId: 'R-1', title: 'run 1' })
  await client.updateRun({ runId: 'R-1', title: 'one' })
  await client.appendToRun({ runId: 'R-1', text: 'a line' })
  await client.createRun({ runId: 'R-2', title: 'run 2' })
  advance(61_000)
  const [anchor] = checkpointsIn((await client.getCheckpoint()).note)
  assert.ok(anchor)
  for (let n = 8; n <= 10; n++) await client.createRun({ runId: `R-${n}`, title: `run ${n}` })
  await client.listEvents({})
  return anchor
}

const run = (tx: Tx, statements: Sql[]) =>
  statements.reduce((before, one) => before.then(() => tx.query(one)).then(() => {}), Promise.resolve())

for (const engine of engines) {
  for (const { name, statements, seq, isSeenByProofs } of damages) {
    test(`verify lists a fault for ${name} (${engine.name})`, () =>
      withLedger(engine, async (ledger) => {
        const { client, store, as } = ledger
        const { secret } = await client.createKey({ name: 'reader', permissions: ['read'] })
        const anchor = await furnish(ledger)
        assert.equal(anchor.size, 10)
        assert.deepEqual((await verify(client, [anchor])).faults, [])
        await store.db.tx((tx) => run(tx, statements(anchor)))
        const { faults } = await verify(client, [anchor])
        const [first] = faults
        assert.ok(first, 'no fault')
        if (seq !== undefined) {
          assert.ok(
            (first.seq ?? 0) <= seq && seq <= (first.until ?? 0),
            `${first.seq} to ${first.until}: ${first.words}`,
          )
        }
        const byProofs = await verify(as({ key: secret }), [anchor])
        if (isSeenByProofs) assert.ok(byProofs.faults.length > 0, 'no fault by proofs')
      }))
  }
}

testLedger('an anchor fits with any line breaks, and is a fault without its signature', async (ledger) => {
  const { note } = await furnish(ledger)
  const faultsWith = async (text: string) => (await verify(ledger.client, checkpointsIn(text))).faults
  assert.deepEqual(await faultsWith(note.replaceAll('\n', '\r\n')), [])
  assert.deepEqual(await faultsWith(`${note}\n${note}`.trimEnd()), [])
  assert.deepEqual(await faultsWith(note.slice(0, note.indexOf('\n\n'))), [
    { words: 'The anchor of 9 events has no signature: it was cut off.' },
  ])
  assert.deepEqual(await faultsWith(note.slice(0, -20)), [
    { words: "The log's current key did not sign the anchor of 9 events." },
  ])
})

testLedger('a project that is deleted while the log is read is no fault', async (ledger) => {
  const { client, app, as } = ledger
  const anchor = await furnish(ledger)
  let isDeleted = false
  // On PostgreSQL, a page may show the slug of a deleted project before the event is numbered.
  const early = as({
    async fetch(request) {
      if (isDeleted || !request.url.includes('/v1/log/leaves')) return app.fetch(request)
      isDeleted = true
      await client.deleteProject({ slug: 'shop', confirm: 'shop' })
      const { leaves, meta } = (await (await app.fetch(request)).json()) as Output<'listLeaves'>
      const before = leaves.filter(({ type }) => type !== 'project.deleted')
      return Response.json({ leaves: before, meta: { ...meta, lastSeq: before.at(-1)?.seq } })
    },
  })
  assert.deepEqual((await verify(early, [anchor])).faults, [])
  assert.ok(isDeleted)
})
