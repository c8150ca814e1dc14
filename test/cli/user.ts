import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Connection, connect, placeOf } from '../../src/cli/place/connect.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'
import type { ProgramEnv } from './program.ts'

/** A user with a folder `shop` in which to work, and where their ledger is. */
export interface User {
  env: ProgramEnv & { HOME: string }
  cwd: string
  /** Opened when it is first asked for, given back when the test ends. */
  ledger(): Promise<Connection['client']>
}

/** Whose ledger is a file of this machine, unless the environment says more. */
export function localUser(t: TestContext, more: ProgramEnv = {}): User {
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
  return { env, cwd, ledger }
}

/** A user whose ledger is a started server. */
export const serverUser = async (t: TestContext) => remoteUser(t, (await openServer(t)).url)

/** A user of the server at that address, which need not be there. */
export const remoteUser = (t: TestContext, url: string) => localUser(t, { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })

/** The same test for a user of a local file and for one of a server. */
export function testPlaces(name: string, body: (user: User) => Promise<void>) {
  test(`${name} (a local file)`, async (t) => body(localUser(t)))
  test(`${name} (a server)`, async (t) => body(await serverUser(t)))
}

/** Writes files, by their path in the folder. */
export function writeFiles(folder: string, files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

/** Git in that folder, as somebody. */
export const gitIn =
  (cwd: string) =>
  (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {
      cwd,
      stdio: 'pipe',
      encoding: 'utf8',
    }).trim()
