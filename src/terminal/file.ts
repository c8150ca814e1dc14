import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { UsageError } from './exit.ts'

/** The text of a file, or of standard input for `-`. Throws a UsageError that names a file it cannot read. */
export async function readText(path: string): Promise<string> {
  const name = path === '-' ? 'Standard input' : path
  const bytes = path === '-' ? await standardInput() : await readFile(path).catch((error) => refuse(path, error))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new UsageError(`${name} does not contain UTF-8 text.`)
  }
}

function standardInput() {
  if (process.stdin.isTTY) process.stderr.write('Reading from the terminal. Press Ctrl-D to end the text.\n')
  return buffer(process.stdin)
}

function refuse(path: string, { code, message }: NodeJS.ErrnoException): never {
  if (code === 'ENOENT') throw new UsageError(`There is no file ${path}: pass another path, or - for standard input.`)
  if (code === 'EISDIR') throw new UsageError(`${path} is a folder: pass a file, or - for standard input.`)
  throw new UsageError(`Cannot read ${path}: ${message}`)
}

/** Throws a UsageError unless a file may have that path. */
export function requireWritablePath(path: string): void {
  const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  const folder = dirname(path)
  if (!isFolder(folder)) throw new UsageError(`There is no folder ${folder}: create it, or choose another one.`)
  if (isFolder(path)) throw new UsageError(`${path} is a folder: add the name of a file.`)
}
