import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { createClient } from '../../client/client.ts'
import { localActor } from '../../contract/actor.ts'
import { notOpened } from '../../place/connect.ts'
import { type Env, folders } from '../../place/folders.ts'
import { announce } from '../../place/servers.ts'
import { readSettings, type Settings, settings } from '../../place/setting.ts'
import type { createApp } from '../../server/serve.ts'
import { privateFolder, writePrivate } from '../../system/private.ts'
import { endSignals } from '../../system/signals.ts'
import { UsageError } from '../../terminal/exit.ts'
import { addExamples } from '../../terminal/option.ts'
import { outliveOutput } from '../fail.ts'
import { dumpRecipe } from './backup.ts'
import { bannerOf, type FirstKey, firstKeyLines } from './banner.ts'

/** How much of the log is kept while it cannot be written, in bytes. */
const mostLogKept = 1_048_576

/** `conduct serve`, with a flag for each setting except secrets. */
export function serveCommand(): Command {
  const command = new Command('serve')
  for (const { env, flag, fallback, meaning } of Object.values(settings)) {
    if (flag) command.addOption(new Option(`${flag} <value>`, `${meaning} (${env}; default ${fallback || 'none'})`))
  }
  const secrets = Object.values(settings).filter(({ flag }) => !flag)
  command.addHelpText(
    'after',
    `\nBy environment only:\n${secrets.map(({ env, meaning }) => `  ${env}  ${meaning}`).join('\n')}`,
  )
  addExamples(command, ['conduct serve', 'conduct serve --host 0.0.0.0 --port 8080'], 'console')
  return command.action((flags: Record<string, string>) => run(flags))
}

async function run(flags: Record<string, string>) {
  const chosen = settingsOf(flags)
  // Loaded here: `conduct --version` needs none of it.
  const [{ createApp, openStore, serve }, log] = await Promise.all([
    import('../../server/serve.ts'),
    openLog(chosen.logLevel),
  ])
  outliveOutput((err) => log.warn({ err }, 'stdout cannot be written; the server continues'))
  const warn = (error: Error): undefined => void log.warn({ err: error }, 'background work failed')
  const { databaseUrl, adminKey, webhookAllow } = chosen
  const backups = backupsOf(chosen)
  const onProgress = (line: string) => process.stderr.write(`${line}\n`)
  const store = await openStore(databaseUrl, { adminKey, warn, onProgress }).catch(notOpened(databaseUrl))
  for (const risk of await store.db.risks().catch(() => [])) log.warn(risk)
  const { ignoredAdminKey, newSecret } = store
  const firstKey = newSecret === undefined ? undefined : shownOrKept(databaseUrl, newSecret)
  const running = await serve({ ...chosen, webhooks: { allow: webhookAllow }, store, log, backups }).catch(
    async (error) => {
      await store.close()
      if (firstKey) print(firstKeyLines(firstKey))
      throw new Error(reason(error, chosen), { cause: error })
    },
  )
  for (const signal of endSignals) {
    process.on(signal, () => running.stop().then(() => process.exit(0)))
  }
  const { url } = running
  try {
    announce(process.env, url, databaseUrl)
  } catch (error) {
    warn(error as Error)
  }
  // A login link must not end up in a log. A database that rejects writes for now is served all the same.
  const code = process.stdout.isTTY
    ? await newLoginCode(createApp({ store, actor: localActor })).catch(warn)
    : undefined
  print(bannerOf({ url, databaseUrl, code, firstKey, ignoredAdminKey }))
}

/** The log on stderr. If it cannot be written, for example on a full disk, the server continues and keeps the lines. */
async function openLog(level: Settings['logLevel']) {
  const { default: pino } = await import('pino')
  const stderr = pino.destination({ dest: 2, sync: true, maxLength: mostLogKept })
  stderr.on('error', () => {})
  return pino({ level }, stderr)
}

const print = (lines: string[]) => process.stdout.write(`${lines.join('\n')}\n`)

/** Prints a key only to a terminal. Other output may be a log, which others read and which is kept. */
function shownOrKept(databaseUrl: string, secret: string): FirstKey {
  if (process.stdout.isTTY) return { secret }
  try {
    return { path: keepFirstKey(process.env, databaseUrl, secret) }
  } catch (error) {
    return { lost: (error as Error).message }
  }
}

function settingsOf(flags: Record<string, string>): Settings {
  try {
    return readSettings(flags, process.env)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** Where the server writes its backups. Throws a UsageError if the ledger is not a file. */
function backupsOf({ backupDir, backupKeep, databaseUrl }: Settings) {
  if (backupDir === undefined) return undefined
  const path = databaseUrl.replace(/^sqlite:/, '')
  if (path === databaseUrl || path === ':memory:') {
    throw new UsageError(
      `${settings.backupDir.env} works only for a ledger in an SQLite file. For one in PostgreSQL, ${dumpRecipe}`,
    )
  }
  return { path: resolve(path), folder: resolve(backupDir), keep: backupKeep }
}

/** A code that logs a browser in as the user of this machine. */
async function newLoginCode(app: ReturnType<typeof createApp>): Promise<string> {
  const fetch = (request: Request) => app.fetch(request)
  const client = createClient({ url: 'http://localhost/conduct', fetch, attempts: 1 })
  return (await client.createLoginCode()).code
}

/** Why the server cannot listen. */
function reason({ code, message }: NodeJS.ErrnoException, { host, port }: Settings): string {
  if (code === 'EADDRINUSE') return `port ${port} is taken: choose another with --port or CONDUCT_PORT.`
  if (code === 'EACCES')
    return `not allowed to listen on port ${port}: choose one above 1023 with --port or CONDUCT_PORT.`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EADDRNOTAVAIL')
    return `this machine has no address ${host}: choose another with --host or CONDUCT_HOST.`
  return message
}

/**
 * Writes the first key of a database to a file that only its owner can read: beside an SQLite file, else in the user's
 * state folder. Returns the path. Throws if the file cannot be written.
 */
function keepFirstKey(env: Env, databaseUrl: string, secret: string): string {
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
