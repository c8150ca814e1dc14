import { insertCalls, type Queued, type QueuedCall } from './calls.ts'
import type { Database } from './database.ts'

/** The diffs of a turn that are still to be made, in the form of the code that makes them. */
export interface Owed {
  /** The number of the turn. */
  n: number
}

export interface OwedOf extends Owed {
  id: number
  name: string
  trees: object
}

/** The diffs of turns. They are made after the turn is sent, because that takes longer. */
export interface Diffs {
  /** The turns whose diffs are to be made, oldest first. */
  owed(): OwedOf[]
  /** All texts in which the state names trees of a session. */
  trees(name: string): string[]
  /** Replaces what is owed by calls. Does nothing if another process has done so. */
  pay(owed: OwedOf, calls: (n: number) => QueuedCall[]): void
  /**
   * Gives the turn of a call another number, because the ledger has one with the first already. All that is about later
   * turns, or about this one, moves by as much.
   */
  renumber(name: string, call: Queued, to: number): void
}

export function diffsIn(db: Database): Diffs {
  return {
    owed: () =>
      db
        .rows<Omit<OwedOf, 'trees'> & { trees: string }>('select id, name, n, trees from diffs order by id')
        .map(({ trees, ...row }) => ({ ...row, trees: JSON.parse(trees) })),
    trees: (name) => {
      const text = `select memo as text from recordings where name = ?1
        union all select trees from diffs where name = ?1
        union all select git from notes where name = ?1 and git is not null
        union all select git from acts where name = ?1 and git is not null`
      return db.rows<{ text: string }>(text, name).map(({ text }) => text)
    },
    pay: ({ id, name }, calls) =>
      db.together(() => {
        const [row] = db.rows<{ n: number }>('select n from diffs where id = ?', id)
        if (!row) return
        db.run('delete from diffs where id = ?', id)
        insertCalls(db, name, calls(row.n))
      }),
    renumber: (name, { id, input }, to) =>
      db.together(() => {
        const from = Number(input.n)
        const by = to - from
        db.run('update diffs set n = n + ? where name = ? and n >= ?', by, name, from)
        for (const [operation, field] of [['addDiffs', 'turn'] as const, ['appendTurn', 'n'] as const]) {
          const text = `update calls set input = json_set(input, '$.${field}', json_extract(input, '$.${field}') + ?)
            where name = ? and operation = ? and id <> ? and json_extract(input, '$.${field}') >= ?`
          db.run(text, by, name, operation, id, from)
        }
        moveCount(db, name, by)
      }),
  }
}

/** Moves the numbers with which the session goes on: that of its last turn, and that of the open one. */
function moveCount(db: Database, name: string, by: number) {
  const [row] = db.rows<{ memo: string }>('select memo from recordings where name = ?', name)
  const { n = 0, open, ...memo } = JSON.parse(row?.memo ?? '{}') as { n?: number; open?: number }
  const moved = { ...memo, n: n + by, ...(open !== undefined && { open: open + by }) }
  db.run('update recordings set memo = ? where name = ?', JSON.stringify(moved), name)
}

export function insertOwed(db: Database, name: string, owed: Owed[]) {
  for (const { n, ...trees } of owed) {
    db.run('insert into diffs (name, n, trees) values (?, ?, ?)', name, n, JSON.stringify(trees))
  }
}
