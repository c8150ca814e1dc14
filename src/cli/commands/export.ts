import { once } from 'node:events'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { Command } from 'commander'
import { type Client, ConductError } from '../../client/client.ts'
import { readExport } from '../../export/lines.ts'
import { connect, copying, databaseUrlIn, type Place, placeOf, requireLedger, shownPlace } from '../../place/connect.ts'
import { serversOf } from '../../place/servers.ts'
import { UsageError } from '../../terminal/exit.ts'
import { requireWritablePath } from '../../terminal/file.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addExamples, addPlace, type Common, refuseBoth } from '../../terminal/option.ts'
import { tries } from '../operation/call.ts'

interface Options extends Common {
  databaseUrl?: string
  withKeys?: boolean
  force?: boolean
}

/** `conduct export [FILE]`: writes the whole ledger as lines of JSON. */
export function exportCommand(): Command {
  const command = new Command('export')
  command.argument('[file]', 'the file to write (default: standard output, like -)')
  command.option('--database-url <url>', 'the database to export (default: the ledger in use)')
  command.option('--with-keys', 'include the hashes of keys and the secrets of webhooks and the seal')
  command.option('--force', 'replace the file if it exists')
  addPlace(command, true)
  addExamples(command, ['conduct export ledger.ndjson'])
  return command.action(run)
}

async function run(file: string | undefined, options: Options): Promise<void> {
  const { env } = process
  const place = exportedPlace(options)
  const target = file === '-' ? undefined : file
  if (target === undefined && process.stdout.isTTY) {
    throw new UsageError('An export does not go to a terminal. Name a file: conduct export ledger.ndjson')
  }
  if (target !== undefined) await requireFree(target, place, options)
  requireLedger(place)
  await using connection = await connect(place, env, tries)
  const { client } = connection
  const work = target === undefined ? toOutput(client, options) : toFile(target, client, options)
  await whileWaiting(`Exporting ${shownPlace(place)}`, work)
}

function exportedPlace({ databaseUrl, ...options }: Options): Place {
  const { env } = process
  if (databaseUrl === undefined) return { ...placeOf(options, env, process.cwd()), project: undefined }
  refuseBoth({ databaseUrl, ...options }, 'databaseUrl', 'profile')
  return {
    kind: 'local',
    databaseUrl: databaseUrlIn(databaseUrl, process.cwd()),
    project: undefined,
  }
}

const toOutput = (client: Client, options: Options) => writeChecked(client, options, process.stdout)

/** Throws unless the export may be written there. `--force` does not replace a ledger that is in use. */
async function requireFree(file: string, place: Place, { force }: Options): Promise<void> {
  requireWritablePath(file)
  const path = resolve(file)
  if (existsSync(path) && !force) {
    throw new ConductError('CONFLICT', `${file} exists: choose another name, or replace it with --force.`)
  }
  const { requireOther } = await copying()
  const served = path.replace(/-(journal|wal|shm)$/, '')
  if (serversOf(process.env, `sqlite:${served}`).length > 0) requireOther(path, served)
  if (place.kind === 'local' && place.databaseUrl.startsWith('sqlite:')) {
    requireOther(path, place.databaseUrl.slice('sqlite:'.length))
  }
}

/** The file gets its name only once it is complete. Only its owner can read it. */
async function toFile(file: string, client: Client, options: Options): Promise<void> {
  const draft = `${file}.${process.pid}`
  const words = ({ message }: Error) => `Cannot write ${file}: ${message}`
  const handle = await open(draft, 'wx', 0o600).catch((error) => {
    throw new UsageError(words(error))
  })
  const output = handle.createWriteStream({ flush: true })
  try {
    await writeChecked(client, options, output)
    output.end()
    await finished(output)
    renameSync(draft, file)
  } catch (error) {
    const fault = output.errored
    output.destroy()
    rmSync(draft, { force: true })
    throw fault ? new Error(words(fault), { cause: fault }) : error
  }
}

/** Writes the export as it arrives, and verifies it. Throws if it is incomplete. */
async function writeChecked(client: Client, { withKeys = false }: Options, output: Writable): Promise<void> {
  const failed = new AbortController()
  output.once('error', (error) => failed.abort(error))
  async function* written() {
    for await (const chunk of client.exportLedger({ withKeys })) {
      yield chunk
      failed.signal.throwIfAborted()
      // Throws if the output fails meanwhile.
      if (!output.write(chunk)) await once(output, 'drain')
    }
  }
  for await (const _ of readExport(Readable.from(written()))) failed.signal.throwIfAborted()
}
