import { readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { listenersOn } from '../system/peer.ts'
import { privateFolder, writePrivate } from '../system/private.ts'
import { userId } from '../system/system.ts'
import { type Env, folders } from './folders.ts'
import { withoutPassword } from './setting.ts'

/** What a running server publishes for the commands of the same user. */
interface Running {
  pid: number
  url: string
  database: string
  startedAt: string
}

const folderOf = (env: Env) => join(folders.state(env), 'servers')

/** One name for a database, however its path is written. The password is left out, so two URLs can be compared. */
function nameOf(databaseUrl: string): string {
  if (!databaseUrl.startsWith('sqlite:')) return withoutPassword(databaseUrl)
  return `sqlite:${realpathSync(databaseUrl.slice('sqlite:'.length))}`
}

/**
 * Publishes for the other commands of this user that this process serves that database, until it exits. A server of
 * `sqlite::memory:` publishes nothing, since no other process can open its database. Throws if the file cannot be
 * written.
 */
export function announce(env: Env, url: string, databaseUrl: string) {
  if (databaseUrl === 'sqlite::memory:') return
  privateFolder(folders.state(env))
  const path = join(privateFolder(folderOf(env)), `${process.pid}.json`)
  const running: Running = {
    pid: process.pid,
    url,
    database: nameOf(databaseUrl),
    startedAt: new Date().toISOString(),
  }
  writePrivate(path, JSON.stringify(running))
  process.on('exit', () => rmSync(path, { force: true }))
}

/** The addresses of this user's servers of that database, newest first. Forgets servers that were killed. */
export function serversOf(env: Env, databaseUrl: string): string[] {
  try {
    const database = nameOf(databaseUrl)
    const servers = announced(env).filter((server) => server.database === database)
    return servers.sort((a, b) => b.startedAt.localeCompare(a.startedAt)).map(({ url }) => url)
  } catch {
    // No folder or no database: no server.
    return []
  }
}

/** The database that the server at that address serves, if it is not this one. */
export function otherDatabaseAt(env: Env, url: string, databaseUrl: string): string | undefined {
  try {
    const database = nameOf(databaseUrl)
    return announced(env).find((server) => server.url === url && server.database !== database)?.database
  } catch {
    return undefined
  }
}

/**
 * Whether another user's program listens on the port of that address: neither one of this user or root, nor one of the
 * owner of the database, which may be a file of a service.
 */
export function isOfOther(url: string, databaseUrl: string): boolean {
  if (!databaseUrl.startsWith('sqlite:')) return false
  const { uid } = statSync(databaseUrl.slice('sqlite:'.length), { throwIfNoEntry: false }) ?? {}
  return listenersOn(Number(new URL(url).port || 80)).some((one) => ![userId, 0, uid].includes(one))
}

function announced(env: Env): Running[] {
  return readdirSync(folderOf(env)).flatMap((name) => {
    const path = join(folderOf(env), name)
    const running = read(path)
    if (running && isAlive(running.pid)) return [running]
    // Leave a draft alone: its writer is about to rename it.
    if (name.endsWith('.json')) rmSync(path, { force: true })
    return []
  })
}

function read(path: string): Running | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Running
  } catch {
    // The file is gone by now, or belongs to another program.
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
