import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Connection, connect, placeOf } from '../../src/place/connect.ts'
import { adminKey, openServer } from '../support/server.ts'
import { copySqlite } from '../support/template.ts'
import { freshFolder, homeOf } from './folder.ts'
import type { ProgramEnv } from './program.ts'

/** A user with a working folder `shop`, and access to their ledger. */
export interface User {
  env: ProgramEnv & { HOME: string }
  cwd: string
  /** Opens the ledger on the first call, and closes it when the test ends. */
  ledger(): Promise<Connection['client']>
}

/** A user whose ledger is a local file, as an earlier command has left it, unless the environment says otherwise. */
export function localUser(t: TestContext, more: ProgramEnv = {}): User {
  const home = freshFolder(t)
  const cwd = join(home, 'shop')
  mkdirSync(cwd)
  const env = { ...homeOf(home), CONDUCT_DATABASE_URL: `sqlite:${join(home, 'conduct.db')}`, ...more }
  if (!('CONDUCT_DATABASE_URL' in more || 'CONDUCT_URL' in more)) copySqlite(join(home, 'conduct.db'))
  let opened: Promise<Connection> | undefined
  t.after(async () => (await opened)?.close())
  async function ledger() {
    opened ??= connect(placeOf({}, env, cwd), env)
    return (await opened).client
  }
  return { env, cwd, ledger }
}

/** A user whose ledger is on a server that the test starts. */
export const serverUser = async (t: TestContext) => remoteUser(t, (await openServer(t)).url)

/** A user of the server at that address, which need not run. */
export const remoteUser = (t: TestContext, url: string) => localUser(t, { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })

/** A test for a user of a local file, and for a user of a server. */
export function testPlaces(name: string, body: (user: User) => Promise<void>) {
  test(`${name} (a local file)`, async (t) => body(localUser(t)))
  test(`${name} (a server)`, async (t) => body(await serverUser(t)))
}

/** Writes files by their path in the folder. */
export function writeFiles(folder: string, files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

/** Runs git in that folder, with a user of its own. */
export const gitIn =
  (cwd: string) =>
  (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {
      cwd,
      stdio: 'pipe',
      encoding: 'utf8',
    }).trim()
