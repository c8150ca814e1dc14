import sql, { raw } from 'sql-template-tag'
import { ConductError } from '../contract/error.ts'
import type { Tx } from '../engine/db.ts'
import { firstSeq } from '../log/read.ts'
import { readRows } from '../log/seal/event.ts'
import { leafOf } from '../log/seal/leaf.ts'
import { readSize } from '../log/seal/seal.ts'
import { readLeaves } from '../log/seal/tile.ts'
import { Roots } from '../log/seal/tree.ts'

/** Columns that refer to rows which the engine does not check: table, column, and the table referred to. */
const references: readonly [table: string, column: string, to: string][] = [
  ...(['runs', 'specs', 'spec_versions', 'checks'] as const).map(
    (table) => [table, 'document_id', 'documents'] as const,
  ),
  ...(['prompt_id', 'answer_id'] as const).map((column) => ['turns', column, 'documents'] as const),
  ...(['projects', 'features', 'specs', 'runs', 'checks', 'turns'] as const).map(
    (table) => [table, 'created_by', 'actors'] as const,
  ),
  ['run_writers', 'actor_id', 'actors'],
  ['events', 'actor_id', 'actors'],
  ['events', 'project_id', 'projects'],
].map(([table = '', column = '', to = '']) => [table, column, to])

/** The events that are read at once. */
const atOnce = 1000

/**
 * Throws BAD_REQUEST for imported rows that do not belong together: one that refers to a missing one, a verdict without
 * its check, or a log that does not fit its seal.
 */
export async function requireFitting(tx: Tx): Promise<void> {
  for (const [table, column, to] of references) {
    const [row] = await tx.query<{ id: number }>(sql`
      select ${raw(`t.${column}`)} as id from ${raw(table)} t where ${raw(`t.${column}`)} is not null
        and not exists (select 1 from ${raw(to)} o where o.id = ${raw(`t.${column}`)}) limit 1`)
    if (row) throw wrong(`A row of ${table} has the ${column} ${row.id}, and there is no such row in ${to}`)
  }
  const [run] = await tx.query<{ run_id: string }>(sql`
    select r.run_id from runs r where r.verdict = 'verified'
      and not exists (select 1 from checks c where c.run_id = r.id and c.result = 'pass') limit 1`)
  if (run) throw wrong(`Run ${run.run_id} has the verdict verified, and no check that passed`)
  await requireSeal(tx)
}

async function requireSeal(tx: Tx): Promise<void> {
  const size = await readSize(tx)
  const first = await firstSeq(tx)
  const roots = new Roots()
  const checkpoints = await tx.query<{ size: number; root: Uint8Array }>(sql`
    select size, root from seal_checkpoints order by size`)
  for (let after = 0; after < size; after += atOnce) {
    const leaves = await readLeaves(tx, after, Math.min(after + atOnce, size))
    const rows = new Map((await readRows(tx, after, atOnce)).map((row) => [row.seq, row]))
    for (let seq = after + 1; seq <= Math.min(after + atOnce, size); seq++) {
      const leaf = leaves[seq - after - 1]
      const row = rows.get(seq)
      if (!leaf || (row ? !leaf.equals(leafOfRow(row)) : seq >= first)) {
        throw wrong(`Event ${seq} does not fit the seal of the log`)
      }
      roots.push(leaf)
      while (checkpoints[0]?.size === seq) {
        if (!roots.root().equals(Buffer.from(checkpoints[0].root))) {
          throw wrong(`The checkpoint of ${seq} events does not fit the log`)
        }
        checkpoints.shift()
      }
    }
  }
  const [rest] = checkpoints
  if (rest) throw wrong(`A checkpoint covers ${rest.size} events, and only ${size} are sealed`)
}

function leafOfRow({ salts, changes, ...event }: Awaited<ReturnType<typeof readRows>>[number]): Buffer {
  try {
    return leafOf({ ...event, changes: JSON.parse(changes) }, Buffer.from(salts ?? []))
  } catch {
    return Buffer.alloc(0)
  }
}

const wrong = (words: string) =>
  new ConductError('BAD_REQUEST', `${words}: the export was changed, or its ledger is damaged (conduct verify).`)
