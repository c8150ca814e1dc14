import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/** Reads rows directly from the database at `url`, without Conduct. */
export async function readRows<Row extends object>(url: string, text: string): Promise<Row[]> {
  if (url.startsWith('sqlite:')) {
    using db = new DatabaseSync(url.slice('sqlite:'.length), { timeout: 10_000 })
    return db
      .prepare(text)
      .all()
      .map((row) => ({ ...row })) as Row[]
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows as Row[]
  } finally {
    await client.end()
  }
}

/** Runs a statement in a transaction that stays open until the returned function is called. */
export async function beginWith(url: string, text: string): Promise<() => Promise<void>> {
  if (url.startsWith('sqlite:')) {
    const db = new DatabaseSync(url.slice('sqlite:'.length), { timeout: 10_000 })
    db.exec(`begin immediate; ${text}`)
    return async () => {
      db.exec('commit')
      db.close()
    }
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`begin; ${text}`)
  return async () => {
    await client.query('commit')
    await client.end()
  }
}
