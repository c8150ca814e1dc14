import { resolve } from 'node:path'
import { Command } from 'commander'
import { ConductError } from '../../contract/error.ts'
import { type Copied, type CopyStep, copying, type Place, placeOf } from '../../place/connect.ts'
import { serversOf } from '../../place/servers.ts'
import { UsageError } from '../../terminal/exit.ts'
import { requireWritablePath } from '../../terminal/file.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addExamples } from '../../terminal/option.ts'
import { clean } from '../../text/clean.ts'
import { forget } from '../../verify/remember.ts'
import { pairs, printJson, shown } from '../show/print.ts'

interface CopyFlags {
  profile?: string
  force?: boolean
  json?: boolean
}

/** `conduct backup FILE`: writes a verified copy of this machine's ledger. */
export function backupCommand(): Command {
  const command = new Command('backup').argument('<file>', 'the backup to write')
  addCopyFlags(command, 'replace the file if it exists')
  addExamples(command, ['conduct backup conduct-backup.db'], 'console')
  return command.action(backup)
}

async function backup(name: string, flags: CopyFlags): Promise<void> {
  requireWritablePath(name)
  const file = resolve(name)
  const path = ledgerFile(flags, dumpRecipe)
  const { writeBackup } = await copying()
  const copied = await showing((options) => writeBackup(path, file, { ...flags, ...options }))
  tell(copied, flags, [
    ['ledger', path],
    ['backup', file],
  ])
}

export const dumpRecipe = `back it up with pg_dump --format=custom --file=conduct.dump "$CONDUCT_DATABASE_URL"`

/** The flags of the commands that copy this machine's ledger. */
function addCopyFlags(command: Command, force: string): Command {
  return command
    .option('--force', force)
    .option('--json', 'as JSON')
    .option('--profile <name>', 'local for the database of this machine')
}

/** The database of the ledger. Throws a UsageError if the ledger is on a server. */
export function ledgerDatabase(profile: string | undefined): string {
  const place: Place = placeOf({ profile }, process.env, process.cwd())
  if (place.kind === 'local') return place.databaseUrl
  throw new UsageError(
    `${place.url} is a server: run this command on its machine, or add --profile local for the database of this machine.`,
  )
}

/**
 * The file of the ledger. Throws a UsageError if the ledger is not a file; on PostgreSQL it says what to do instead.
 */
function ledgerFile({ profile }: CopyFlags, onPostgres: string): string {
  const databaseUrl = ledgerDatabase(profile)
  if (!databaseUrl.startsWith('sqlite:')) throw new UsageError(`The ledger is in PostgreSQL: ${onPostgres}`)
  const file = databaseUrl.slice('sqlite:'.length)
  if (file === ':memory:') throw new UsageError('The ledger is only in memory.')
  return file
}

/** Shows the progress of a copy. Ctrl-C stops it and leaves nothing behind. */
async function showing(
  copy: (options: { onStep(step: CopyStep): void; signal: AbortSignal }) => Promise<Copied>,
): Promise<Copied> {
  let doing = 'Starting'
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  const onStep = (step: CopyStep) => {
    doing = step.step === 'verify' ? 'Verifying' : `Copying: ${Math.floor((100 * step.pages) / step.of)} %`
  }
  try {
    return await whileWaiting(() => doing, copy({ onStep, signal: stopping.signal }))
  } catch (error) {
    if (!stopping.signal.aborted) throw error
    throw new ConductError('UNAVAILABLE', 'Interrupted: the copy was deleted.')
  }
}

function tell(copied: Copied, { json }: CopyFlags, places: [name: string, value: string][]) {
  if (json) {
    printJson({ ...Object.fromEntries(places), ...copied })
    return
  }
  const { bytes, runs, events, newestSeq, newestAt } = copied
  const newest = newestAt === null ? 'none' : `${newestSeq}, of ${shown(newestAt, true)}`
  process.stdout.write(
    `${pairs([...places.map(([name, place]): [string, string] => [name, clean(place)]), ['bytes', String(bytes)], ['runs', String(runs)], ['events', String(events)], ['newest', newest], ['verified', 'SQLite finds no damage, and every table has all of its rows']])}\n`,
  )
}

const restoreRecipe =
  'stop the servers, create an empty database, and run ' +
  'pg_restore --no-owner --exit-on-error --dbname=<its URL> conduct.dump'

/** `conduct restore FILE`: replaces this machine's ledger by a verified backup. */
export function restoreCommand(): Command {
  const command = new Command('restore').argument('<file>', 'the backup to restore')
  addCopyFlags(command, 'replace the existing ledger')
  addExamples(command, ['conduct restore conduct-backup.db'], 'console')
  return command.action(restore)
}

async function restore(name: string, flags: CopyFlags): Promise<void> {
  const file = resolve(name)
  const path = ledgerFile(flags, restoreRecipe)
  // We can name a server of this user; of others we only see the lock on the file.
  const [server] = serversOf(process.env, `sqlite:${path}`)
  if (server !== undefined)
    throw new ConductError('CONFLICT', `A server has ${path} open, at ${server}: stop it first.`)
  const { restoreBackup } = await copying()
  const copied = await showing((options) => restoreBackup(file, path, { ...flags, ...options }))
  // The log goes back on purpose.
  forget(`sqlite:${path}`, process.env)
  tell(copied, flags, [
    ['backup', file],
    ['ledger', path],
  ])
}
