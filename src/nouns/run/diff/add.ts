import { isDeepStrictEqual } from 'node:util'
import sql, { join, raw } from 'sql-template-tag'
import { ConductError, invalid } from '../../../contract/error.ts'
import { pathFrom } from '../../../contract/file-path.ts'
import { only } from '../../../engine/db.ts'
import { type Ctx, inTx, type Operation } from '../../../frame/ctx.ts'
import { deleteDocuments, digestOf, findDigest, insertDocument, isContent } from '../../../frame/document.ts'
import { listOf, piecesOf } from '../../../frame/pieces.ts'
import { newNames } from '../../../log/erased-name.ts'
import { record } from '../../../log/record.ts'
import { settle } from '../check/settle.ts'
import { noteWriter } from '../check/verdict.ts'
import { noteTexts } from '../late-texts.ts'
import type { RunRow } from '../row.ts'
import { openRun } from '../take-lease.ts'
import { turnId } from '../turn.ts'
import { type DiffInput, type FileChange, mostDiff } from './fields.ts'
import type { DiffRoutes } from './routes.ts'

interface TurnRow {
  id: number
  n: number
  erased_at: string | null
}

/** A file of a turn as it is stored. Facts are JSON: `{}` where there is no change, null where the whole is the change. */
interface DiffRow {
  path: string
  facts: string
  document_id: number | null
  whole_facts: string | null
  whole_document_id: number | null
}

/**
 * Adds what a turn wrote, without a change of its run. A file that the turn already has with the same diff is not added
 * again. Throws CONFLICT if it has another diff; VALIDATION_ERROR for a path outside the repository, for a text that is no
 * diff of a file, and for more files or bytes than a turn may have; LEASE_HELD; LEASE_LOST; FORBIDDEN for an agent key on another's run; NOT_FOUND.
 */
export const addDiffs: Operation<DiffRoutes['addDiffs']> = (ctx, { runId, turn: n, leaseToken, ...input }) =>
  inTx(ctx, async (ctx) => {
    const diffs = input.diffs.map(placed)
    const { row } = await openRun(ctx, runId, leaseToken)
    const turn = await requireTurn(ctx, row, n)
    requireOnce(diffs)
    requireHunks(diffs)
    const fresh = await freshAmong(ctx, turn, diffs)
    if (fresh.length === 0) return { added: 0 }
    await requireRoom(ctx, turn, fresh)
    for (const some of piecesOf(fresh)) await insertDiffs(ctx, row, turn, some)
    await noteTexts(ctx.db, [row.id])
    await record(ctx, {
      type: 'turn.updated',
      subject: turnId(runId, n),
      subjectId: turn.id,
      projectId: ctx.project.id,
      changes: { diffs: [null, fresh.map(loggedOf)] },
    })
    if (await noteWriter(ctx, row)) await settle(ctx, row)
    return { added: fresh.length }
  })

async function requireTurn(ctx: Ctx, { id, run_id }: RunRow, n: number): Promise<TurnRow> {
  const [turn] = await ctx.db.query<TurnRow>(sql`select id, n, erased_at from turns where run_id = ${id} and n = ${n}`)
  if (turn) return turn
  throw new ConductError('NOT_FOUND', `Run '${run_id}' has no turn ${n}: append it first.`)
}

/** A diff with its paths in the form in which a run has them. Throws VALIDATION_ERROR for others. */
function placed({ path, change, whole }: DiffInput, index: number): DiffInput {
  const fileFrom = (given: string, field: string): string => {
    const path = pathFrom(given)
    if (path !== undefined && !path.endsWith('/')) return path
    throw invalid(
      `diffs.${index}.${field}`,
      "must be the path of a file from the repository's root, such as src/auth.ts",
    )
  }
  const moved = (one: FileChange, field: string): FileChange =>
    one.from === undefined ? one : { ...one, from: fileFrom(one.from, `${field}.from`) }
  return {
    path: fileFrom(path, 'path'),
    ...(change && { change: moved(change, 'change') }),
    ...(whole !== undefined && { whole: whole && moved(whole, 'whole') }),
  }
}

function requireOnce(diffs: DiffInput[]): void {
  const seen = new Set<string>()
  for (const [index, { path, change, whole }] of diffs.entries()) {
    if (seen.has(path)) throw invalid(`diffs.${index}.path`, `must not name ${path} twice`)
    if (!change && whole === undefined) throw invalid(`diffs.${index}`, 'must have a change, a whole, or both')
    seen.add(path)
  }
}

/** Throws VALIDATION_ERROR for a text that somebody could apply, and that is not the diff of one file. */
function requireHunks(diffs: DiffInput[]): void {
  for (const [index, { change, whole }] of diffs.entries()) {
    for (const [name, given] of Object.entries({ change, whole })) {
      if (!given?.patch || given.cut || given.masked || isHunks(given.patch)) continue
      throw invalid(
        `diffs.${index}.${name}.patch`,
        'must be the hunks of a unified diff, each as long as its @@ line says',
      )
    }
  }
}

/** The files that the turn does not have yet. Throws CONFLICT for one that it has with another diff. */
async function freshAmong(ctx: Ctx, turn: TurnRow, diffs: DiffInput[]): Promise<DiffInput[]> {
  const known = new Map<string, DiffRow>()
  const namesOf = await storedNames(ctx, turn)
  for (const some of piecesOf(diffs.flatMap(({ path }) => namesOf(path)))) {
    const rows = await ctx.db.query<DiffRow>(sql`
      select path, facts, document_id, whole_facts, whole_document_id from turn_diffs
      where turn_id = ${turn.id} and path in (${listOf(some)})`)
    for (const row of rows) known.set(row.path, row)
  }
  for (const diff of diffs) {
    const row = known.get(diff.path)
    // A turn with erased texts can no longer be compared.
    if (row && turn.erased_at === null && !(await isSame(ctx, row, diff))) {
      throw new ConductError('CONFLICT', `Turn ${turn.n} has another diff of ${diff.path}, and a diff never changes.`)
    }
  }
  return diffs.filter(({ path }) => !namesOf(path).some((name) => known.has(name)))
}

/** Returns the names that a file of the turn may have: its path, or the name that an erasure gave it. */
async function storedNames(ctx: Ctx, turn: TurnRow): Promise<(path: string) => string[]> {
  if (turn.erased_at === null) return (path) => [path]
  const newName = await newNames(ctx.db)
  return (path) => [path, newName(path)]
}

async function isSame(ctx: Ctx, row: DiffRow, { change, whole }: DiffInput): Promise<boolean> {
  return (
    (await isStored(ctx, row.facts, row.document_id, change ?? null)) &&
    (await isStored(ctx, row.whole_facts, row.whole_document_id, whole))
  )
}

/** Whether a stored change is this one; null means no change, undefined means not given. */
async function isStored(
  ctx: Ctx,
  stored: string | null,
  documentId: number | null,
  given: FileChange | null | undefined,
): Promise<boolean> {
  const { patch = '', ...facts } = given ?? {}
  const known = stored === null ? undefined : JSON.parse(stored)
  if (!isDeepStrictEqual(known, given === undefined ? undefined : facts)) return false
  return isContent(ctx, documentId, await findDigest(ctx, documentId), digestOf(patch))
}

/** The bytes of a document; 0 if there is none. */
const bytesIn = (id: string) => sql`coalesce((select d.bytes from documents d where d.id = ${raw(id)}), 0)`

const bytesOf = (change: FileChange | null | undefined) => Buffer.byteLength(change?.patch ?? '')

/** Throws VALIDATION_ERROR if the turn would have more files, or longer diffs, than it may. */
async function requireRoom(ctx: Ctx, turn: TurnRow, fresh: DiffInput[]): Promise<void> {
  const sums = await ctx.db.query<{ files: number; own: number; whole: number }>(sql`
    select count(*) as files, coalesce(sum(${bytesIn('t.document_id')}), 0) as own,
      coalesce(sum(${bytesIn('t.whole_document_id')}), 0) as whole from turn_diffs t where t.turn_id = ${turn.id}`)
  const { files, own, whole } = only(sums)
  const after = {
    files: files + fresh.length,
    own: Number(own) + fresh.reduce((sum, { change }) => sum + bytesOf(change), 0),
    whole: Number(whole) + fresh.reduce((sum, { whole }) => sum + bytesOf(whole), 0),
  }
  if (after.files > mostDiff.files) {
    throw invalid('diffs', `would give turn ${turn.n} ${after.files} files, more than ${mostDiff.files}`)
  }
  for (const bytes of [after.own, after.whole]) {
    if (bytes <= mostDiff.turnBytes) continue
    const [most, all] = [mostDiff.turnBytes, bytes].map((one) => one.toLocaleString('en'))
    throw invalid('diffs', `would give turn ${turn.n} ${all} bytes of diffs, more than ${most}: cut the longest`)
  }
}

async function insertDiffs(ctx: Ctx, run: RunRow, turn: TurnRow, diffs: DiffInput[]): Promise<void> {
  const rows = []
  for (const { path, change, whole } of diffs) {
    const { patch: text = '', ...facts } = change ?? {}
    const { patch: wholeText = '', ...wholeFacts } = whole ?? {}
    const values = [
      ...[ctx.project.id, run.id, turn.id, turn.n, path],
      JSON.stringify(facts),
      await insertDocument(ctx, text, digestOf(text)),
      whole === undefined ? null : JSON.stringify(wholeFacts),
      await insertDocument(ctx, wholeText, digestOf(wholeText)),
      ...[ctx.actor.id, ctx.now],
    ]
    rows.push(sql`(${join(values)})`)
  }
  await ctx.db.query(sql`
    insert into turn_diffs (project_id, run_id, turn_id, n, path, facts, document_id, whole_facts, whole_document_id,
      created_by, created_at) values ${join(rows)}`)
}

/** A diff as the log has it: its texts by their digests. */
function loggedOf({ path, change, whole }: DiffInput) {
  const withDigest = ({ patch, ...facts }: FileChange) => ({
    ...facts,
    ...(patch !== undefined && { patch: digestOf(patch) }),
  })
  return {
    path,
    ...(change && { change: withDigest(change) }),
    ...(whole !== undefined && { whole: whole && withDigest(whole) }),
  }
}

/** Deletes the texts of the diffs of turns. The rows go with the turns. */
export async function deleteDiffTexts(ctx: Ctx, turns: readonly number[]): Promise<void> {
  if (turns.length === 0) return
  const rows = await ctx.db.query<Pick<DiffRow, 'document_id' | 'whole_document_id'>>(sql`
    select document_id, whole_document_id from turn_diffs where turn_id in (${listOf(turns)})`)
  await deleteDocuments(
    ctx,
    rows.flatMap(({ document_id, whole_document_id }) => [document_id, whole_document_id]),
  )
}

const head = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/

/**
 * Whether a text is the hunks of one unified diff, each as long as its head says. In any other text, the diff of another
 * file could hide, and `git apply` would follow it.
 */
export function isHunks(patch: string): boolean {
  if (!patch.startsWith('@@ ') || !patch.endsWith('\n')) return false
  let [before, after] = [0, 0]
  for (const line of patch.slice(0, -1).split('\n')) {
    // "\ No newline at end of file"
    if (line.startsWith('\\')) continue
    if (before === 0 && after === 0) {
      const [, old = '1', now = '1'] = head.exec(line) ?? ['', '0', '0']
      before = Number(old)
      after = Number(now)
      if (before + after === 0) return false
      continue
    }
    // Some programs drop the space of an empty line that stays.
    const [sign = ' '] = line
    if (!' +-'.includes(sign)) return false
    if (sign !== '+') before--
    if (sign !== '-') after--
    if (before < 0 || after < 0) return false
  }
  return before === 0 && after === 0
}
