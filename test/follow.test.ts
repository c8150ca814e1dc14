import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import sql, { raw } from 'sql-template-tag'
import type { Client } from '../src/client/client.ts'
import { followLog, indexMore, isBehind } from '../src/find/follow.ts'
import { type Engine, engines, openLedger, testOn } from './support/engines.ts'

/** An empty ledger without jobs, so that only the test indexes. */
async function openWithoutJobs(t: TestContext, engine: Engine, contentLimit?: number) {
  const { client, store, url } = await openLedger(t, engine, { isStill: true, contentLimit })
  return { client, db: store.db, url }
}

for (const engine of engines) {
  test(`every step makes progress in the index, even one without any time (${engine.name})`, async (t) => {
    const { client, db } = await openWithoutJobs(t, engine, 300_000)
    const found = async (q: string) => {
      for (let steps = 0; await isBehind(db); steps++) {
        assert.ok(steps < 50, 'the index is still behind after 50 steps')
        await followLog(db, 0)
      }
      return (await client.search({ q })).results.map(({ subject }) => subject)
    }
    await client.createRun({ runId: 'LOG', content: `begin ${'filler '.repeat(20_000)} border` })
    assert.deepEqual([await found('begin'), await found('border')], [['LOG'], ['LOG']])
    for (let n = 0; n < 8; n++) {
      await client.appendToRun({ runId: 'LOG', text: `\nline${n}x ${'filler '.repeat(10_000)}` })
      assert.deepEqual(await found(`line${n}x`), ['LOG'])
    }
    assert.deepEqual([await found('begin'), await found('border')], [['LOG'], []])
  })
}

/** Adds texts of 3,000 words each; no two texts have a word in common. */
async function addTexts(client: Client, texts: number) {
  for (let n = 0; n < texts; n++) {
    await client.createRun({ content: Array.from({ length: 3_000 }, (_, word) => `w${n}x${word}`).join(' ') })
  }
}

for (const engine of engines) {
  test(`a search finds the new words of an old run at once, however much waits for the index (${engine.name})`, async (t) => {
    const { client, db } = await openWithoutJobs(t, engine)
    await client.createRun({ runId: 'LOG', content: 'begin' })
    while (await indexMore(db, 5));
    await addTexts(client, 40)
    await client.appendToRun({ runId: 'LOG', text: ' quokka' })
    const tx = t.mock.method(db, 'tx')
    const { results } = await client.search({ q: 'begin quokka' })
    assert.deepEqual([results.map(({ subject }) => subject), tx.mock.callCount() <= 2], [['LOG'], true])
  })
}

testOn('sqlite', 'no step of the index writes much more than the others (sqlite)', async (engine, t) => {
  const { client, db, url } = await openWithoutJobs(t, engine)
  await addTexts(client, 60)
  const logSize = () => statSync(`${url.slice('sqlite:'.length)}-wal`).size
  const written: number[] = []
  for (let isMore = true, before = logSize(); isMore; before = logSize()) {
    isMore = await indexMore(db, 0)
    written.push(logSize() - before)
  }
  assert.ok(written.length >= 60, `${written.length} steps`)
  assert.ok(Math.max(...written) < 600_000, `bytes of each step: ${written}`)
})

testOn('sqlite', 'writing words does not merge earlier ones at once (sqlite)', async (engine, t) => {
  const { client, db, url } = await openWithoutJobs(t, engine)
  await addTexts(client, 1)
  while (await indexMore(db, 5));
  const logSize = () => statSync(`${url.slice('sqlite:'.length)}-wal`).size
  const written: number[] = []
  for (let n = 0, before = logSize(); n < 40; n++, before = logSize()) {
    const words = Array.from({ length: 3_000 }, (_, word) => `w${n}x${word}`)
    await db.tx((tx) =>
      tx.query(sql`insert into search_words (rowid, words) values (${1e9 + n}, ${tx.dialect.words(words)})`),
    )
    written.push(logSize() - before)
  }
  assert.ok(Math.max(...written) < 300_000, `bytes of each transaction: ${written}`)
})

testOn(
  'sqlite',
  'a step writes one segment of an index, however many entries it updates (sqlite)',
  async (engine, t) => {
    const { client, db } = await openWithoutJobs(t, engine)
    for (let n = 0; n < 45; n++) await client.createRun({ content: `text ${n}` })
    while (await indexMore(db, 60_000));
    for (let n = 1; n <= 45; n++)
      await client.appendToRun({ runId: `RUN-${String(n).padStart(3, '0')}`, text: ' more' })
    const segments = async (table: string) =>
      (await db.query<{ n: number }>(sql`select count(distinct segid) as n from ${raw(table)}_idx`))[0]?.n ?? 0
    const before = [await segments('search_words'), await segments('search_recent')]
    while (await indexMore(db, 60_000));
    const after = [await segments('search_words'), await segments('search_recent')]
    assert.deepEqual(
      after.map((n, index) => n - (before[index] as number)),
      [1, 1],
    )
  },
)

testOn('postgres', 'a step leaves few words for a later one to enter into the index (postgres)', async (engine, t) => {
  const { client, db } = await openWithoutJobs(t, engine)
  await addTexts(client, 10)
  while (await indexMore(db, 0));
  const [left] = await db.query<{ pages: number }>(sql`select gin_clean_pending_list('search_words_inverted') as pages`)
  assert.ok((left?.pages ?? 0) <= 64, `${left?.pages} pages of 8 kB`)
})
