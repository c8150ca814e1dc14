import type pg from 'pg'
import sql, { type Sql } from 'sql-template-tag'
import type { Tx } from '../src/engine/db.ts'
import { openStore } from '../src/operations/open.ts'
import { operations } from '../src/operations/operations.ts'
import { adminKey } from './servers.ts'
import { newRun } from './work.ts'

type Answer = Record<string, unknown>

/** A statement of a transaction. Its values depend on the rows of the statements before it. */
export interface Step {
  name: string
  text: string
  values: ((answers: Answer[]) => unknown)[]
}

/** Generated ids start so high, and so far apart, that they are recognised wherever they appear. */
const firstId = 1_000_000_000
const firstNumber = 777_777_777

/** The statements of one createRun of Conduct, recorded on that PostgreSQL database. */
export async function recordCreate(databaseUrl: string): Promise<Step[]> {
  const store = await openStore(databaseUrl, { adminKey })
  const said: { statement: Sql; answer: Answer }[] = []
  const noted =
    (run: Tx['query']): Tx['query'] =>
    async (statement) => {
      const rows = await run(statement)
      said.push({ statement, answer: { ...rows[0] } })
      return rows as never
    }
  // What Conduct runs outside the transaction, a plain program runs inside.
  const recording = (tx: Tx): Tx => ({ ...tx, query: noted(tx.query), apart: { query: noted(tx.apart.query) } })
  await store.db.tx(async (tx) => {
    await tx.query(sql`select setval(format('%I.%I', schemaname, sequencename)::regclass, ${firstId} * row_number() over ())
      from pg_sequences`)
    await tx.query(sql`insert into counters (project_id, noun, next) values (1, 'run', ${firstNumber})`)
  })
  await operations.createRun(
    {
      db: { ...store.db, tx: (work) => store.db.tx((tx) => work(recording(tx))) },
      now: store.now(),
      actor: {
        kind: 'key',
        id: 1,
        keyId: 1,
        name: 'first admin',
        permissions: ['admin'],
        projectId: null,
        endsAt: null,
      },
      project: { id: 1, slug: 'default' },
      named: false,
      contentLimit: 1_048_576,
    },
    JSON.parse(newRun('LOAD-0')),
  )
  await store.close()
  const answers = said.map(({ answer }) => answer)
  return said.map(({ statement: { text, values } }, index) => ({
    name: `step_${index}`,
    text,
    values: values.map((value) => givenBy(value, answers.slice(0, index))),
  }))
}

/** Runs recorded statements in a transaction. Returns the first row of each. */
export async function runSteps(client: pg.ClientBase, steps: Step[]): Promise<Answer[]> {
  const answers: Answer[] = []
  await client.query('begin')
  for (const { name, text, values } of steps) {
    const { rows } = await client.query({ name, text, values: values.map((value) => value(answers)) })
    answers.push(rows[0])
  }
  await client.query('commit')
  return answers
}

/** How to reproduce a value: if it contains a generated number, from the number generated this time. */
function givenBy(value: unknown, before: Answer[]): (answers: Answer[]) => unknown {
  for (const [index, answer] of before.entries()) {
    for (const [column, number] of Object.entries(answer)) {
      if (typeof number !== 'number' || number < firstNumber) continue
      if (value === number) return (answers) => answers[index]?.[column]
      if (typeof value !== 'string' || !value.includes(String(number))) continue
      const around = value.split(String(number))
      return (answers) => around.join(String(answers[index]?.[column]))
    }
  }
  return () => value
}
