import { type TestContext, test } from 'node:test'
import type { Db } from '../../src/engine/db.ts'
import { openPostgres } from '../../src/engine/postgres.ts'
import { openSqlite } from '../../src/engine/sqlite.ts'
import { type Engine, engines } from './engines.ts'

export const openDb = (url: string): Promise<Db> =>
  url.startsWith('sqlite:') ? Promise.resolve(openSqlite(url.slice('sqlite:'.length))) : openPostgres(url, () => {})

interface DbTest {
  engine: Engine
  url: string
  db: Db
  /** Another handle of the same database, closed at the end of the test. */
  another(): Promise<Db>
}

/** Runs a test of the engine interface on each engine, with an empty database. */
export function testDb(name: string, body: (given: DbTest, t: TestContext) => Promise<void>) {
  for (const engine of engines) {
    test(`${name} (${engine.name})`, async (t) => {
      const url = await engine.freshUrl(t)
      const another = async () => {
        const db = await openDb(url)
        t.after(() => db.close())
        return db
      }
      await body({ engine, url, db: await another(), another }, t)
    })
  }
}
