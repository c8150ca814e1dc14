import { open } from 'node:fs/promises'
import { Command } from 'commander'
import { requirePastTimes } from '../../export/check-row.ts'
import { readExport, type Trailer } from '../../export/lines.ts'
import { databaseUrlIn, importInto } from '../../place/connect.ts'
import { withoutPassword } from '../../place/setting.ts'
import { UsageError } from '../../terminal/exit.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addExamples, refuseBoth } from '../../terminal/option.ts'
import { transcriptsCommand } from '../import/transcripts.ts'
import { v0Command } from '../import/v0.ts'
import { pairs, printJson } from '../show/print.ts'
import { ledgerDatabase } from './backup.ts'

interface Options {
  databaseUrl?: string
  profile?: string
  check?: boolean
  restart?: boolean
  acceptFuture?: boolean
  json?: boolean
}

/** `conduct import FILE`: fills an empty ledger with an export. Its sub-commands import what agents did before. */
export function importCommand(): Command {
  const command = new Command('import')
  command.argument('<file>', 'the export; - for standard input')
  command.option('--database-url <url>', 'the database to fill (default: CONDUCT_DATABASE_URL)')
  command.option('--profile <name>', 'local for the database of this machine')
  command.option('--check', 'read the export to its end, and write nothing')
  command.option('--restart', 'remove what an interrupted import has left, and start again')
  command.option('--accept-future', 'accept times in the future, from a ledger whose clock was wrong')
  command.option('--json', 'as JSON')
  addExamples(command, ['conduct import ledger.ndjson --check'])
  command.addCommand(transcriptsCommand('claude')).addCommand(transcriptsCommand('codex')).addCommand(v0Command())
  // An option after a sub-command belongs to the sub-command.
  return command.enablePositionalOptions().action(run)
}

async function run(file: string, options: Options): Promise<void> {
  refuseBoth(options, 'databaseUrl', 'profile')
  const url = options.check ? undefined : databaseOf(options)
  const unreadable = ({ message }: Error) => new UsageError(`Cannot read ${file}: ${message}`)
  const source = await sourceOf(file).catch((error) => {
    throw unreadable(error)
  })
  const work = url === undefined ? check(source, options) : fill(source, url, options)
  const done = await work.catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EISDIR' ? unreadable(error) : error
  })
  if (options.json) printJson(done)
  else process.stdout.write(`${pairs(linesOf(done))}\n`)
}

/** Opens the file before anything else is done, so that a wrong name leaves no empty ledger. */
async function sourceOf(file: string): Promise<AsyncIterable<Uint8Array>> {
  return file === '-' ? process.stdin : (await open(file)).createReadStream({ highWaterMark: 1_048_576 })
}

interface Done {
  ledger: string
  database?: string
  withKeys: boolean
  rows: Record<string, number>
}

async function check(source: AsyncIterable<Uint8Array>, { acceptFuture = false }: Options): Promise<Done> {
  let line = 0
  let found: Partial<Done & Trailer> = {}
  const work = async () => {
    for await (const group of readExport(source)) {
      if (!acceptFuture) requirePastTimes(group, Date.now())
      line = group.at(-1)?.number ?? line
      for (const { content } of group) {
        if ('header' in content) found = { ledger: content.header.ledger, withKeys: content.header.withKeys }
        if ('trailer' in content) found.rows = content.trailer.rows
      }
    }
  }
  await whileWaiting(() => `Checked ${line} lines`, work())
  return found as Done
}

/** The database to fill. Throws a UsageError if no flag names it and the ledger is on a server. */
function databaseOf({ databaseUrl, profile }: Options): string {
  if (databaseUrl === undefined) return ledgerDatabase(profile)
  return databaseUrlIn(databaseUrl, process.cwd())
}

async function fill(
  source: AsyncIterable<Uint8Array>,
  url: string,
  { restart = false, acceptFuture = false }: Options,
): Promise<Done> {
  let done = 0
  const onProgress = (line: number) => {
    done = line
  }
  const imported = await whileWaiting(
    () => `Imported ${done} lines`,
    importInto(url, source, { restart, acceptFuture, onProgress }),
  )
  return { ...imported, database: withoutPassword(url) }
}

function linesOf({ ledger, database = '', withKeys, rows }: Done): [string, string][] {
  const of = (table: string) => String(rows[table] ?? 0)
  return [
    ['ledger', ledger],
    ['into', database],
    ['projects', of('projects')],
    ['runs', of('runs')],
    ['specs', of('specs')],
    ['checks', of('checks')],
    ['features', of('features')],
    ['events', of('events')],
    [
      'keys',
      withKeys ? of('keys') : 'none: create new ones, and rotate the secrets of webhooks before you enable them',
    ],
  ]
}
