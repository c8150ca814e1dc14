import { statSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { conduct } from '../cli/program.ts'
import type { Engine } from '../support/engines.ts'
import { startPostgres } from '../support/setup.ts'
import { withSql } from './sql.ts'

/** A database of its own for one ledger, and the way to keep it and to bring it back. */
export interface Place {
  url: string
  /** Nobody else may use the ledger. */
  backUp(): Promise<void>
  restore(): Promise<void>
  bytes(): Promise<number>
}

/** `conduct backup` and `conduct restore`. */
export async function sqlitePlace(t: TestContext, engine: Engine): Promise<Place> {
  const url = await engine.freshUrl(t)
  const path = url.slice('sqlite:'.length)
  const backup = `${path}.backup`
  const run = async (...words: string[]) => {
    const env = { PATH: process.env.PATH, HOME: path.replace(/[^/]*$/, ''), CONDUCT_DATABASE_URL: url }
    const { code, stderr } = await conduct(words, env)
    if (code !== 0) throw new Error(`conduct ${words.join(' ')} ended with ${code}: ${stderr}`)
  }
  return {
    url,
    backUp: () => run('backup', backup),
    restore: () => run('restore', '--force', backup),
    bytes: async () =>
      ['', '-wal'].reduce((sum, end) => sum + (statSync(path + end, { throwIfNoEntry: false })?.size ?? 0), 0),
  }
}

/**
 * A PostgreSQL with its default settings, which syncs and vacuums. A copy of the database stands for `pg_dump`, which npm
 * does not install.
 */
export async function postgresPlace(t: TestContext): Promise<Place> {
  const { postgres, url: server, remove } = await startPostgres([])
  t.after(async () => {
    await postgres.stop()
    remove()
  })
  const at = (name: string) => server.replace(/[^/]*$/, name)
  const run = (text: string) => withSql(server, (sql) => sql.run(text))
  await run('create database ledger')
  return {
    url: at('ledger'),
    backUp: () => run('create database backup template ledger'),
    async restore() {
      await run('drop database ledger')
      await run('alter database backup rename to ledger')
    },
    async bytes() {
      const [row] = await withSql(at('ledger'), (sql) =>
        sql.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes'),
      )
      return Number(row?.bytes)
    },
  }
}
