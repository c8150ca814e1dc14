import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/** The rows of a statement, read past Conduct, straight from the database at `url`. */
export async function readRows<Row extends object>(url: string, text: string): Promise<Row[]> {
  if (url.startsWith('sqlite:')) {
    const db = new DatabaseSync(url.slice('sqlite:'.length))
    try {
      return db
        .prepare(text)
        .all()
        .map((row) => ({ ...row })) as Row[]
    } finally {
      db.close()
    }
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows as Row[]
  } finally {
    await client.end()
  }
}
