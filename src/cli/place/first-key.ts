import { join, resolve } from 'node:path'
import { type Env, folders, privateFolder } from './folders.ts'
import { writePrivate } from './private-file.ts'

/**
 * Writes the first key of a database to a file that only its owner can read: beside an SQLite file, else in the user's
 * state folder. Returns the path. Throws if the file cannot be written.
 */
export function keepFirstKey(env: Env, databaseUrl: string, secret: string): string {
  const path = pathFor(env, databaseUrl)
  writePrivate(path, `${secret}\n`)
  return path
}

function pathFor(env: Env, databaseUrl: string): string {
  const file = /^sqlite:(?!:memory:)(.+)$/s.exec(databaseUrl)?.[1]
  return file === undefined ? join(privateFolder(folders.state(env)), 'admin-key') : `${resolve(file)}.admin-key`
}
