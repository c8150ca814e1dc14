import { columnsOf, type Sql } from './sql.ts'

/** A run that its release judged otherwise than today's rule does, or for another reason. */
interface Kind {
  runId: string
  /** The evidence that its release gave. It said `verified` of each. */
  was: string
  checks: { result: string; command: string | null; exitCode: number | null }[]
  /** The exit codes of `npm test` in its turn. Version 0.1 has no turns. */
  shown?: number[]
  /** Today's verdict and evidence. */
  now: [verdict: string, evidence: string]
}

const ran = (exitCode: number, command = 'npm test') => ({
  result: exitCode === 0 ? 'pass' : 'fail',
  command,
  exitCode,
})
const said = { result: 'pass', command: null, exitCode: null }

const kinds: Kind[] = [
  { runId: 'UNSEEN', was: 'executed', checks: [ran(0)], now: ['verified', 'self'] },
  { runId: 'OTHER-COMMAND', was: 'executed', checks: [ran(1), ran(0, 'npm run quick')], now: ['failing', 'self'] },
]
const withTurns: Kind[] = [
  { runId: 'SEEN', was: 'executed', checks: [ran(0)], shown: [0], now: ['verified', 'executed'] },
  { runId: 'SEEN-FAILING', was: 'self', checks: [ran(1), said], shown: [1], now: ['failing', 'executed'] },
]

export const kindsOf = (version: number): Kind[] => (version === 4 ? kinds : [...kinds, ...withTurns])

const quoted = (value: string | number | null) =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)

/** Copies the rows of a table that meet a condition, with other values in some columns. */
async function copy(sql: Sql, table: string, where: string, values: Record<string, string>): Promise<void> {
  const columns = await columnsOf(sql, table)
  await sql.run(`insert into ${table} (${columns.join(', ')}) ${sql.isSqlite ? '' : 'overriding system value'}
    select ${columns.map((name) => values[name] ?? name).join(', ')} from ${table} where ${where}`)
}

async function lastOf(sql: Sql, table: string, column = 'id'): Promise<number> {
  const [row] = await sql.query<{ last: number | string }>(`select max(${column}) as last from ${table}`)
  return Number(row?.last)
}

/** Adds a run of each kind: copies of the run SELF, whose author claims that its one check passed. */
export async function addKinds(sql: Sql, version: number): Promise<void> {
  for (const kind of kindsOf(version)) await addKind(sql, kind, version > 4)
}

async function addKind(sql: Sql, { runId, was, checks, shown = [] }: Kind, hasTurns: boolean): Promise<void> {
  const run = (await lastOf(sql, 'runs')) + 1
  const own = `(select id from runs where run_id = 'SELF')`
  await copy(sql, 'runs', `run_id = 'SELF'`, { id: String(run), run_id: quoted(runId), evidence: quoted(was) })
  await event(sql, `type = 'run.created' and subject = 'SELF'`, runId, run)
  if (hasTurns) {
    await copy(sql, 'run_commits', `run_id = ${own}`, { run_id: String(run) })
    if (shown.length > 0) await addTurn(sql, runId, run, shown)
  }
  for (const { result, command, exitCode } of checks) {
    const check = (await lastOf(sql, 'checks')) + 1
    const checkId = `OF-${runId}-${check}`
    await copy(sql, 'checks', `run_id = ${own}`, {
      ...{ id: String(check), check_id: quoted(checkId), run_id: String(run), name: quoted('tests') },
      ...{ result: quoted(result), command: quoted(command), exit_code: String(exitCode) },
    })
    const changes = {
      ...{ runId: [null, runId], name: [null, 'tests'], result: [null, result] },
      ...(command !== null && { command: [null, command], exitCode: [null, exitCode] }),
    }
    await event(sql, `type = 'check.created' and changes like '%"SELF"%'`, checkId, check, changes)
  }
  const verdict = { verdict: ['unchecked', 'verified'], evidence: [null, was] }
  await event(sql, `type = 'run.updated' and subject = 'SELF'`, runId, run, verdict)
}

async function addTurn(sql: Sql, runId: string, run: number, shown: number[]): Promise<void> {
  const turn = (await lastOf(sql, 'turns')) + 1
  const commands = shown.map((exitCode) => ({ command: 'npm test', exitCode }))
  await copy(sql, 'turns', 'n = 3', {
    ...{ id: String(turn), run_id: String(run), n: '1', facts: quoted(JSON.stringify({ commands })) },
  })
  await event(sql, `type = 'turn.created' and subject = 'SESSION/3'`, `${runId}/1`, turn, {
    commands: [null, commands],
  })
}

/** Copies an event to the end of the log, about another subject. */
async function event(sql: Sql, where: string, subject: string, subjectId: number, changes?: object): Promise<void> {
  const next = String((await lastOf(sql, 'events', 'seq')) + 1)
  await copy(sql, 'events', where, {
    ...{ id: next, seq: next, subject: quoted(subject), subject_id: String(subjectId) },
    ...(changes && { changes: quoted(JSON.stringify(changes)) }),
  })
}
