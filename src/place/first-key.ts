import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Env, folders, privateFolder } from './folders.ts'
import { writePrivate } from './private-file.ts'

/**
 * Writes the first key of a database to a file that only its owner can read: beside an SQLite file, else in the user's
 * state folder. Returns the path. Throws if the file cannot be written.
 */
export function keepFirstKey(env: Env, databaseUrl: string, secret: string): string {
  const text = `${secret}\n`
  const file = /^sqlite:(.+)$/s.exec(databaseUrl)?.[1]
  if (file === undefined) return writeNew(join(stateFolder(env), 'admin-key'), text)
  const path = file === ':memory:' ? join(stateFolder(env), 'memory.admin-key') : `${resolve(file)}.admin-key`
  writePrivate(path, text)
  return path
}

const stateFolder = (env: Env) => privateFolder(folders.state(env))

/** Writes a file that does not exist yet: one of that name may be the only copy of the key of another database. */
function writeNew(name: string, text: string): string {
  for (let n = 1; ; n++) {
    const path = n === 1 ? name : `${name}.${n}`
    try {
      writeFileSync(path, text, { mode: 0o600, flag: 'wx', flush: true })
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
