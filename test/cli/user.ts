import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Connection, connect, placeOf } from '../../src/cli/place/connect.ts'
import { engines } from '../engines.ts'
import { adminKey, startServer } from '../server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { main } from './program.ts'

export type CommandEnv = Record<string, string | undefined>

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** A `conduct` of its own, in a session of its own: without a terminal wherever the tests run. */
export function start(words: string[], env: CommandEnv, cwd = env.HOME): { child: ChildProcess; ran: Promise<Ran> } {
  const child = spawn(process.execPath, [main, ...words], {
    env,
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (piece) => {
      text[stream] += piece
    })
  }
  const ran = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }))
  return { child, ran }
}

export const conduct = (words: string[], env: CommandEnv, cwd?: string) => start(words, env, cwd).ran

/** A user with a folder `shop` in which to work, and where their ledger is. */
export interface User {
  name: string
  env: CommandEnv & { HOME: string }
  cwd: string
  /** Opened when it is first asked for, given back when the test ends. */
  ledger(): Promise<Connection['client']>
}

function userOf(t: TestContext, name: string, more: CommandEnv = {}): User {
  const home = freshFolder(t)
  const cwd = join(home, 'shop')
  mkdirSync(cwd)
  const env = { ...homeOf(home), CONDUCT_DATABASE_URL: `sqlite:${join(home, 'conduct.db')}`, ...more }
  let opened: Promise<Connection> | undefined
  t.after(async () => (await opened)?.close())
  async function ledger() {
    opened ??= connect(placeOf({}, env, cwd), env)
    return (await opened).client
  }
  return { name, env, cwd, ledger }
}

/** A user whose ledger is a file of this machine. */
export const localUser = (t: TestContext) => userOf(t, 'local file')

/** A user whose ledger is a started server. */
export async function serverUser(t: TestContext): Promise<User> {
  const { url } = await startServer(t, await (engines[0] as (typeof engines)[0]).freshUrl(t))
  return remoteUser(t, url)
}

/** A user of the server at that address, which need not be there. */
export const remoteUser = (t: TestContext, url: string) =>
  userOf(t, 'server', { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
