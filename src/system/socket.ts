import { createHash } from 'node:crypto'
import { chmodSync, renameSync, rmSync, statSync } from 'node:fs'
import type { Server } from 'node:net'
import { here, pathsOf, type System } from './system.ts'

/**
 * Where a program of this user listens that others of his find by a private folder: a socket in it, or on Windows a pipe
 * whose name follows from it. Two spellings of a folder are one on Windows.
 */
export function socketIn(folder: string, name: string, system: System = here): string {
  if (system === 'posix') return pathsOf(system).join(folder, `${name}.sock`)
  const known = pathsOf(system).resolve(folder).toLowerCase()
  const id = createHash('sha256').update(known).digest('hex').slice(0, 32)
  return `\\\\.\\pipe\\conduct-${name}-${id}`
}

interface Listening {
  /** Whether new connections still come here. */
  isCurrent(): boolean
  /** Removes the socket, unless another one has taken its place. */
  end(): void
}

/**
 * Listens there. A socket takes the place of one that a killed process left, or that listens: if two start at once, the
 * last one gets the connections. A pipe ends with its process, and while it is there nobody else can listen. Rejects if
 * there can be none, for example because the path is too long.
 */
export async function listenAt(server: Server, path: string): Promise<Listening> {
  const draft = here === 'posix' ? `${path}.${process.pid}` : path
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(draft, resolve))
  if (here === 'windows') return { isCurrent: () => true, end: () => {} }
  chmodSync(draft, 0o600)
  renameSync(draft, path)
  const own = idOf(path)
  const isCurrent = () => idOf(path) === own
  return { isCurrent, end: () => isCurrent() && rmSync(path, { force: true }) }
}

/** Identifies a file; '' if there is none. */
export function idOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat ? `${stat.dev} ${stat.ino} ${stat.mtimeMs}` : ''
}
