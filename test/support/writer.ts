import { spawn } from 'node:child_process'
import { once } from 'node:events'

const work = `const { DatabaseSync } = require('node:sqlite')
  const db = new DatabaseSync(process.argv[1])
  db.exec('begin immediate')
  process.stdout.write('.')
  setTimeout(() => db.exec('commit'), 200)`

/** Has another process begin to write to a SQLite file that does not exist yet. It ends 200 ms later. */
export async function startWriter(path: string): Promise<void> {
  const child = spawn(process.execPath, ['-e', work, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
}
