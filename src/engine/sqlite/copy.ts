import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { dirname } from 'node:path'
import { ConductError } from '../../contract/error.ts'

/** The contents of a verified copy of a ledger. */
export interface Copied {
  bytes: number
  events: number
  /** The newest event; 0 and null if there are no events. */
  newestSeq: number
  newestAt: string | null
  runs: number
  schemaVersion: number
}

export type CopyStep = { step: 'copy'; pages: number; of: number } | { step: 'verify' }

export interface CopyOptions {
  onStep?: ((step: CopyStep) => void) | undefined
  /** Stops the copy immediately. */
  signal?: AbortSignal | undefined
}

type CopyFault = { fault: 'foreign' | 'damaged' | 'sqlite'; words: string; errcode: number }
type Message = CopyStep | { step: 'done'; copied: Copied } | ({ step: 'fault' } & CopyFault)

/** Low, so that requests come first. */
const priority = 10

/**
 * Copies the current state of the ledger at `from` into the empty file at `to`, while others write to the ledger. Then
 * verifies the copy: SQLite finds no damage, and each table has as many rows as the source. Both run in a separate
 * process, which keeps the event loop free and can be killed at any moment. Throws INSUFFICIENT_STORAGE, UNAVAILABLE,
 * and VALIDATION_ERROR for a file that is damaged or not a ledger.
 */
export function copyLedger(from: string, to: string, { onStep, signal }: CopyOptions = {}): Promise<Copied> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--no-warnings', '-e', `(${copyAndVerify})()`, from, to], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      killSignal: 'SIGKILL',
      ...(signal && { signal }),
    })
    lower(child.pid)
    let stderr = ''
    let end = (code: string) => reject(interrupted(from, code, stderr))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-1000)
    })
    child.on('message', (message: Message) => {
      if (message.step === 'done') end = () => resolve(message.copied)
      else if (message.step === 'fault') end = () => reject(errorOf(message, from, to))
      else onStep?.(message)
    })
    child.on('error', ({ message }) => {
      end = () => reject(interrupted(from, message, ''))
      // It never started, so it will not exit.
      if (child.pid === undefined) end('')
    })
    child.on('close', (code, ended) => end(String(code ?? ended)))
  })
}

function lower(pid: number | undefined) {
  try {
    if (pid !== undefined) setPriority(pid, priority)
  } catch {
    // It has already exited, or the system has no priorities.
  }
}

const interrupted = (from: string, end: string, stderr: string) =>
  new ConductError('UNAVAILABLE', `The copy of ${from} was interrupted (${end}) and deleted. ${stderr}`.trim())

/** SQLite's result codes (sqlite.org/rescode.html). */
const busy = [5, 6]
const full = 13
const damaged = [11, 26]

function errorOf({ fault, words, errcode }: CopyFault, from: string, to: string): ConductError {
  const code = errcode & 0xff
  if (code === full)
    return new ConductError('INSUFFICIENT_STORAGE', `The disk of ${dirname(to)} is full: the copy was deleted.`)
  if (fault === 'foreign') return new ConductError('VALIDATION_ERROR', `${from} is not a Conduct ledger: ${words}.`)
  if (fault === 'damaged' || damaged.includes(code))
    return new ConductError('VALIDATION_ERROR', `${from} is damaged: ${words}`)
  if (busy.includes(code))
    return new ConductError('UNAVAILABLE', `${from} is locked by another process: ${words}. Try again.`)
  return new ConductError('UNAVAILABLE', `${from} could not be copied: ${words}.`)
}

/** The code of the copying process. The process gets only its source text, so it refers to nothing outside. */
async function copyAndVerify() {
  const { DatabaseSync, backup } = process.getBuiltinModule('node:sqlite')
  const { statSync } = process.getBuiltinModule('node:fs')
  type Database = InstanceType<typeof DatabaseSync>
  const [from = '', to = ''] = process.argv.slice(1)
  const pagesAtOnce = 1000
  process.on('disconnect', () => process.exit(1))
  const say = (message: object) => new Promise((sent) => process.send?.(message, undefined, {}, sent))

  const rowsOf = (db: Database) => {
    const named =
      "select name from sqlite_schema where type = 'table' and rootpage > 0 and name not like 'sqlite!_%' escape '!'"
    const tables = db
      .prepare(named)
      .all()
      .map(({ name }) => String(name))
    return new Map(tables.map((name) => [name, Number(db.prepare(`select count(*) as n from "${name}"`).get()?.n)]))
  }
  /** What the copy contains, or what is wrong with it. */
  const verify = (db: Database, expected: Map<string, number>) => {
    const found = db
      .prepare('pragma integrity_check(10)')
      .all()
      .map((row) => String(row.integrity_check))
    if (found[0] !== 'ok') return { step: 'fault', fault: 'damaged', words: found.join('\n'), errcode: 0 }
    const rows = rowsOf(db)
    for (const [name, count] of expected) {
      if (rows.get(name) !== count)
        return {
          step: 'fault',
          fault: 'damaged',
          words: `${name} has ${rows.get(name)} rows, not ${count}`,
          errcode: 0,
        }
    }
    const newest = db.prepare('select seq, at from events order by seq desc limit 1').get()
    const version = db.prepare('select max(version) as version from schema_versions').get()
    const copied = {
      bytes: statSync(to).size,
      events: rows.get('events'),
      newestSeq: newest?.seq ?? 0,
      newestAt: newest?.at ?? null,
      runs: rows.get('runs'),
      schemaVersion: version?.version,
    }
    return { step: 'done', copied }
  }

  const copy = async () => {
    const source = new DatabaseSync(from, { timeout: 10_000 })
    source.exec('pragma query_only = on; begin')
    const tables = rowsOf(source)
    if (!['schema_versions', 'events', 'runs'].every((name) => tables.has(name))) {
      return { step: 'fault', fault: 'foreign', words: 'its tables are missing', errcode: 0 }
    }
    // The transaction keeps its snapshot: commits of others are not in the copy and do not restart it.
    await backup(source, to, {
      rate: pagesAtOnce,
      progress: ({ totalPages, remainingPages }) =>
        void say({ step: 'copy', pages: totalPages - remainingPages, of: totalPages }),
    })
    source.close()
    await say({ step: 'verify' })
    const target = new DatabaseSync(to)
    // The whole copy is one file that needs no log.
    target.exec('pragma journal_mode = delete')
    const verified = verify(target, tables)
    target.close()
    return verified
  }

  const outcome = await copy().catch((error) => ({
    step: 'fault',
    fault: 'sqlite',
    words: error.message,
    errcode: error.errcode ?? 0,
  }))
  await say(outcome)
  process.disconnect()
}
