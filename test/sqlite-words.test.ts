import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import sql, { raw } from 'sql-template-tag'
import type { Db } from '../src/engine/db.ts'
import { openSqlite } from '../src/engine/sqlite.ts'
import { freshFolder } from './cli/folder.ts'

const rows = 400

/** An index of words with one row per number, written in a few transactions. */
async function openWords(t: TestContext): Promise<Db> {
  const db = openSqlite(`${freshFolder(t)}/words.db`)
  t.after(() => db.close())
  await db.tx(async (tx) => {
    for (const statement of db.dialect.searchWords('texts')) await tx.query(sql`${raw(statement)}`)
  })
  for (let first = 1; first <= rows; first += rows / 4) {
    await db.tx(async (tx) => {
      for (let n = first; n < first + rows / 4; n++) {
        await tx.query(sql`insert into texts (rowid, words) values (${n}, ${`common word${n}`})`)
      }
    })
  }
  await tidy(db)
  return db
}

/** Merges until nothing is left to merge. Returns how often that took a step. */
async function tidy(db: Db): Promise<number> {
  for (let steps = 0; ; steps++) if (!(await db.tx((tx) => tx.dialect.tidyWords(tx, 'texts')))) return steps
}

const drop = (db: Db, to: number) => db.tx((tx) => tx.query(sql`delete from texts where rowid <= ${to}`))
const found = (db: Db) => db.query<{ rowid: number }>(sql`select rowid from texts where texts match 'common'`)

test('deleted rows cost no merge until they are half of what was written', async (t) => {
  const db = await openWords(t)
  await drop(db, rows / 5)
  assert.equal(await tidy(db), 0)
  await drop(db, rows * 0.6)
  assert.ok((await tidy(db)) > 0)
  assert.equal((await found(db)).length, rows * 0.4)
})

test('an index from before learns the settings', async (t) => {
  const db = await openWords(t)
  const settings = () => db.query<{ k: string; v: number }>(sql`select k, v from texts_config order by k`)
  const before = await settings()
  await db.tx((tx) => tx.query(sql`insert into texts (texts, rank) values ('deletemerge', cast(10 as integer))`))
  await tidy(db)
  assert.deepEqual(await settings(), before)
})
