import { resolve } from 'node:path'
import { Command } from 'commander'
import { ConductError } from '../../contract/error.ts'
import { copying } from '../../place/connect.ts'
import { serversOf } from '../../place/servers.ts'
import { addExamples } from '../../terminal/option.ts'
import { forget } from '../../verify/remember.ts'
import { addCopyFlags, type CopyFlags, ledgerFile, showing, tell } from './backup.ts'

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
